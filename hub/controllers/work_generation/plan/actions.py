"""What work generation sees, and what it may do about it."""

from dataclasses import dataclass

from fleet.api.binding import Binding
from fleet.api.ending import Ending
from fleet.api.placement import Placement
from fleet.api.snapshot import PolicySnapshot
from fleet.api.work import Work
from fleet.engine.snapshots import Group


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """All that `plan` and `status` may look at, read once at the start of the reconcile."""

    binding: Binding | None
    placement: Placement | None = None
    group: Group | None = None
    """The resource snapshot that the binding was given."""
    policy: PolicySnapshot | None = None
    """The policy snapshot that the binding was decided by."""
    works: tuple[Work, ...] = ()
    member: bool = True
    """Whether the cluster takes Works: it is in the fleet, and does not leave."""
    leaving: bool = False
    """The cluster leaves the fleet: its workloads stay, and its Works go with its namespace."""
    silent: bool = False
    ending: Ending = Ending.OWN
    """Of a binding that is gone or being deleted; its Works stay where it goes with its kind."""

    @property
    def external(self) -> bool:
        """Whether update runs decide which resources the binding has."""
        return self.placement is not None and self.placement.spec.strategy.type == "External"


@dataclass(frozen=True, slots=True)
class Hold:
    """Keep the binding until its Works are gone."""

    binding: Binding


@dataclass(frozen=True, slots=True)
class Release:
    binding: Binding


@dataclass(frozen=True, slots=True)
class Create:
    work: Work


@dataclass(frozen=True, slots=True)
class Change:
    """Make an existing Work like another."""

    old: Work
    new: Work


@dataclass(frozen=True, slots=True)
class Delete:
    work: Work


Action = Hold | Release | Create | Change | Delete


@dataclass(frozen=True, slots=True)
class Plan:
    actions: tuple[Action, ...] = ()
    wanted: tuple[Work, ...] | None = None
    """The Works that carry out the binding; None where they stay as they are for now."""
