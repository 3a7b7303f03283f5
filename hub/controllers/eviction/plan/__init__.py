"""Decide whether a placement may be taken off a cluster, by KubeFleet's rules and words. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from fleet.api.binding import Binding, BindingState
from fleet.api.conditions import Condition, find
from fleet.api.eviction import (
    ClusterResourcePlacementDisruptionBudget,
    ClusterResourcePlacementEviction,
    DisruptionBudgetSpec,
)
from fleet.api.placement import Placement, PlacementType
from fleet.engine.portions import portion
from hub.controllers.eviction.plan.wording import Said, by_budget

VALID: Final = "Valid"
EXECUTED: Final = "Executed"
STAGES: Final = ("Overridden", "WorkSynchronized", "Applied", "Available")
ON_THE_WAY: Final = frozenset(
    {"OverriddenPending", "WorkNotSynchronizedYet", "ApplyPending", "ResourceNotAvailableYet"}
)
"""Reasons for which a stage is not reached and has not failed either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """All that the server has of it at one moment: what is decided is decided for good."""

    eviction: ClusterResourcePlacementEviction
    placement: Placement | None
    bindings: tuple[Binding, ...] = ()
    """Of the placement, on all clusters."""
    budget: ClusterResourcePlacementDisruptionBudget | None = None


@dataclass(frozen=True, slots=True)
class Invalid:
    message: str


@dataclass(frozen=True, slots=True)
class Blocked:
    message: str


@dataclass(frozen=True, slots=True)
class Evict:
    message: str
    binding: Binding | None = None
    """What is deleted; None where it goes already."""


Verdict = Invalid | Blocked | Evict


def decided(eviction: ClusterResourcePlacementEviction) -> bool:
    """Say whether an eviction has had its one answer."""
    valid = find(eviction.status.conditions, VALID)
    refused = valid is not None and _now(valid, eviction.metadata.generation) and valid.false
    return refused or find(eviction.status.conditions, EXECUTED) is not None


def plan(observed: Observed) -> Verdict:
    placement, cluster = observed.placement, observed.eviction.spec.cluster_name
    if placement is None:
        return Invalid(Said.NO_PLACEMENT)
    if placement.deleting:
        return Invalid(Said.LEAVING)
    if placement.policy.placement_type is PlacementType.PICK_FIXED:
        return Invalid(Said.FIXED)
    here = [binding for binding in observed.bindings if binding.spec.target_cluster == cluster]
    if len(here) != 1:
        return Invalid(Said.SEVERAL if here else Said.NOT_THERE)
    return _execute(observed, placement, here[0])


def _execute(observed: Observed, placement: Placement, binding: Binding) -> Verdict:
    if binding.deleting:
        return Evict(Said.GOING)
    if binding.chosen_state is not BindingState.BOUND:
        return Blocked(Said.NOT_ARRIVED)
    if _failed(binding) or _compared(binding):
        return Evict(Said.FAILED, binding)
    if observed.budget is None:
        return Evict(Said.NO_BUDGET, binding)
    return _within(observed.budget.spec, observed, placement, binding)


def _within(
    budget: DisruptionBudgetSpec, observed: Observed, placement: Placement, binding: Binding
) -> Verdict:
    all_picked = placement.policy.placement_type is PlacementType.PICK_ALL
    if all_picked and _wrong_for_all(budget):
        return Blocked(Said.WRONG_BUDGET)
    total, available = len(observed.bindings), sum(map(_available, observed.bindings))
    wanted = 0 if all_picked else placement.policy.number_of_clusters or 0
    allowed = _spare(budget, wanted, total, available) > 0
    message = by_budget(allowed=allowed, available=available, total=total)
    return Evict(message, binding) if allowed else Blocked(message)


def _wrong_for_all(budget: DisruptionBudgetSpec) -> bool:
    """How many clusters all are is known only while they are there."""
    return budget.max_unavailable is not None or isinstance(budget.min_available, str)


def _spare(budget: DisruptionBudgetSpec, wanted: int, total: int, available: int) -> int:
    if budget.max_unavailable is not None:
        return portion(budget.max_unavailable, wanted) - (total - available)
    if budget.min_available is not None:
        return available - portion(budget.min_available, wanted)
    return 0


def _failed(binding: Binding) -> bool:
    return any(said.false and said.reason not in ON_THE_WAY for said in _said(binding, *STAGES))


def _compared(binding: Binding) -> bool:
    """Say whether the placement only reports differences: nothing of it runs there."""
    return any(_said(binding, "DiffReported"))


def _available(binding: Binding) -> bool:
    return binding.true_now("Available")


def _said(binding: Binding, *kinds: str) -> Iterator[Condition]:
    for kind in kinds:
        said = find(binding.status.conditions, kind)
        if said is not None and _now(said, binding.metadata.generation):
            yield said


def _now(said: Condition, generation: int) -> bool:
    return said.observed_generation == generation
