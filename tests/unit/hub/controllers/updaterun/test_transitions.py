"""The state machine of a run, transition by transition, as a person reads it."""

from typing import Any

import pytest

from fleet.api import names
from hub.controllers.updaterun.plan import plan
from tests.unit.hub.controllers.updaterun.story import APPROVAL, Story, another, stage, timed

TWO = {"us": {"env": "canary"}, "eu": {"env": "prod"}, "apac": {"env": "prod"}}


def test_a_run_is_planned_before_anything_is_done() -> None:
    story = Story(stage("canary"), stage("prod"), clusters=TWO)
    story.step()
    assert story.heard == []
    assert story.reason("Initialized") == "True InitializedSuccessfully"
    assert story.table == ["", "canary: -: us", "prod: -: apac, eu"]
    assert story.status.policy_snapshot_index_used == "0"
    assert story.status.policy_observed_cluster_count == 3
    assert story.status.resource_snapshot_index_used == "1"


def test_a_run_goes_from_stage_to_stage_and_ends() -> None:
    story = Story(stage("canary"), stage("prod"), clusters=TWO)
    story.goes_on()
    assert story.table == [
        "True Progressing",
        "canary: Started: us started",
        "prod: -: apac, eu",
    ]
    story.answers("us")
    story.goes_on()
    assert story.table == [
        "True Progressing",
        "canary: Succeeded: us done",
        "prod: Started: apac started, eu",
    ]
    story.answers("apac")
    story.goes_on()
    story.answers("eu")
    story.goes_on()
    assert story.heard == ["us gets 1", "apac gets 1", "eu gets 1"]
    assert story.table == [
        "False Succeeded",
        "canary: Succeeded: us done",
        "prod: Succeeded: apac done, eu done",
    ]
    assert story.reason("Succeeded") == "True Succeeded"
    assert story.status.deletion_stage_status
    assert story.status.deletion_stage_status.end_time == story.now


def test_a_run_that_is_only_to_be_planned_waits() -> None:
    story = Story(stage("canary"), clusters={"us": {"env": "canary"}})
    story.is_to("Initialize")
    story.goes_on()
    assert story.heard == []
    story.joins("eu", {"env": "canary"})
    assert plan(story.observed).status is None
    story.leaves("eu")
    del story.bindings["eu"]
    story.is_to("Run")
    story.goes_on()
    assert story.heard == ["us gets 1"]


def test_what_a_binding_said_before_counts_for_nothing() -> None:
    story = Story(stage("prod"), clusters={"us": {"env": "prod"}})
    story.answers("us")
    story.goes_on()
    assert story.table == ["True Progressing", "prod: Started: us started"]


def test_a_cluster_that_has_the_snapshot_already_is_done_at_once() -> None:
    story = Story(stage("prod"), clusters={"us": {"env": "prod"}}, index="0")
    story.goes_on()
    story.answers("us", kind="RolloutStarted")
    story.answers("us", kind="DiffReported")
    story.goes_on()
    assert story.reason("Succeeded") == "True Succeeded"


@pytest.mark.parametrize(
    ("limit", "begun"),
    [(1, 1), (3, 3), ("50%", 2), ("70%", 3), ("10%", 1), ("100%", 5)],
)
def test_so_many_clusters_are_updated_at_a_time(limit: int | str, begun: int) -> None:
    five = {f"c{number}": {"env": "prod"} for number in range(5)}
    story = Story(stage("prod", maxConcurrency=limit), clusters=five)
    story.goes_on()
    assert story.heard == [f"c{number} gets 1" for number in range(begun)]
    story.answers("c0")
    story.goes_on()
    assert story.heard[begun:] == [f"c{begun} gets 1"] * (begun < 5)


def test_a_stage_is_ordered_by_its_label_as_a_number_and_then_by_name() -> None:
    ranks = {"b": "2", "a": "2", "z": "-1", "m": "10"}
    labels = {name: {"env": "prod", "rank": rank} for name, rank in ranks.items()}
    story = Story(stage("prod", sortingLabelKey="rank"), clusters=labels)
    story.step()
    assert story.table[1] == "prod: -: z, a, b, m"


def test_a_stage_without_clusters_is_passed_over_with_its_tasks() -> None:
    empty = stage("empty", beforeStageTasks=[APPROVAL], afterStageTasks=[timed("1h")])
    story = Story(empty, stage("prod"), clusters={"us": {"env": "prod"}})
    story.goes_on()
    assert story.table == [
        "True Progressing",
        "empty: SkippedNoClusters: ",
        "prod: Started: us started",
    ]
    skipped = story.status.stages_status[0]
    assert skipped.start_time == skipped.end_time == story.now


