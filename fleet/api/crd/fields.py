"""What one field of a model says about itself: its type, its notes, its default."""

from collections.abc import Iterable
from dataclasses import fields
from enum import Enum
from typing import Any

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic.fields import FieldInfo

from fleet.api.schema import InVersions, Rule, Schema

Json = dict[str, Any]

_NOTED = {
    "minimum": "minimum",
    "maximum": "maximum",
    "min_items": "minItems",
    "max_items": "maxItems",
    "min_properties": "minProperties",
    "max_properties": "maxProperties",
    "min_length": "minLength",
    "max_length": "maxLength",
    "pattern": "pattern",
    "format": "format",
}


def merged(notes: Iterable[object], version: str) -> Schema:
    """Put the notes on a field together, as a version has them; a later one adds to an earlier."""
    said: dict[str, Any] = {}
    for note in notes:
        match note:
            case Schema():
                said |= _said(note)
            case InVersions(versions=versions, note=more) if version in versions:
                said |= _said(more)
            case Ge(ge=value):
                said["minimum"] = value
            case Le(le=value):
                said["maximum"] = value
            case MinLen(min_length=value):
                said["min_length"] = value
            case MaxLen(max_length=value):
                said["max_length"] = value
            case _:
                pass
    return Schema(**said)


def _said(note: Schema) -> Json:
    return {f.name: getattr(note, f.name) for f in fields(note) if _says(note, f.name)}


def _says(note: Schema, name: str) -> bool:
    return bool(getattr(note, name)) or (getattr(note, name) == 0 and name.startswith("m"))


def bounds(note: Schema) -> Json:
    """Write the constraints of a value in the words of OpenAPI."""
    stated = {key: getattr(note, name) for name, key in _NOTED.items()}
    constraints: Json = {key: value for key, value in stated.items() if value not in (None, "")}
    if note.enum:
        constraints["enum"] = list(note.enum)
    if note.rules:
        constraints["x-kubernetes-validations"] = [_validation(rule) for rule in note.rules]
    if note.free:
        constraints["x-kubernetes-preserve-unknown-fields"] = True
    return constraints


def _validation(rule: Rule) -> Json:
    validation: Json = {"rule": rule.rule, "message": rule.message}
    if rule.words:
        validation["messageExpression"] = rule.words
    if rule.field:
        validation |= {"fieldPath": f".{rule.field}"}
    return validation


def default(field: FieldInfo, note: Schema) -> Json:
    if not note.filled:
        return {}
    value = field.default if note.default is None else note.default
    return {"default": value.value if isinstance(value, Enum) else value}


def alias(field: FieldInfo, name: str) -> str:
    return field.serialization_alias or field.alias or name
