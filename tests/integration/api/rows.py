"""Rows of a table: an object, or a change of one, and what the API server says to it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from typing_extensions import override

from fleet.api.crd.kinds import KINDS, Kind
from fleet.kube.resources import ApiResource

TAKEN: Final = ""
STABLE: Final = ("v1", "v1beta1")
YOUNG: Final = ("v1alpha1", "v1beta1")
KNOWN: Final[Mapping[str, Kind]] = {kind.model.kind(): kind for kind in KINDS}
"""By the kind's name; ModelDeployment, of two groups, is in no table."""

Manifest = dict[str, Any]
Case = tuple[str, Manifest, str]
"""What it is, its fields, and words of the refusal."""
Change = tuple[str, Manifest, Manifest, str]
"""The same with the fields before, and those that change."""


@dataclass(frozen=True, slots=True)
class Row:
    what: str
    manifest: Manifest
    said: str = TAKEN
    """Words of the server's refusal; TAKEN where it takes the object."""
    change: Mapping[str, Any] | None = None
    """A merge patch: the object itself is taken, and the server speaks of this."""
    subresource: str = ""

    @override
    def __str__(self) -> str:
        version = self.manifest["apiVersion"].rpartition("/")[2]
        return f"{self.manifest['kind']} {version}: {self.what}"


def written(kind: str, version: str, spec: Manifest, name: str = "tried") -> Manifest:
    """Write an object as a user would."""
    return bare(kind, version, name) | {"spec": spec}


def bare(kind: str, version: str, name: str = "tried") -> Manifest:
    model = KNOWN[kind].model
    metadata = {"name": name} | ({"namespace": "default"} if model.NAMESPACED else {})
    return {"apiVersion": f"{model.group()}/{version}", "kind": kind, "metadata": metadata}


def resource(manifest: Manifest) -> ApiResource:
    model = KNOWN[manifest["kind"]].model
    return ApiResource(manifest["apiVersion"], model.kind(), model.plural(), model.NAMESPACED)


def specs(kind: str, version: str, cases: Iterable[Case], base: Manifest) -> Iterator[Row]:
    """Make rows of specs; fields that are None are left out."""
    for what, fields, said in cases:
        yield Row(what, written(kind, version, base | fields), said)


def changes(kind: str, version: str, cases: Iterable[Change], base: Manifest) -> Iterator[Row]:
    """Make rows of changes of a spec."""
    for what, old, new, said in cases:
        yield Row(what, written(kind, version, base | old), said, {"spec": new})