def test_a_stage_waits_for_a_persons_word_before_its_first_cluster() -> None:
    story = Story(stage("prod", beforeStageTasks=[APPROVAL]), clusters={"us": {"env": "prod"}})
    story.goes_on()
    assert story.heard == ["ask upgrade-before-prod"]
    assert story.table == ["False Waiting", "prod: Waiting: us"]
    assert "upgrade-before-prod" in story.message("Progressing")
    request = story.approvals["upgrade-before-prod"]
    assert request.metadata.labels == {
        names.TARGET_UPDATE_RUN: "upgrade",
        names.TARGET_UPDATING_STAGE: "prod",
        names.TASK_TYPE: "beforeStage",
        names.LATEST_APPROVAL: "true",
    }
    story.approves("upgrade-before-prod")
    story.goes_on()
    assert story.heard[1:] == ["accept upgrade-before-prod", "us gets 1"]
    assert story.table == ["True Progressing", "prod: Started: us started"]


@pytest.mark.parametrize(
    ("generation", "goes_on"), [(1, True), (0, True), (7, False)], ids=["now", "unsaid", "other"]
)
def test_an_approval_is_of_the_request_as_it_is(generation: int, *, goes_on: bool) -> None:
    story = Story(stage("prod", beforeStageTasks=[APPROVAL]), clusters={"us": {"env": "prod"}})
    story.goes_on()
    story.approves("upgrade-before-prod", generation=generation)
    story.goes_on()
    assert ("us gets 1" in story.heard) is goes_on


def test_an_approval_that_was_accepted_cannot_be_taken_back() -> None:
    after = stage("prod", afterStageTasks=[APPROVAL, timed("1h")])
    story = Story(after, clusters={"us": {"env": "prod"}})
    story.goes_on()
    story.answers("us")
    story.goes_on()
    story.approves("upgrade-after-prod")
    story.goes_on()
    del story.approvals["upgrade-after-prod"]
    story.passes(hours=1)
    story.goes_on()
    assert story.heard.count("ask upgrade-after-prod") == 1
    assert story.reason("Succeeded") == "True Succeeded"


def test_a_request_that_is_deleted_is_made_again() -> None:
    story = Story(stage("prod", beforeStageTasks=[APPROVAL]), clusters={"us": {"env": "prod"}})
    story.goes_on()
    del story.approvals["upgrade-before-prod"]
    story.goes_on()
    assert story.heard == ["ask upgrade-before-prod"] * 2


def test_a_request_that_an_earlier_namesake_left_is_not_an_answer() -> None:
    story = Story(stage("prod", beforeStageTasks=[APPROVAL]), clusters={"us": {"env": "prod"}})
    story.goes_on()
    story.approves("upgrade-before-prod")
    old = story.approvals["upgrade-before-prod"]
    owner = old.metadata.owner_references[0].model_copy(update={"uid": "another"})
    metadata = old.metadata.model_copy(update={"owner_references": (owner,)})
    story.approvals[old.name] = old.model_copy(update={"metadata": metadata})
    story.goes_on()
    assert story.heard[1:] == ["withdraw upgrade-before-prod", "ask upgrade-before-prod"]


def test_a_stage_waits_so_long_after_its_last_cluster() -> None:
    story = Story(stage("canary", afterStageTasks=[timed("90s")]), stage("prod"), clusters=TWO)
    story.goes_on()
    story.passes(hours=1)
    story.answers("us")
    planned = story.goes_on()
    assert planned.again_in_seconds == 90
    assert story.table[:2] == ["False Waiting", "canary: Waiting: us done"]
    story.passes(seconds=89)
    assert story.goes_on().again_in_seconds == 1
    story.passes(seconds=1)
    story.goes_on()
    assert story.table[:2] == ["True Progressing", "canary: Succeeded: us done"]
    (task,) = story.status.stages_status[0].after_stage_task_status
    assert [c.reason for c in task.conditions] == ["AfterStageTaskWaitTimeElapsed"]


def test_the_wait_of_a_stage_that_was_done_at_once_begins_then() -> None:
    tasks = {"beforeStageTasks": [APPROVAL], "afterStageTasks": [timed("60s")]}
    story = Story(stage("prod", **tasks), clusters={"us": {"env": "prod"}})
    story.goes_on()
    story.given("us", 1)
    story._change("us", apply_strategy=story.status.applied_strategy)
    story.answers("us", kind="RolloutStarted")
    story.answers("us")
    story.passes(hours=1)
    story.approves("upgrade-before-prod")
    assert story.goes_on().again_in_seconds == 60


def test_a_cluster_that_takes_too_long_is_named_until_it_is_done() -> None:
    story = Story(stage("canary"), stage("prod"), clusters=TWO)
    assert story.goes_on().again_in_seconds == 300
    story.answers("us", truth=False)
    story.passes(minutes=5)
    story.goes_on()
    assert story.reason() == "False Stuck"
    assert "canary" in story.message("Progressing")
    assert "us" in story.message("Progressing")
    story.answers("us")
    story.goes_on()
    assert story.reason() == "True Progressing"


