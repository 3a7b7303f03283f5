"""report() is a function: Works in, conditions of their binding out."""

from datetime import timedelta
from typing import Any

import pytest

from fleet.api.binding import BindingStatus
from fleet.api.work import Work
from hub.controllers.work_generation.status import MAX_FAILED, report, settled
from tests.unit.hub.world import NOON, binding, condition

Said = tuple[str, str, str]


def work(name: str, *conditions: dict[str, Any], failed: int = 0) -> Work:
    told = condition("Available", False, "ManifestNotAvailableYet")
    manifests = [
        {"identifier": {"ordinal": n, "kind": "Pod", "name": f"{n}"}, "conditions": [told]}
        for n in range(failed)
    ]
    return Work.model_validate(
        {
            "metadata": {"name": name, "namespace": "fleet-member-us", "generation": 2},
            "status": {"conditions": conditions, "manifestConditions": manifests},
        }
    )


def says(kind: str, truth: bool | None, reason: str = "Because", **more: Any) -> dict[str, Any]:
    return condition(kind, truth, reason, **{"generation": 2, **more})


APPLIED, AVAILABLE = says("Applied", True), says("Available", True)


def told(*works: Work, silent: bool = False) -> dict[str, Said]:
    status = report(binding("us"), works, silent=silent, now=NOON)
    assert status
    return {c.type: (c.status, c.reason, c.message) for c in status.conditions}


APPLYING = ("Unknown", "ApplyInProgress", "us is applying the Works")
ALL_APPLIED = ("True", "AllWorkHaveBeenApplied", "All Works are applied in us")


@pytest.mark.parametrize(
    ("works", "applied", "available"),
    [
        ([work("a")], APPLYING, None),
        ([work("a", APPLIED), work("b")], APPLYING, None),
        ([work("a", says("Applied", True, generation=1), AVAILABLE)], APPLYING, None),
        (
            [work("a", APPLIED), work("b", says("Applied", False))],
            ("False", "NotAllWorkHaveBeenApplied", "Work b is not applied in us: so it is"),
            None,
        ),
        ([work("a", says("Applied", False, generation=1))], APPLYING, None),
        (
            [work("a", APPLIED)],
            ALL_APPLIED,
            (
                "False",
                "NotAllWorkAreAvailable",
                "Work a is not available in us: nothing is known yet",
            ),
        ),
        (
            [work("a", APPLIED, AVAILABLE), work("b", APPLIED, says("Available", False))],
            ALL_APPLIED,
            ("False", "NotAllWorkAreAvailable", "Work b is not available in us: so it is"),
        ),
        (
            [work("a", APPLIED, AVAILABLE), work("b", APPLIED, AVAILABLE)],
            ALL_APPLIED,
            ("True", "AllWorkAreAvailable", "All Works are available in us"),
        ),
        (
            [
                work("a", APPLIED, AVAILABLE),
                work("b", APPLIED, says("Available", True, "WorkNotTrackable")),
            ],
            ALL_APPLIED,
            (
                "True",
                "NotAllWorkAreAvailabilityTrackable",
                "Of some objects in us nobody can tell whether they are available",
            ),
        ),
    ],
    ids=[
        "nothing said",
        "one of two applied",
        "said of the Work as it was",
        "one could not be applied",
        "one could not be applied as it was",
        "applied only",
        "one is not available",
        "all available",
        "one cannot be tracked",
    ],
)
def test_a_binding_is_as_far_as_its_last_work(
    works: list[Work], applied: Said, available: Said | None
) -> None:
    said = told(*works)
    assert said["Applied"] == applied
    assert said.get("Available") == available
    assert said["WorkSynchronized"][:2] == ("True", "AllWorkSynced")
    assert said["Overridden"][:2] == ("True", "NoOverrideSpecified")


def test_of_a_silent_member_nothing_is_known() -> None:
    said = told(work("a", APPLIED, AVAILABLE), silent=True)
    for kind in ("Applied", "Available"):
        assert said[kind] == (
            "Unknown",
            "ClusterNotResponding",
            "us does not respond: its heartbeats have stopped",
        )


def test_the_failures_of_all_works_are_listed_up_to_a_limit() -> None:
    works = [work("a", failed=MAX_FAILED - 1), work("b", failed=7)]
    status = report(binding("us"), works, silent=False, now=NOON)
    assert status
    assert len(status.failed_placements) == MAX_FAILED
    assert status.failed_placements[-1].name == "0"


@pytest.mark.parametrize(
    ("works", "stands"),
    [([work("a")], False), ([work("a", says("Applied", False))], True), ([], True)],
    ids=["being applied", "failed", "nothing"],
)
def test_a_status_that_is_old_in_a_moment_is_told_apart(works: list[Work], *, stands: bool) -> None:
    status = report(binding("us"), works, silent=False, now=NOON)
    assert status
    assert settled(status) is stands


def test_a_status_without_a_word_on_applying_stands() -> None:
    assert settled(BindingStatus())


def test_a_status_is_not_said_twice_and_the_conditions_of_others_do_not_count() -> None:
    works = (work("a", APPLIED, AVAILABLE, failed=1),)
    status = report(binding("us"), works, silent=False, now=NOON)
    assert status
    other = report(binding("eu"), (), silent=True, now=NOON)
    assert other
    stranger = other.conditions[0].model_copy(update={"type": "RolloutStarted"})
    said = status.model_copy(update={"conditions": (stranger, *status.conditions)})
    live = binding("us").model_copy(update={"status": said})
    assert report(live, works, silent=False, now=NOON + timedelta(hours=1)) is None


def test_a_condition_that_stays_keeps_its_time_and_gets_the_new_generation() -> None:
    first = report(binding("us"), (work("a", APPLIED),), silent=False, now=NOON)
    assert first
    metadata = binding("us").metadata.model_copy(update={"generation": 5})
    live = binding("us").model_copy(update={"status": first, "metadata": metadata})
    later = report(live, (work("a", APPLIED),), silent=False, now=NOON + timedelta(hours=1))
    assert later
    assert {c.last_transition_time for c in later.conditions} == {NOON}
    assert {c.observed_generation for c in later.conditions} == {5}
