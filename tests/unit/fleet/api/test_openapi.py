"""How a model becomes a schema."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

import pytest
from pydantic import Field

from fleet.api.conditions import Condition
from fleet.api.crd.openapi import object_schema
from fleet.api.objects import Model
from fleet.api.schema import FILLED, OBJECT, QUANTITY, REQUIRED, V1BETA1, InVersions, Rule, Schema


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Wheel(Model):
    """A part that turns."""

    size: int
    """In inches."""


class Cart(Model):
    """All that a field may be."""

    RULES: ClassVar = (
        Rule("has(self.name)", "name it"),
        Rule("self == oldSelf", "keep it", versions=("v1alpha1",)),
    )

    name: Annotated[str, REQUIRED, Schema(max_length=63)] = ""
    """What it is called."""
    wheels: Annotated[tuple[Wheel, ...], Schema(max_items=4, keys=("size",))] = ()
    """What it rolls on."""
    spare: Wheel | None = None
    colour: Annotated[Colour, FILLED] = Colour.BLUE
    """Of the paint."""
    pace: Literal["slow", "fast"] = "slow"
    """How it goes."""
    count: Annotated[int, Field(ge=1), FILLED] = 2
    """How many."""
    share: Annotated[int | str, Schema(pattern="^[0-9]+%$")] = "5%"
    """How much."""
    price: Decimal | None = None
    """In dollars."""
    made: datetime | None = None
    """When."""
    labels: Mapping[str, str] = {}
    """What it is known by."""
    capacity: Mapping[str, Annotated[str, QUANTITY]] = {}
    """What it holds."""
    anything: dict[str, Any] | None = None
    """Whatever."""
    load: tuple[Annotated[dict[str, Any], OBJECT], ...] = ()
    """Whole objects."""
    newer: Annotated[bool, V1BETA1] = False
    """Only in the newer version."""
    code: Annotated[str, Schema(max_length=9), InVersions(("v1",), Schema(pattern="^a"))] = ""
    """Held to more in one version."""
    conditions: tuple[Condition, ...] = ()
    """How it does."""


def field(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = object_schema(Cart, "v1beta1")["properties"][name]
    return schema


FIELDS: dict[str, dict[str, Any]] = {
    "name": {"description": "What it is called.", "type": "string", "maxLength": 63},
    "colour": {
        "description": "Of the paint.",
        "type": "string",
        "enum": ["red", "blue"],
        "default": "blue",
    },
    "pace": {"description": "How it goes.", "type": "string", "enum": ["slow", "fast"]},
    "count": {"description": "How many.", "type": "integer", "minimum": 1, "default": 2},
    "share": {
        "description": "How much.",
        "anyOf": [{"type": "integer"}, {"type": "string"}],
        "x-kubernetes-int-or-string": True,
        "pattern": "^[0-9]+%$",
    },
    "price": {"description": "In dollars.", "type": "string"},
    "made": {"description": "When.", "type": "string", "format": "date-time"},
    "labels": {
        "description": "What it is known by.",
        "type": "object",
        "additionalProperties": {"type": "string"},
    },
    "anything": {
        "description": "Whatever.",
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": True,
    },
    "load": {
        "description": "Whole objects.",
        "type": "array",
        "items": {
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": True,
            "x-kubernetes-embedded-resource": True,
        },
    },
    "wheels": {
        "description": "What it rolls on.",
        "type": "array",
        "maxItems": 4,
        "items": {
            "type": "object",
            "properties": {"size": {"description": "In inches.", "type": "integer"}},
            "required": ["size"],
        },
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["size"],
    },
}


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_becomes_a_schema(name: str) -> None:
    assert field(name) == FIELDS[name]


def test_a_quantity_is_a_number_or_text_with_a_unit() -> None:
    quantity = field("capacity")["additionalProperties"]
    assert quantity["x-kubernetes-int-or-string"]
    assert quantity["pattern"].startswith("^")


def test_a_part_is_described_by_its_class_where_its_field_says_nothing() -> None:
    assert field("spare")["description"] == "A part that turns."


def test_what_users_must_write_is_required_and_nothing_else() -> None:
    assert object_schema(Cart, "v1beta1")["required"] == ["name"]


def test_a_rule_of_the_class_is_a_rule_of_the_object() -> None:
    (rule,) = object_schema(Cart, "v1beta1")["x-kubernetes-validations"]
    assert rule == {"rule": "has(self.name)", "message": "name it"}


def test_a_field_of_one_version_is_in_no_other() -> None:
    assert "newer" in object_schema(Cart, "v1beta1")["properties"]
    assert "newer" not in object_schema(Cart, "v1")["properties"]


def test_a_version_may_be_held_to_more() -> None:
    newer = object_schema(Cart, "v1beta1")["properties"]["code"]
    older = object_schema(Cart, "v1")["properties"]["code"]
    assert newer == {
        "description": "Held to more in one version.",
        "type": "string",
        "maxLength": 9,
    }
    assert older == newer | {"pattern": "^a"}
    messages = [r["message"] for r in object_schema(Cart, "v1alpha1")["x-kubernetes-validations"]]
    assert messages == ["name it", "keep it"]


def test_conditions_are_a_map_by_type() -> None:
    assert field("conditions")["x-kubernetes-list-map-keys"] == ["type"]


def test_a_type_without_a_schema_is_named() -> None:
    class Odd(Model):
        odd: float = 0.5

    with pytest.raises(TypeError, match="float"):
        object_schema(Odd, "v1")