def test_the_strategy_says_what_takes_too_long() -> None:
    story = Story(stage("canary"), clusters={"us": {"env": "canary"}}, stuckThreshold="1h30m")
    assert story.goes_on().again_in_seconds == 5400


def test_a_run_stops_when_what_it_began_is_done_and_goes_on() -> None:
    story = Story(stage("prod", maxConcurrency=2), clusters=TWO | {"us": {"env": "prod"}})
    story.goes_on()
    story.is_to("Stop")
    story.goes_on()
    assert story.table == ["Unknown Stopping", "prod: Stopping: apac started, eu started, us"]
    story.answers("apac", "eu")
    story.goes_on()
    assert story.table == ["False Stopped", "prod: Stopped: apac done, eu done, us"]
    assert plan(story.observed).status is None
    story.is_to("Run")
    story.goes_on()
    assert story.table == ["True Progressing", "prod: Started: apac done, eu done, us started"]


def test_a_run_that_stops_says_what_keeps_it() -> None:
    story = Story(stage("prod"), clusters={"us": {"env": "prod"}})
    story.goes_on()
    story.is_to("Stop")
    story.passes(minutes=5)
    story.goes_on()
    assert story.table == ["False Stuck", "prod: Stopping: us started"]


def test_a_wait_that_was_stopped_begins_anew() -> None:
    story = Story(stage("prod", afterStageTasks=[timed("60s")]), clusters={"us": {"env": "prod"}})
    story.goes_on()
    story.answers("us")
    story.goes_on()
    story.passes(seconds=50)
    story.is_to("Stop")
    story.goes_on()
    story.is_to("Run")
    assert story.goes_on().again_in_seconds == 60


def test_clusters_that_are_chosen_no_more_are_removed_last() -> None:
    story = Story(stage("prod"), clusters={"us": {"env": "prod"}, "old": {"env": "prod"}})
    story.leaves("old")
    story.goes_on()
    assert story.table[1:] == ["prod: Started: us started", f"{names.DELETE_STAGE}: -: old"]
    story.answers("us")
    story.goes_on()
    assert story.heard == ["us gets 1", "remove old"]
    assert story.table[2] == f"{names.DELETE_STAGE}: Started: old started"
    story.passes(minutes=5)
    story.goes_on()
    assert story.reason() == "False Stuck"
    story.gone("old")
    story.goes_on()
    assert story.table[2] == f"{names.DELETE_STAGE}: Succeeded: old done"
    assert story.reason("Succeeded") == "True Succeeded"


def test_a_run_that_stops_before_the_deletion_removes_nothing() -> None:
    story = Story(stage("prod"), clusters={"us": {"env": "prod"}, "old": {"env": "prod"}})
    story.leaves("old")
    story.goes_on()
    story.answers("us")
    story.is_to("Stop")
    story.goes_on()
    story.is_to("Stop")
    story.goes_on()
    assert story.heard == ["us gets 1"]
    assert story.reason() == "False Stopped"


def test_a_run_that_is_deleted_takes_its_requests_along_and_no_resources() -> None:
    story = Story(stage("prod", beforeStageTasks=[APPROVAL]), clusters={"us": {"env": "prod"}})
    story.goes_on()
    story.is_deleted()
    story.step()
    assert story.heard[1:] == ["withdraw upgrade-before-prod", "release"]
    assert story.bindings


def test_a_new_run_is_held() -> None:
    story = Story(stage("prod"), clusters={"us": {"env": "prod"}})
    assert story.run
    bare = story.run.metadata.model_copy(update={"finalizers": ()})
    story.run = story.run.model_copy(update={"metadata": bare})
    story.step()
    assert story.heard == ["hold"]


@pytest.mark.parametrize("generation", [1, 2])
def test_every_condition_is_of_the_runs_present_generation(generation: int) -> None:
    story = Story(
        stage("prod", afterStageTasks=[timed("1h")]), clusters=TWO | {"us": {"env": "prod"}}
    )
    story.goes_on()
    for _ in range(generation - 1):
        story.is_to("Run")
    story.goes_on()
    status = story.status.dump()
    found: list[int] = []

    def look(value: Any) -> None:
        if isinstance(value, dict):
            found.extend([value["observedGeneration"]] if "observedGeneration" in value else [])
            value = list(value.values())
        if isinstance(value, list):
            for each in value:
                look(each)

    look(status)
    assert set(found) == {generation}


def test_a_run_that_has_ended_does_nothing_more() -> None:
    story = Story(stage("prod"), clusters={"us": {"env": "prod"}})
    story.goes_on()
    story.given("us", 0)
    story.goes_on()
    assert story.reason("Succeeded") == "False Failed"
    assert plan(another(story, placement=None)).status is None
