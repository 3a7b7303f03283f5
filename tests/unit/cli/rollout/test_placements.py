"""What is said of a placement that the hub rolls out by itself: a table of its bindings."""

import pytest

from cli.rollout.placements import report
from cli.rollout.report import Report, State
from fleet.api.binding import ClusterResourceBinding
from fleet.api.placement import ClusterResourcePlacement
from tests.unit.cli.rollout.bodies import Body, binding, condition, placement

SCHEDULED = condition("ClusterResourcePlacementScheduled", "True", "SchedulingPolicyFulfilled")
SHORT = condition(
    "ClusterResourcePlacementScheduled", "False", "SchedulingPolicyUnfulfilled", "found 1 of 2"
)
APPLIED = condition("Applied", "True", "AllWorkHaveBeenApplied")
APPLYING = condition("Applied", "Unknown", "ApplyInProgress")
REFUSED = condition("Applied", "False", "NotAllWorkHaveBeenApplied", "no such namespace")
AVAILABLE = condition("Available", "True", "AllWorkAreAvailable")
NOT_YET = condition("Available", "False", "NotAllWorkAreAvailable")
DIFFERS = condition("DiffReported", "True", "AllWorkHaveDiffReported")
BEFORE = {**AVAILABLE, "observedGeneration": 0}


def reported(body: Body, *bindings: Body) -> Report:
    found = map(ClusterResourceBinding.model_validate, bindings)
    return report(ClusterResourcePlacement.model_validate(body), found)


@pytest.mark.parametrize(
    ("body", "state"),
    [
        (binding("us", 3, APPLIED, AVAILABLE), State.DONE),
        (binding("us", 3, DIFFERS), State.DONE),
        (binding("us", 3, APPLIED, NOT_YET), State.UPDATING),
        (binding("us", 3, APPLYING), State.UPDATING),
        (binding("us", 3, BEFORE), State.PENDING),
        (binding("us", 3), State.PENDING),
        (binding("us", 2, APPLIED, AVAILABLE), State.PENDING),
        (binding("us", 3, REFUSED), State.FAILED),
        (binding("us", 3, APPLIED, AVAILABLE, state="Unscheduled"), State.LEAVING),
    ],
    ids=[
        "available",
        "differences reported",
        "not available yet",
        "being applied",
        "told of before it was changed",
        "nothing told",
        "an older snapshot",
        "refused",
        "not chosen any more",
    ],
)
def test_a_cluster_is_as_far_as_its_binding_says(body: Body, state: State) -> None:
    (step,) = reported(placement(SCHEDULED), body).whole.steps
    assert step.state is state


@pytest.mark.parametrize(
    ("body", "bindings", "state", "waits_for", "said_next"),
    [
        (placement(SCHEDULED), [(3, AVAILABLE), (3, AVAILABLE)], State.DONE, "", ""),
        (placement(SCHEDULED), [(3, AVAILABLE), (2, AVAILABLE)], State.UPDATING, "c1", ""),
        (placement(SCHEDULED), [(3, REFUSED), (2, AVAILABLE)], State.FAILED, "", "get works"),
        (placement(SHORT), [(3, AVAILABLE)], State.WAITING, "found 1 of 2", "explain chat"),
        (placement(SHORT), [], State.PENDING, "found 1 of 2", "explain chat"),
        (placement(), [], State.PENDING, "the hub, to choose clusters", "doctor"),
        (
            placement(SCHEDULED, strategy="External"),
            [(2, AVAILABLE)],
            State.WAITING,
            "a ClusterStagedUpdateRun of this placement",
            "make a ClusterStagedUpdateRun",
        ),
    ],
    ids=["all", "one is left", "refused", "too few", "none", "not decided", "of runs"],
)
def test_a_placement_is_as_far_as_its_clusters(
    body: Body,
    bindings: list[tuple[int, Body]],
    state: State,
    waits_for: str,
    said_next: str,
) -> None:
    made = [binding(f"c{place}", index, said) for place, (index, said) in enumerate(bindings)]
    found = reported(body, *made)
    assert found.whole.state is state
    assert found.waits_for == ((waits_for,) if waits_for else ())
    assert said_next in " ".join(found.next)
    assert found.goes_on is (state is not State.DONE)


def test_a_cluster_says_which_snapshot_it_has_and_what_became_of_it() -> None:
    found = reported(placement(SCHEDULED), binding("us", 2, APPLIED, NOT_YET))
    assert found.whole.steps[0].facts == {
        "snapshot": "2",
        "applied": "True",
        "available": "False",
    }
    assert found.whole.facts["resourceSnapshotIndex"] == "3"
