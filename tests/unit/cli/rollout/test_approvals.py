"""Which request a person's word is for: a table of what a run may ask."""

from typing import Any

import pytest

from cli.rollout.approvals import Wanted, When, approved, choose, word
from cli.rollout.subject import RolloutError
from fleet.api import names
from fleet.api.staged_update import ApprovalRequest, ClusterApprovalRequest
from tests.unit.cli.rollout.bodies import NOON, condition

GIVEN = condition("Approved", "True", "ok")
TAKEN = condition("ApprovalAccepted", "True", "ApprovalRequestApprovalAccepted")
STALE = {**GIVEN, "observedGeneration": 0}
REFUSED = condition("Approved", "False", "no")


def request(stage: str, when: str, *conditions: dict[str, Any]) -> ClusterApprovalRequest:
    labels = {names.TASK_TYPE: f"{when}Stage"}
    return ClusterApprovalRequest.model_validate(
        {
            "metadata": {"name": f"r-{when}-{stage}", "generation": 1, "labels": labels},
            "spec": {"parentStageRollout": "r", "targetStage": stage},
            "status": {"conditions": list(conditions)},
        }
    )


US, EU = request("us", "after"), request("eu", "before")
EU_AFTER = request("eu", "after")
US_TAKEN = request("us", "after", GIVEN, TAKEN)


@pytest.mark.parametrize(
    ("requests", "wanted", "name", "given"),
    [
        ([US], Wanted(), "r-after-us", False),
        ([US_TAKEN, EU], Wanted(), "r-before-eu", False),
        ([US, EU], Wanted("eu"), "r-before-eu", False),
        ([EU, EU_AFTER], Wanted("eu", When.AFTER), "r-after-eu", False),
        ([request("us", "after", STALE)], Wanted(), "r-after-us", False),
        ([request("us", "after", REFUSED)], Wanted(), "r-after-us", False),
        ([request("us", "after", GIVEN)], Wanted(), "r-after-us", True),
        ([US_TAKEN], Wanted("us"), "r-after-us", True),
    ],
    ids=[
        "one",
        "the one that waits",
        "of a stage",
        "on a side of a stage",
        "approved as it was once",
        "not approved yet",
        "approved, which the hub has not seen",
        "of a stage whose approval was taken",
    ],
)
def test_the_request_that_waits_is_approved_and_an_approved_one_stays_so(
    requests: list[ClusterApprovalRequest], wanted: Wanted, name: str, given: bool
) -> None:
    found = choose(requests, wanted, "r")
    assert (found.request.name, found.given) == (name, given)


@pytest.mark.parametrize(
    ("requests", "wanted", "said"),
    [
        ([], Wanted(), "no approval is waited for: `modelfleet rollout status r` says"),
        ([], Wanted("us"), "no approval of stage us is waited for"),
        ([US_TAKEN], Wanted(), "no approval is waited for"),
        ([US, EU], Wanted(), "several requests of r wait, say which: --stage us --after"),
        ([EU], Wanted("us"), "no approval of stage us there, but for: --stage eu --before"),
    ],
    ids=["none", "none of the stage", "taken already", "several", "another"],
)
def test_where_no_request_is_meant_it_is_said_what_waits(
    requests: list[ClusterApprovalRequest], wanted: Wanted, said: str
) -> None:
    with pytest.raises(RolloutError, match=said.replace("`", ".")):
        choose(requests, wanted, "r")


def test_the_word_is_for_the_request_as_it_is() -> None:
    given = US.model_copy(update={"status": word(US, NOON)})
    assert approved(given)
    (said,) = given.status.conditions
    assert said.reason == "ClusterApprovalRequestApproved"
    within = ApprovalRequest.model_validate(US.dump())
    assert word(within, NOON).conditions[0].reason == "ApprovalRequestApproved"
