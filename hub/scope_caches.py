"""What the hub knows of the objects of one scope, and how they are found by their placement."""

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from fleet.api import names
from fleet.api.binding import Binding
from fleet.api.objects import Key
from fleet.api.placement import Placement
from fleet.api.scope import Scope
from fleet.api.snapshot import PolicySnapshot, Snapshot
from fleet.api.staged_update import Approval, UpdateRun, UpdateStrategy
from fleet.kube.cache import Cache

BY_PLACEMENT = "placement"
"""Index of snapshots and bindings: the placement's key as text."""
BY_NAMESPACE_LOST = "lost"
"""Index of bindings without the label of a placement: their namespace."""
BY_RUN = "run"
"""Index of approvals: the key of the run that asks, as text."""


class ScopeCaches(NamedTuple):
    placements: Cache[Placement]
    policies: Cache[PolicySnapshot]
    resources: Cache[Snapshot]
    bindings: Cache[Binding]
    runs: Cache[UpdateRun]
    strategies: Cache[UpdateStrategy]
    approvals: Cache[Approval]


def caches(scope: Scope) -> ScopeCaches:
    by_placement = {BY_PLACEMENT: _parent_of}
    return ScopeCaches(
        placements=Cache(scope.placement),
        policies=Cache(scope.policy, indices=by_placement),
        resources=Cache(scope.resources, indices=by_placement),
        bindings=Cache(scope.binding, indices=by_placement | {BY_NAMESPACE_LOST: _lost_in}),
        runs=Cache(scope.run),
        strategies=Cache(scope.strategy),
        approvals=Cache(scope.approval, indices={BY_RUN: _run_of}),
    )


class Labelled(Protocol):
    """Metadata, of a parsed object or of one that is still JSON."""

    @property
    def namespace(self) -> str: ...
    @property
    def labels(self) -> "dict[str, str]": ...


def _parent_of(metadata: Labelled) -> Iterable[str]:
    return _labelled(metadata, names.PARENT)


def _lost_in(metadata: Labelled) -> Iterable[str]:
    return () if metadata.labels.get(names.PARENT) else (metadata.namespace,)


def _run_of(metadata: Labelled) -> Iterable[str]:
    return _labelled(metadata, names.TARGET_UPDATE_RUN)


def _labelled(metadata: Labelled, label: str) -> Iterable[str]:
    name = metadata.labels.get(label)
    return (str(Key(metadata.namespace, name)),) if name else ()
