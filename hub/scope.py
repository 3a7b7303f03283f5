"""The two scopes of a placement: one code path serves both.

Each controller is made once for each scope and has a queue of its own there, so that its keys are
plain `Key`s: of a cluster-scoped placement without a namespace, of the other kind with one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from fleet.api import names
from fleet.api.binding import Binding, ClusterResourceBinding, ResourceBinding
from fleet.api.objects import Key, Resource
from fleet.api.placement import ClusterResourcePlacement, Placement, ResourcePlacement
from fleet.api.snapshot import (
    ClusterResourceSnapshot,
    ClusterSchedulingPolicySnapshot,
    PolicySnapshot,
    ResourceSnapshot,
    SchedulingPolicySnapshot,
    Snapshot,
)
from fleet.kube.cache import Cache

BY_PLACEMENT = "placement"
"""Index of snapshots and bindings: the placement's key as text."""


@dataclass(frozen=True, slots=True)
class Scope:
    placement: type[Placement]
    policy: type[PolicySnapshot]
    resources: type[Snapshot]
    binding: type[Binding]
    cleanup: str
    """The finalizer under which a placement waits for what was made from it."""

    @property
    def prefix(self) -> str:
        """Begins the types of the placement's own conditions, as KubeFleet names them."""
        return self.placement.kind()

    @property
    def namespaced(self) -> bool:
        return self.placement.NAMESPACED


CLUSTER = Scope(
    ClusterResourcePlacement,
    ClusterSchedulingPolicySnapshot,
    ClusterResourceSnapshot,
    ClusterResourceBinding,
    names.CRP_CLEANUP,
)
NAMESPACED = Scope(
    ResourcePlacement,
    SchedulingPolicySnapshot,
    ResourceSnapshot,
    ResourceBinding,
    names.RP_CLEANUP,
)


class Labelled(Protocol):
    """Metadata, of a parsed object or of one that is still JSON."""

    @property
    def namespace(self) -> str: ...
    @property
    def labels(self) -> "dict[str, str]": ...


def parent(resource: Resource) -> Key:
    """Name the placement that a snapshot or binding is made from."""
    return Key(resource.namespace, resource.metadata.labels.get(names.PARENT, ""))


def _parent_of(metadata: Labelled) -> Iterable[str]:
    name = metadata.labels.get(names.PARENT)
    return (str(Key(metadata.namespace, name)),) if name else ()


class ScopeCaches(NamedTuple):
    """What the hub knows of one scope."""

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
