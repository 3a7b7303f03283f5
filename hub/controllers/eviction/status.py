"""Say what became of an eviction, in KubeFleet's conditions. Pure."""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum

from fleet.api.conditions import Condition, ConditionStatus
from fleet.api.eviction import ClusterResourcePlacementEviction, EvictionStatus
from hub.controllers.eviction.plan import EXECUTED, VALID, Blocked, Evict, Invalid, Verdict
from hub.controllers.eviction.plan.wording import Said


class Reason(StrEnum):
    VALID = "ClusterResourcePlacementEvictionValid"
    INVALID = "ClusterResourcePlacementEvictionInvalid"
    EXECUTED = "ClusterResourcePlacementEvictionExecuted"
    NOT_EXECUTED = "ClusterResourcePlacementEvictionNotExecuted"


def report(
    eviction: ClusterResourcePlacementEviction, verdict: Verdict, *, now: datetime
) -> EvictionStatus:
    said = (
        Condition(
            type=kind,
            status=ConditionStatus.of(truth),
            reason=reason,
            message=message,
            observed_generation=eviction.metadata.generation,
            last_transition_time=now,
        )
        for kind, truth, reason, message in _facts(verdict)
    )
    return EvictionStatus(conditions=tuple(said))


def _facts(verdict: Verdict) -> Iterator[tuple[str, bool, Reason, str]]:
    if isinstance(verdict, Invalid):
        yield VALID, False, Reason.INVALID, verdict.message
        return
    yield VALID, True, Reason.VALID, Said.VALID
    match verdict:
        case Blocked(message):
            yield EXECUTED, False, Reason.NOT_EXECUTED, message
        case Evict(message):
            yield EXECUTED, True, Reason.EXECUTED, message
