"""What differs between two snapshots of a placement: objects, and fields of those in both. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from typing_extensions import override

_PLAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
Manifest = Mapping[str, Any]


class How(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Field:
    """A field that differs; None is absence."""

    path: str
    before: Any
    after: Any
    secret: bool = False
    """Whether its values are nobody's business."""

    def document(self) -> dict[str, Any]:
        values = {} if self.secret else {"before": self.before, "after": self.after}
        return {"path": self.path, **values}


@dataclass(frozen=True, slots=True, order=True)
class Identity:
    kind: str
    namespace: str
    name: str

    @classmethod
    def of(cls, manifest: Manifest) -> "Identity":
        metadata = manifest.get("metadata", {})
        return cls(
            str(manifest.get("kind", "")),
            str(metadata.get("namespace", "")),
            str(metadata.get("name", "")),
        )

    @override
    def __str__(self) -> str:
        return f"{self.kind} {f'{self.namespace}/' if self.namespace else ''}{self.name}"


@dataclass(frozen=True, slots=True)
class Change:
    """What became of an object."""

    identity: Identity
    how: How
    fields: tuple[Field, ...] = ()

    def document(self) -> dict[str, Any]:
        return {
            "kind": self.identity.kind,
            "namespace": self.identity.namespace,
            "name": self.identity.name,
            "change": str(self.how),
            "fields": [field.document() for field in self.fields],
        }


def changes(before: Iterable[Manifest], after: Iterable[Manifest]) -> Iterator[Change]:
    """Compare object by object, in the order of kinds and names."""
    old = {(m.get("apiVersion"), Identity.of(m)): m for m in before}
    new = {(m.get("apiVersion"), Identity.of(m)): m for m in after}
    for key in sorted(old.keys() | new.keys(), key=lambda key: (key[1], str(key[0]))):
        if key not in old:
            yield Change(key[1], How.ADDED)
        elif key not in new:
            yield Change(key[1], How.REMOVED)
        elif fields := tuple(_fields(old[key], new[key], "", secret=False)):
            yield Change(key[1], How.CHANGED, fields)


def _fields(before: Any, after: Any, path: str, *, secret: bool) -> Iterator[Field]:
    if before == after:
        return
    secret = secret or _is_secret(before) or _is_secret(after)
    old, new = _parts(before, after), _parts(after, before)
    if old is None or new is None:
        yield Field(path, before, after, secret)
        return
    for key in sorted(old.keys() | new.keys()):
        at = key if key.startswith("[") or not path else f".{key}"
        yield from _fields(old.get(key), new.get(key), f"{path}{at}", secret=secret)


def _is_secret(value: Any) -> bool:
    """Notice a Secret, in an envelope too."""
    return isinstance(value, Mapping) and value.get("kind") == "Secret"


def _parts(value: Any, other: Any) -> dict[str, Any] | None:
    """Take a value apart as it is to be compared with another; None where it is one piece."""
    match value, other:
        case Mapping(), Mapping():
            return {_name(str(key)): part for key, part in value.items()}
        case list(), list() if _named(value) and _named(other):
            return {f"[{part['name']}]": part for part in value}
        case list(), list() if len(value) == len(other):
            return {f"[{place}]": part for place, part in enumerate(value)}
        case _:
            return None


def _name(key: str) -> str:
    return key if set(key) <= _PLAIN else f"[{key}]"


def _named(parts: list[Any]) -> bool:
    """Say whether a list is one of things with names of their own, such as containers."""
    names = [part.get("name") for part in parts if isinstance(part, Mapping)]
    return len(names) == len(parts) == len(set(names)) and None not in names
