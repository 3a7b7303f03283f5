"""What the API server holds a field to, noted beside the field; read when CRDs are generated."""

from dataclasses import dataclass
from typing import Any, Final

PRESETS: Final = "$presets"
"""Stands in rules and descriptions for the names that the catalogue knows."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A validation rule in CEL, and what a user reads who breaks it."""

    rule: str
    message: str
    field: str = ""
    """The field below that is to blame, where it is not the value itself."""
    words: str = ""
    """The message as an expression, where it quotes what was written."""
    versions: tuple[str, ...] = ()
    """The versions that have the rule of a whole model; empty is all of them."""


@dataclass(frozen=True, slots=True)
class Schema:
    """Goes into `Annotated`; what pydantic checks on reading stays in `Field`."""

    filled: bool = False
    """The server fills in the field's default."""
    required: bool = False
    """Users must write it, though we read objects without it."""
    any_value: bool = False
    """Users may write what we do not know, which then we do not read."""
    enum: tuple[str, ...] = ()
    """The values, or the order in which the server names those of a type."""
    minimum: int | None = None
    maximum: int | None = None
    min_items: int | None = None
    max_items: int | None = None
    min_properties: int | None = None
    max_properties: int | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str = ""
    format: str = ""
    embedded: bool = False
    """A whole object of any kind."""
    free: bool = False
    """Fields that we do not name are kept too."""
    quantity: bool = False
    """A Kubernetes quantity: `500m`, `16Gi`."""
    keys: tuple[str, ...] = ()
    """What tells the items of a list apart; without any a list is replaced as a whole."""
    versions: tuple[str, ...] = ()
    """The versions that have the field; empty is all of them."""
    rules: tuple[Rule, ...] = ()
    default: Any = None
    """What the server fills in where it is not the field's own default."""


@dataclass(frozen=True, slots=True)
class InVersions:
    """What a field is held to in some versions only."""

    versions: tuple[str, ...]
    note: Schema


ALPHA: Final = ("v1alpha1",)
STABLE: Final = ("v1", "v1beta1")
NAME: Final = Schema(max_length=253)
LABEL: Final = Schema(max_length=63)
LABEL_KEY: Final = Schema(max_length=316)
LIST: Final = Schema(max_items=100)
FILLED: Final = Schema(filled=True)
INT32: Final = Schema(format="int32")
INT64: Final = Schema(format="int64")
REQUIRED: Final = Schema(required=True)
V1BETA1: Final = Schema(versions=("v1beta1",))
MONEY: Final = Schema(max_length=32, pattern=r"^[0-9]+(\.[0-9]+)?$")
QUANTITY: Final = Schema(quantity=True)
OBJECT: Final = Schema(embedded=True)
DNS_LABEL: Final = Rule(
    "size(self.metadata.name) <= 63 && !self.metadata.name.contains('.')",
    "metadata.name must be a DNS label: at most 63 characters, and no dot",
)
