"""Decide which binding gets which resources, and which may go. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fleet.api.binding import Binding, BindingState
from fleet.api.placement import Placement, PlacementType
from fleet.api.snapshot import PolicySnapshot
from fleet.engine.portions import portion
from fleet.engine.snapshots import Group, demands_digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """All that `plan` may look at, read once at the start of the reconcile."""

    placement: Placement | None
    latest: Group | None
    policies: tuple[PolicySnapshot, ...] = ()
    policy: PolicySnapshot | None = None
    """The latest of them."""
    bindings: tuple[Binding, ...] = ()
    silent: frozenset[str] = frozenset()
    """Clusters whose heartbeats have stopped."""
    gone: frozenset[str] = frozenset()
    """Clusters that have left the fleet, and their Works with them."""


@dataclass(frozen=True, slots=True)
class Advance:
    """Give a binding the latest resources."""

    binding: Binding
    snapshot: str


@dataclass(frozen=True, slots=True)
class Delete:
    binding: Binding


@dataclass(frozen=True, slots=True)
class Report:
    """Say on a binding that its resources are the latest."""

    binding: Binding


Action = Advance | Delete | Report


@dataclass(frozen=True, slots=True)
class Plan:
    actions: tuple[Action, ...] = ()


def plan(observed: Observed) -> Plan:
    """Give each binding in use the newest resources at once, and let go of what is replaced."""
    placement = observed.placement
    if placement is None or placement.deleting or placement.spec.strategy.type == "External":
        return Plan()
    return Plan((*_advance(observed), *_let_go(observed, placement)))


def _advance(observed: Observed) -> Iterator[Action]:
    latest = observed.latest
    if latest is None:
        return
    for binding in observed.bindings:
        if not binding.in_use or not _decided_for(binding, latest, observed.policies):
            continue
        given = binding.spec.resource_snapshot_name == latest.master.name
        if not given or binding.spec.state is not BindingState.BOUND:
            yield Advance(binding, latest.master.name)
        elif not binding.true_now("RolloutStarted"):
            yield Report(binding)


def _decided_for(binding: Binding, latest: Group, policies: Sequence[PolicySnapshot]) -> bool:
    """Say whether the binding's allocations were decided for what these resources demand."""
    name = binding.spec.scheduling_policy_snapshot_name
    policy = next((policy for policy in policies if policy.name == name), None)
    return demands_digest(policy.spec.demands if policy else ()) == latest.demands


def _let_go(observed: Observed, placement: Placement) -> Iterator[Action]:
    """Delete what is chosen no more, as far as what is there already makes up for it."""
    leaving = [b for b in observed.bindings if _unscheduled(b)]
    empty = [b for b in leaving if _holds_nothing(b, observed)]
    yield from map(Delete, empty)
    rest = [binding for binding in leaving if binding not in empty]
    if observed.policy is not None and observed.policy.spec.demands:
        yield from map(Delete, rest if _replaced(observed) else ())
        return
    free = [b for b in rest if not available(b) and b.spec.target_cluster not in observed.silent]
    yield from map(Delete, free)
    ready = sorted((b for b in rest if available(b)), key=lambda b: b.spec.target_cluster)
    yield from map(Delete, ready[: max(0, _spare(observed, placement))])


def _holds_nothing(binding: Binding, observed: Observed) -> bool:
    return not binding.spec.resource_snapshot_name or binding.spec.target_cluster in observed.gone


def _replaced(observed: Observed) -> bool:
    """A workload moves surge-first: the new must be as many as wanted, and available."""
    in_use = [binding for binding in observed.bindings if binding.in_use]
    wanted = observed.policy.limit if observed.policy else None
    ready = sum(map(available, in_use))
    return ready >= (len(in_use) if wanted is None else wanted)


def _spare(observed: Observed, placement: Placement) -> int:
    """Count the ready bindings above those that must stay ready, by KubeFleet's formula."""
    ready = sum(available(b) for b in observed.bindings if not b.deleting)
    wanted = _wanted(observed, placement)
    rolling = placement.spec.strategy.rolling_update
    unavailable = portion(rolling.max_unavailable if rolling else "25%", wanted)
    return ready - (wanted - unavailable)


def _wanted(observed: Observed, placement: Placement) -> int:
    policy = placement.policy
    match policy.placement_type:
        case PlacementType.PICK_N:
            return policy.number_of_clusters or 0
        case PlacementType.PICK_FIXED:
            return len(policy.cluster_names)
        case PlacementType.PICK_ALL:
            return sum(binding.in_use for binding in observed.bindings)


def _unscheduled(binding: Binding) -> bool:
    return binding.spec.state is BindingState.UNSCHEDULED and not binding.deleting


def available(binding: Binding) -> bool:
    return binding.true_now("Available")
