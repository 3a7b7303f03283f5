"""Writes the page of settings: every variable that a program reads, from its dataclass."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from tools.markdown import cell

NAME: Final = "settings.md"
_NOTE: Final = "<!-- Generated from the programs by `make generate`: change their settings. -->\n"
_INTRO: Final = (
    "Each program reads its settings from its environment, once, when it starts. A value that it"
    " cannot use is named, and the program ends. The charts set them from their values;"
    " `extraEnv` sets any other.\n"
)


class Setting(NamedTuple):
    variable: str
    default: str
    text: str

    def row(self) -> str:
        default = f"`{self.default}`" if self.default else ""
        return f"| `{self.variable}` | {default} | {cell(self.text)} |"


def page(programs: Mapping[str, tuple[str, Path]]) -> str:
    """Write the page, of each program's name, prefix and module of settings."""
    sections = [
        f"## {name}\n\n| Variable | Default | |\n| --- | --- | --- |\n"
        + "\n".join(setting.row() for setting in settings(prefix, module.read_text()))
        for name, (prefix, module) in programs.items()
    ]
    return f"{_NOTE}\n# Settings\n\n{_INTRO}\n" + "\n\n".join(sections) + "\n"


def settings(prefix: str, source: str) -> Iterator[Setting]:
    """Read the fields of the class `Settings`, each with the text beneath it."""
    tree = ast.parse(source)
    classes = [n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "Settings"]
    for one in classes:
        for field, after in zip(one.body, [*one.body[1:], ast.Pass()], strict=True):
            match field:
                case ast.AnnAssign(target=ast.Name(id=name), value=value) if value:
                    yield Setting(f"{prefix}{name}".upper(), _default(value), _text(after))
                case _:
                    pass


def _default(value: ast.expr) -> str:
    match value:
        case ast.Constant(value=constant):
            return str(constant)
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name.lower()
    return ast.unparse(value)


def _text(node: ast.stmt) -> str:
    match node:
        case ast.Expr(value=ast.Constant(value=str(text))):
            return " ".join(text.split())
    return ""
