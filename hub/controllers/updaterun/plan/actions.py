"""What a run sees, and what it may do about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from fleet.api.binding import Binding
from fleet.api.placement import ApplyStrategy, Placement
from fleet.api.snapshot import PolicySnapshot
from fleet.api.staged_update import Approval, UpdateRun, UpdateRunStatus, UpdateStrategy
from fleet.engine.snapshots import Group


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """All that `plan` may look at, read once at the start of the reconcile."""

    run: UpdateRun | None
    now: datetime
    approval_kind: type[Approval]
    placement: Placement | None = None
    policy: PolicySnapshot | None = None
    """The latest policy snapshot of the placement."""
    strategy: UpdateStrategy | None = None
    groups: tuple[Group, ...] = ()
    """The resource snapshots of the placement, the lowest index first."""
    current: bool = True
    """Whether the newest of them holds what the placement selects now."""
    bindings: tuple[Binding, ...] = ()
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Of the clusters of these bindings, as far as they are in the fleet."""
    approvals: tuple[Approval, ...] = ()
    """Those that the run asked for, and those that have the name of one that it will ask for."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Keep the run until what it asked for is gone."""

    run: UpdateRun


@dataclass(frozen=True, slots=True)
class Release:
    run: UpdateRun


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask people for their word."""

    run: UpdateRun
    approval: Approval


@dataclass(frozen=True, slots=True)
class Accept:
    """Say on an approval that it counts and can be taken back no more."""

    approval: Approval


@dataclass(frozen=True, slots=True)
class Withdraw:
    approval: Approval


@dataclass(frozen=True, slots=True)
class Give:
    """Give a binding the resources of the run; what says so is the next step's.

    Another cluster need not wait until that is written.
    """

    binding: Binding
    snapshot: str
    apply_strategy: ApplyStrategy | None


@dataclass(frozen=True, slots=True)
class Report:
    """Say on a binding that it has the resources of the run."""

    binding: Binding
    message: str


@dataclass(frozen=True, slots=True)
class Remove:
    """Delete the binding of a cluster that is chosen no more."""

    binding: Binding


Action = Hold | Release | Ask | Accept | Withdraw | Give | Report | Remove


@dataclass(frozen=True, slots=True)
class Plan:
    """Actions of `first` depend on nothing, those of `then` on all of `first`."""

    first: tuple[Action, ...] = ()
    then: tuple[Action, ...] = ()
    status: UpdateRunStatus | None = None
    """What to say of the run when all of them are done; None where it stays as it is."""
    again_in_seconds: float | None = None
    """When the passing of time alone may change something."""
