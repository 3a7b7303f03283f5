"""What the placement controller sees, and what it may do about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fleet.api.binding import Binding
from fleet.api.placement import Placement
from fleet.api.scope import Scope
from fleet.api.snapshot import Demand, PolicySnapshot, Snapshot


@dataclass(frozen=True, slots=True)
class Content:
    """What a placement selects: manifests in order, and what they demand."""

    manifests: tuple[dict[str, Any], ...] = ()
    demands: tuple[Demand, ...] = ()
    generations: Mapping[str, int] = field(default_factory=dict)
    """Of the workloads on the hub, by `Kind/namespace/name`."""
    resource_hash: str = ""


@dataclass(frozen=True, slots=True)
class Invalid:
    """Why nothing new can be made of a placement; what runs goes on as it was."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """All that `plan` and `status` may look at, read once at the start of the reconcile."""

    scope: Scope
    name: str
    placement: Placement | None
    content: Content | Invalid
    policies: tuple[PolicySnapshot, ...] = ()
    resources: tuple[Snapshot, ...] = ()
    bindings: tuple[Binding, ...] = ()
    kept_for_runs: frozenset[int] = frozenset()
    """Indices of resource snapshots that update runs are about to give."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Keep the placement until what was made from it is gone."""

    placement: Placement
    finalizer: str


@dataclass(frozen=True, slots=True)
class Release:
    placement: Placement
    finalizer: str


@dataclass(frozen=True, slots=True)
class Create:
    snapshot: Snapshot | PolicySnapshot


@dataclass(frozen=True, slots=True)
class Demote:
    """Say of a snapshot that it is the latest no more."""

    snapshot: Snapshot | PolicySnapshot


@dataclass(frozen=True, slots=True)
class Annotate:
    """Set annotations that stand beside what a snapshot holds."""

    snapshot: Snapshot | PolicySnapshot
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Delete:
    snapshot: Snapshot | PolicySnapshot


Action = Hold | Release | Create | Demote | Annotate | Delete


@dataclass(frozen=True, slots=True)
class Plan:
    """Actions of `first` depend on nothing, those of `then` on all of `first`."""

    first: tuple[Action, ...] = ()
    then: tuple[Action, ...] = ()
