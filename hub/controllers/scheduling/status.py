"""Report an outcome as the status of the policy snapshot. Pure."""

from datetime import datetime
from enum import StrEnum

from fleet.api.binding import ClusterDecision
from fleet.api.conditions import Condition, ConditionStatus, since
from fleet.api.names import CRP_GENERATION
from fleet.api.snapshot import PolicySnapshot, PolicySnapshotStatus
from hub.controllers.scheduling.plan.actions import Outcome


class Reason(StrEnum):
    FULFILLED = "SchedulingPolicyFulfilled"
    UNFULFILLED = "SchedulingPolicyUnfulfilled"


def report(
    snapshot: PolicySnapshot, outcome: Outcome, *, now: datetime
) -> PolicySnapshotStatus | None:
    """Say what was decided, or None where the snapshot says so already."""
    old = snapshot.status
    condition = since(old.conditions, _scheduled(outcome, snapshot.metadata.generation, now))
    new = PolicySnapshotStatus(
        observed_crp_generation=int(snapshot.metadata.annotations.get(CRP_GENERATION, 0)),
        conditions=(condition,),
        target_clusters=_targets(outcome, old.target_clusters),
    )
    same = new == old.model_copy(update={"conditions": new.conditions})
    return None if same and condition in old.conditions else new


def _targets(outcome: Outcome, old: tuple[ClusterDecision, ...]) -> tuple[ClusterDecision, ...]:
    before = tuple(decision for decision in old if decision.selected)
    return (
        old if outcome.stands and before == outcome.chosen else (*outcome.chosen, *outcome.others)
    )


def _scheduled(outcome: Outcome, generation: int, now: datetime) -> Condition:
    lacks = bool(outcome.lacking)
    found = f"found {len(outcome.chosen)} clusters that fulfil the policy"
    return Condition(
        type="Scheduled",
        status=ConditionStatus.FALSE if lacks else ConditionStatus.TRUE,
        reason=Reason.UNFULFILLED if lacks else Reason.FULFILLED,
        message=outcome.lacking or found,
        observed_generation=generation,
        last_transition_time=now,
    )
