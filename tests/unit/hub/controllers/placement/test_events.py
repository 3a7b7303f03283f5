"""Users hear of a placement's rollouts, and of what stands in their way, once each."""

import pytest

from fleet.api.placement import PlacementStatus
from hub.controllers.placement.events import told as heard
from tests.unit.hub.controllers.placement.test_status import STAGES, at, done, policy, start, told
from tests.unit.hub.world import condition

NEW = PlacementStatus()
PENDING, STARTED, APPLIED = told(at("us")), told(at("us", *done(1))), told(at("us", *done(4)))
COMPLETE = told(at("us", *done(len(STAGES))))
LACKING = told(policies=(policy("us", status="False"),))


def failed(stage: str, after: int) -> PlacementStatus:
    return told(at("us", *done(after, condition(stage, False))))


def reasons(old: PlacementStatus, new: PlacementStatus) -> list[str]:
    before = start().model_copy(update={"status": old})
    return [f"{h.reason}{'!' if h.warning else ''}" for h in heard(before, new)]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (NEW, PENDING, []),
        (NEW, LACKING, ["SchedulingPolicyFulfilled!"]),
        (LACKING, LACKING, []),
        (PENDING, STARTED, ["PlacementRolloutStarted"]),
        (STARTED, STARTED, []),
        (STARTED, failed("Applied", 3), ["ApplyFailed!"]),
        (STARTED, failed("Overridden", 1), ["OverriddenFailed!"]),
        (failed("Applied", 3), APPLIED, ["PlacementApplied"]),
        (APPLIED, COMPLETE, ["PlacementRolloutCompleted"]),
        (COMPLETE, failed("Available", 4), ["ResourceNotAvailableYet!"]),
        (COMPLETE, COMPLETE, []),
    ],
)
def test_each_turn_is_told(old: PlacementStatus, new: PlacementStatus, expected: list[str]) -> None:
    assert reasons(old, new) == expected


def test_a_rollout_of_another_snapshot_is_told_though_no_condition_was_seen_to_turn() -> None:
    later = COMPLETE.model_copy(update={"observed_resource_index": "7"})
    (happening,) = heard(start().model_copy(update={"status": COMPLETE}), later)
    assert happening.reason == "PlacementRolloutStarted"
    assert happening.message.endswith(": resource snapshot 7")
