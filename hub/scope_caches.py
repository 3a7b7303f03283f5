"""What the hub knows of the objects of one scope, and how they are found by their placement."""

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from fleet.api import names
from fleet.api.binding import Binding
from fleet.api.objects import Key
from fleet.api.placement import Placement
from fleet.api.snapshot import PolicySnapshot, Snapshot
from fleet.kube.cache import Cache
from hub.scope import Scope

BY_PLACEMENT = "placement"
"""Index of snapshots and bindings: the placement's key as text."""


class ScopeCaches(NamedTuple):
    placements: Cache[Placement]
    policies: Cache[PolicySnapshot]
    resources: Cache[Snapshot]
    bindings: Cache[Binding]


def caches(scope: Scope) -> ScopeCaches:
    by_placement = {BY_PLACEMENT: _parent_of}
    return ScopeCaches(
        placements=Cache(scope.placement),
        policies=Cache(scope.policy, indices=by_placement),
        resources=Cache(scope.resources, indices=by_placement),
        bindings=Cache(scope.binding, indices=by_placement),
    )


class Labelled(Protocol):
    """Metadata, of a parsed object or of one that is still JSON."""

    @property
    def namespace(self) -> str: ...
    @property
    def labels(self) -> "dict[str, str]": ...


def _parent_of(metadata: Labelled) -> Iterable[str]:
    name = metadata.labels.get(names.PARENT)
    return (str(Key(metadata.namespace, name)),) if name else ()
