"""What scheduling sees, and what it may do about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fleet.api.binding import Allocation, Binding, ClusterDecision
from fleet.api.happenings import Happening
from fleet.api.placement import Placement
from fleet.api.snapshot import PolicySnapshot
from fleet.engine.ask import Ask
from fleet.engine.fleet import Fleet
from fleet.engine.ledger import Pending


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """All that `plan` may look at, read once at the start of the reconcile."""

    placement: Placement | None
    snapshot: PolicySnapshot | None
    bindings: tuple[Binding, ...]
    binding_kind: type[Binding]
    ask: Ask | None
    """What the placement asks for; None where there is no policy to ask by."""
    fleet: Fleet
    pending: tuple[Pending, ...] = ()
    """What others were promised."""
    strays: tuple[Binding, ...] = ()
    """Bindings of a placement that had this name before."""
    astray: tuple[Binding, ...] = ()
    """Bindings that somebody labelled with this name, and that were made for another."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Keep the placement until its bindings are gone."""

    placement: Placement


@dataclass(frozen=True, slots=True)
class Release:
    placement: Placement


@dataclass(frozen=True, slots=True)
class Create:
    binding: Binding
    told: Happening
    """What users hear of it."""


@dataclass(frozen=True, slots=True)
class Change:
    """Make of a binding what it should be, from what was seen."""

    old: Binding
    new: Binding
    told: tuple[Happening, ...] = ()


@dataclass(frozen=True, slots=True)
class Delete:
    binding: Binding


@dataclass(frozen=True, slots=True)
class LetGo:
    """Take our finalizer off a binding that is being deleted."""

    binding: Binding


@dataclass(frozen=True, slots=True)
class Announce:
    """Tell users why nothing moves."""

    told: Happening


Action = Hold | Release | Create | Change | Delete | LetGo | Announce


@dataclass(frozen=True, slots=True)
class Outcome:
    """A decision for each cluster, and what the policy still lacks."""

    chosen: tuple[ClusterDecision, ...] = ()
    others: tuple[ClusterDecision, ...] = ()
    lacking: str = ""
    """Empty where the policy is fulfilled."""
    stands: bool = False
    """Whether all was chosen before: the others are then as they were judged at that time."""


@dataclass(frozen=True, slots=True)
class Plan:
    actions: tuple[Action, ...] = ()
    outcome: Outcome | None = None
    taken: Mapping[str, tuple[Allocation, ...]] = field(default_factory=dict)
    """What each chosen cluster is promised for."""
    settled: bool = True
    """Whether more room anywhere would change nothing."""
    again_in_seconds: float | None = None
    """When the passing of time alone may change the decision."""
