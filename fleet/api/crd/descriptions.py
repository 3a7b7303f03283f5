"""The docstrings of classes and of their fields, as their modules hold them."""

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping
from functools import cache

from fleet.api.objects import Model, Resource


def of_class(model: type[Model]) -> str:
    return _flat(inspect.getdoc(model) or "") if "__doc__" in vars(model) else ""


def of_field(model: type[Model], name: str) -> str:
    """Take the text beneath a field, in the class that states it or in the nearest base."""
    for base in model.__mro__:
        if base in (Model, Resource, object) or not issubclass(base, Model):
            continue
        if text := _of_module(base.__module__).get(base.__name__, {}).get(name):
            return text
    return ""


@cache
def _of_module(module: str) -> Mapping[str, Mapping[str, str]]:
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {node.name: dict(_fields(node)) for node in tree.body if isinstance(node, ast.ClassDef)}


def _fields(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, text in zip(node.body, node.body[1:], strict=False):
        match field, text:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(doc))),
            ):
                yield name, _flat(doc)
            case _:
                pass


def _flat(text: str) -> str:
    return " ".join(text.split())
