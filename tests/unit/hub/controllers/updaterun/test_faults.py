"""What cannot be done is said by a condition that names the field and the way out."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from hub.controllers.updaterun.plan import plan
from tests.unit.hub.controllers.updaterun.story import APPROVAL, Story, another, stage, timed
from tests.unit.hub.world import condition, placement

PROD = {"us": {"env": "prod"}, "eu": {"env": "prod"}}


def prod(**more: Any) -> Story:
    return Story(stage("prod", **more), clusters={k: dict(v) for k, v in PROD.items()})


def unfulfilled(story: Story) -> Any:
    status = {"conditions": [condition("Scheduled", False)]}
    return story.policy.model_validate({**story.policy.manifest(), "status": status})


def two_stages(*stages: dict[str, Any], **more: Any) -> Story:
    return Story(*stages, clusters={k: dict(v) for k, v in PROD.items()}, **more)


def _in_two() -> Story:
    return two_stages(stage("prod"), {"name": "all", "labelSelector": {}})


def _in_none() -> Story:
    return two_stages(stage("canary"))


def _without_selector() -> Story:
    return two_stages({"name": "nobody"})


def _no_label() -> Story:
    return prod(sortingLabelKey="rank")


def _no_integer() -> Story:
    story = prod(sortingLabelKey="rank")
    for labels in story.labels.values():
        labels["rank"] = "1.5"
    return story


def _same_name() -> Story:
    return two_stages(stage("prod"), {"name": "prod"})


def _same_task() -> Story:
    return prod(afterStageTasks=[APPROVAL, APPROVAL])


def _no_time() -> Story:
    return prod(afterStageTasks=[timed("0s")])


def _odd_operator() -> Story:
    odd = {"key": "env", "operator": "Like", "values": ["p"]}
    return two_stages({"name": "odd", "labelSelector": {"matchExpressions": [odd]}})


def _no_snapshot() -> Story:
    return Story(stage("prod"), clusters=PROD, index="7")


def _odd_snapshot() -> Story:
    return Story(stage("prod"), clusters=PROD, index="-1")


def _too_few() -> Story:
    return Story(
        stage("prod"), clusters=PROD, policy={"placementType": "PickN", "numberOfClusters": 3}
    )


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (_in_two, "cluster eu is in two stages, prod and all"),
        (_in_none, "2 clusters of the placement are in no stage: eu, us"),
        (_without_selector, "2 clusters of the placement are in no stage: eu, us"),
        (_no_label, "label rank on cluster eu is missing"),
        (_no_integer, "label rank on cluster eu is '1.5', and no integer"),
        (_same_name, "two stages have the name prod"),
        (_same_task, "stage prod: afterStageTasks takes one task of each type"),
        (_no_time, "stage prod: waitTime of a TimedWait must be longer than 0"),
        (_odd_operator, "stage odd: labelSelector has the operator 'Like'"),
        (_no_snapshot, "has no resource snapshot 7; those that it has: 0, 1"),
        (_odd_snapshot, "spec.resourceSnapshotIndex is '-1'"),
        (_too_few, "has 2 clusters, and its policy wants 3"),
    ],
)
def test_a_run_that_cannot_be_planned_says_why(made: Callable[[], Story], words: str) -> None:
    story = made()
    story.goes_on()
    assert story.reason("Initialized") == "False InitializedFailed"
    assert words in story.message("Initialized")
    assert (story.heard, story.table) == ([], [""])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"placement": None}, "placement llama, which spec.placementName names, is not there"),
        ({"placement": placement()}, "spec.strategy.type is RollingUpdate"),
        ({"strategy": None}, "strategy waves, which spec.stagedRolloutStrategyName names"),
        ({"policy": unfulfilled(prod())}, "has not found all the clusters that it wants"),
        ({"bindings": ()}, "has no clusters, and none that it leaves"),
        ({"policy": None}, "the clusters of placement llama are not chosen yet"),
        ({"groups": ()}, "has no snapshot of its resources yet"),
        ({"current": False}, "has no snapshot of its resources yet"),
    ],
)
def test_what_a_run_needs_is_named_where_it_is_missing(changes: dict[str, Any], words: str) -> None:
    planned = plan(another(prod(), **changes))
    assert planned.status
    (said,) = planned.status.conditions
    assert (said.type, said.reason) == ("Initialized", "UpdateRunInitializedFailed")
    assert words in said.message


@pytest.mark.parametrize(
    ("changes", "seconds"),
    [({"placement": None}, 1), ({"strategy": None}, 1), ({"policy": None}, 14)],
    ids=["placement", "strategy", "decision"],
)
def test_what_was_made_together_with_a_run_may_be_seen_a_little_later(
    changes: dict[str, Any], seconds: int
) -> None:
    story = prod()
    story.now -= timedelta(seconds=60 - seconds)
    planned = plan(another(story, **changes))
    assert (planned.status, planned.again_in_seconds) == (None, 1.0)


def _joins(story: Story) -> None:
    story.joins("apac", {"env": "prod"})


def _leaves(story: Story) -> None:
    story.leaves("us")


def _moves(story: Story) -> None:
    story.labels["us"] = {"env": "canary"}


def _is_ordered_anew(story: Story) -> None:
    story.labels["us"]["rank"], story.labels["eu"]["rank"] = "1", "2"


def _wants_more(story: Story) -> None:
    story.decides_anew({"placementType": "PickN", "numberOfClusters": 2})


def _is_deleted(story: Story) -> None:
    metadata = story.placement.metadata.model_copy(update={"deletion_timestamp": story.now})
    story.placement = story.placement.model_copy(update={"metadata": metadata})


def _is_taken_over(story: Story) -> None:
    story.placement = placement()


def _applies_otherwise(story: Story) -> None:
    way = {"type": "External", "applyStrategy": {"type": "ServerSideApply"}}
    story.placement = placement(strategy=way)


def _lacks_one(story: Story) -> None:
    story.policy = unfulfilled(story)


def _loses_the_snapshot(story: Story) -> None:
    story.groups = story.groups[:1]


@pytest.mark.parametrize(
    ("happens", "words"),
    [
        (_joins, "the clusters of the placement have changed: apac joined"),
        (_leaves, "the clusters of the placement have changed: us left"),
        (_moves, "stage canary has us now"),
        (_is_ordered_anew, "stage prod has us, eu now"),
        (_wants_more, "its snapshot is 1, and the run goes by 0"),
        (_is_deleted, "is being deleted"),
        (_is_taken_over, "spec.strategy.type is RollingUpdate"),
        (_applies_otherwise, "applyStrategy of the placement has changed"),
        (_lacks_one, "has not found all the clusters that it wants"),
        (_loses_the_snapshot, "has no resource snapshot 1"),
    ],
)
def test_a_run_ends_where_it_does_not_fit_any_more(
    happens: Callable[[Story], None], words: str
) -> None:
    stages = stage("canary"), stage("prod", sortingLabelKey="rank")
    labels = {name: {"env": "prod", "rank": "1"} for name in PROD}
    story = Story(*stages, clusters=labels)
    story.goes_on()
    happens(story)
    story.goes_on()
    assert story.reason() == "False Failed"
    assert story.reason("Succeeded") == "False Failed"
    assert words in story.message("Succeeded")
    assert story.heard == ["eu gets 1"]
    if "have changed" in words or words.endswith("now"):
        assert "whenClustersChange: Follow" in story.message("Succeeded")


def test_a_changed_number_of_clusters_ends_a_run() -> None:
    story = Story(
        stage("prod"), clusters=PROD, policy={"placementType": "PickN", "numberOfClusters": 2}
    )
    story.goes_on()
    story.policy = story._policy({"placementType": "PickN", "numberOfClusters": 1})
    story.leaves("us")
    story.goes_on()
    assert "wants 1 clusters now, and the run goes by 2" in story.message("Succeeded")


def test_a_decision_that_is_under_way_is_waited_for() -> None:
    story = prod()
    story.goes_on()
    story._change("eu", scheduling_policy_snapshot_name="llama-9")
    assert story.goes_on().again_in_seconds == 1.0
    assert story.reason() == "True Progressing"


@pytest.mark.parametrize("state", ["Run", "Stop"])
def test_of_two_runs_on_one_placement_the_one_that_is_overridden_fails(state: str) -> None:
    story = prod()
    story.goes_on()
    story.is_to(state)
    story.given("eu", 0)
    story.goes_on()
    assert story.table == ["False Failed", "prod: Failed: eu failed, us"]
    assert "another update run names the same placement" in story.message("Succeeded")
    assert story.heard == ["eu gets 1"]


def test_a_decision_about_a_binding_that_keeps_its_resources_does_no_harm() -> None:
    story = prod()
    story.goes_on()
    story._change("eu", allocations=())
    story.goes_on()
    story.answers("eu")
    story.goes_on()
    assert story.heard == ["eu gets 1", "report eu", "us gets 1"]


def test_a_binding_that_somebody_deleted_ends_the_run() -> None:
    story = prod()
    story.goes_on()
    del story.bindings["eu"]
    story.goes_on()
    assert "eu left" in story.message("Succeeded")


def test_a_request_of_another_run_is_no_answer() -> None:
    story = Story(stage("prod", beforeStageTasks=[APPROVAL]), clusters={"us": {"env": "prod"}})
    story.goes_on()
    asked = story.approvals["upgrade-before-prod"]
    spec = asked.spec.model_copy(update={"target_stage": "canary"})
    story.approvals[asked.name] = asked.model_copy(update={"spec": spec})
    story.goes_on()
    assert story.table == ["False Failed", "prod: Failed: us"]
    assert "delete it, and make a new run" in story.message("Succeeded")


def test_a_run_that_failed_once_does_not_begin_again() -> None:
    story = _in_none()
    story.goes_on()
    story.labels["us"]["env"] = story.labels["eu"]["env"] = "canary"
    story.is_to("Run")
    assert plan(story.observed).status is None
