"""Turns the type of a field into a structural schema."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from fleet.api.cluster import Subject
from fleet.api.conditions import Condition
from fleet.api.crd import descriptions
from fleet.api.crd.fields import Json, alias, bounds, default, merged
from fleet.api.objects import LabelSelector, Model
from fleet.api.schema import Rule, Schema

_FREE: Final[Json] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_EITHER: Final[Json] = {
    "anyOf": [{"type": "integer"}, {"type": "string"}],
    "x-kubernetes-int-or-string": True,
}
_ATOMIC: Final = (LabelSelector, Subject)
_QUANTITY: Final = (
    r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))"
    r"(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$"
)
_SCALARS: Final[Mapping[object, Json]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    datetime: {"type": "string", "format": "date-time"},
    Decimal: {"type": "string"},
    Any: {"x-kubernetes-preserve-unknown-fields": True},
}


def object_schema(model: type[Model], version: str) -> Json:
    """Describe a model's fields as the given version of its kind has them."""
    properties, required = {}, []
    for name, field in model.model_fields.items():
        note = merged(field.metadata, version)
        if note.versions and version not in note.versions:
            continue
        properties[alias(field, name)] = _property(model, name, field, version)
        if field.is_required() or note.required:
            required.append(alias(field, name))
    schema: Json = {"type": "object", "properties": properties}
    if required:
        # The server names what is missing in this order; KubeFleet's is by name.
        schema["required"] = sorted(required)
    if model in _ATOMIC:
        schema["x-kubernetes-map-type"] = "atomic"
    return schema | _rules(model, version)


def _property(model: type[Model], name: str, field: FieldInfo, version: str) -> Json:
    note = merged(field.metadata, version)
    schema = _of(field.annotation, note, version)
    text = descriptions.of_field(model, name) or schema.pop("description", "")
    return {"description": text} | schema | default(field, note)


def _rules(model: type[Model], version: str) -> Json:
    rules: tuple[Rule, ...] = getattr(model, "RULES", ())
    held = (rule for rule in rules if not rule.versions or version in rule.versions)
    return bounds(Schema(rules=tuple(held)))


def _of(annotation: Any, note: Schema, version: str) -> Json:
    if get_origin(annotation) is Annotated:
        inner, *notes = get_args(annotation)
        return _of(inner, merged([*notes, note], version), version)
    if note.quantity and annotation is str:
        return _EITHER | {"pattern": _QUANTITY}
    if annotation in _SCALARS:
        return _SCALARS[annotation] | bounds(note)
    if isinstance(annotation, type) and issubclass(annotation, Model):
        nested = object_schema(annotation, version)
        return {"description": descriptions.of_class(annotation)} | nested | bounds(note)
    return _of_generic(annotation, note, version)


def _of_generic(annotation: Any, note: Schema, version: str) -> Json:
    arguments = get_args(annotation)
    match get_origin(annotation):
        case origin if origin is Union or origin is UnionType:
            return _of_union([kind for kind in arguments if kind is not NoneType], note, version)
        case origin if origin is Literal:
            return _one_of(arguments, note)
        case origin if origin is tuple:
            return _list(arguments[0], note, version)
        case origin if isinstance(origin, type) and issubclass(origin, Mapping):
            return _map(arguments[1], note, version)
        case _:
            return _of_enum(annotation, note)


def _of_enum(annotation: Any, note: Schema) -> Json:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _one_of([member.value for member in annotation], note)
    raise TypeError(f"no schema for {annotation}")


def _one_of(values: Iterable[str], note: Schema) -> Json:
    known: Json = {} if note.any_value else {"enum": list(values)}
    return {"type": "string"} | known | bounds(note)


def _of_union(kinds: list[Any], note: Schema, version: str) -> Json:
    if set(kinds) == {int, str}:
        return _EITHER | bounds(note)
    (kind,) = kinds
    return _of(kind, note, version)


def _list(kind: Any, note: Schema, version: str) -> Json:
    keys = ("type",) if kind is Condition else note.keys
    schema: Json = {"type": "array", "items": _item(kind, version)} | bounds(note)
    if keys:
        schema |= {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}
    return schema


def _map(kind: Any, note: Schema, version: str) -> Json:
    if kind is Any:
        return _FREE | ({"x-kubernetes-embedded-resource": True} if note.embedded else {})
    return {"type": "object", "additionalProperties": _item(kind, version)} | bounds(note)


def _item(kind: Any, version: str) -> Json:
    schema = _of(kind, Schema(), version)
    schema.pop("description", None)
    return schema
