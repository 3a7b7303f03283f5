"""A run whose strategy says so follows the clusters of its placement instead of ending."""

import pytest

from hub.controllers.updaterun.plan import plan
from hub.controllers.updaterun.plan.changes import JOINED_STAGE
from tests.unit.hub.controllers.updaterun.story import APPROVAL, Labels, Story, stage
from tests.unit.hub.controllers.updaterun.test_faults import unfulfilled


def story(clusters: dict[str, Labels], **prod: object) -> Story:
    made = Story(
        stage("canary"),
        stage("prod", **prod),
        clusters=clusters,
        whenClustersChange="Follow",
    )
    made.goes_on()
    return made


def test_a_cluster_that_joins_is_taken_into_its_stage_behind_the_others() -> None:
    run = story({"us": {"env": "canary"}, "eu": {"env": "prod"}})
    run.joins("apac", {"env": "prod"})
    run.goes_on()
    assert run.table[1:] == ["canary: Started: us started", "prod: -: eu, apac"]
    assert run.status.policy_observed_cluster_count == 3


def test_those_that_join_keep_the_order_of_their_stage() -> None:
    run = story({"us": {"env": "canary"}}, sortingLabelKey="rank")
    run.joins("a", {"env": "prod", "rank": "2"})
    run.joins("b", {"env": "prod", "rank": "1"})
    run.joins("c", {"env": "prod"})
    run.goes_on()
    assert run.table[2] == "prod: -: b, a, c"


@pytest.mark.parametrize(
    "labels", [{"env": "canary"}, {"env": "other"}], ids=["its stage is over", "it has none"]
)
def test_a_cluster_that_has_no_stage_to_come_goes_last_and_alone(labels: Labels) -> None:
    run = story({"us": {"env": "canary"}, "eu": {"env": "prod"}})
    run.answers("us")
    run.goes_on()
    run.joins("late", labels)
    run.goes_on()
    assert run.table[1:] == [
        "canary: Succeeded: us done",
        "prod: Started: eu started",
        f"{JOINED_STAGE}: -: late",
    ]
    run.answers("eu")
    run.goes_on()
    run.joins("later", labels)
    run.goes_on()
    assert run.table[3] == f"{JOINED_STAGE}: Started: late started, later"
    run.answers("late")
    run.goes_on()
    run.answers("later")
    run.goes_on()
    assert run.reason("Succeeded") == "True Succeeded"


def test_the_stage_of_the_joined_goes_on_again_while_others_are_removed() -> None:
    run = story({"us": {"env": "canary"}, "old": {"env": "prod"}})
    run.leaves("old")
    run.answers("us")
    run.goes_on()
    assert run.heard == ["us gets 1", "remove old"]
    run.joins("late", {"env": "other"})
    run.goes_on()
    run.answers("late")
    run.joins("later", {"env": "other"})
    run.goes_on()
    run.gone("old")
    run.answers("later")
    run.goes_on()
    assert run.heard[2:] == ["late gets 1", "later gets 1"]
    assert run.reason("Succeeded") == "True Succeeded"


def test_a_cluster_that_leaves_is_left_out_and_removed_last() -> None:
    run = story({"us": {"env": "canary"}, "eu": {"env": "prod"}, "apac": {"env": "prod"}})
    run.leaves("us", "eu")
    run.goes_on()
    assert run.table[1:] == [
        "canary: Succeeded: ",
        "prod: Started: apac started",
        "kubernetes-fleet.io/deleteStage: -: eu, us",
    ]


def test_a_stage_that_lost_all_clusters_it_began_with_is_still_approved() -> None:
    run = Story(
        stage("canary", afterStageTasks=[APPROVAL]),
        stage("prod"),
        clusters={"us": {"env": "canary"}, "eu": {"env": "prod"}},
        whenClustersChange="Follow",
    )
    run.goes_on()
    run.answers("us")
    run.goes_on()
    run.leaves("us")
    run.goes_on()
    assert run.table[1:3] == ["canary: Waiting: ", "prod: -: eu"]


def test_a_cluster_that_comes_back_is_not_removed() -> None:
    run = story({"us": {"env": "canary"}, "eu": {"env": "prod"}})
    run.leaves("eu")
    run.goes_on()
    assert run.table[3] == "kubernetes-fleet.io/deleteStage: -: eu"
    run.joins("eu")
    run.goes_on()
    assert run.table[2:] == ["prod: -: eu"]


def test_a_policy_that_lacks_clusters_or_is_another_one_ends_nothing() -> None:
    run = story({"us": {"env": "canary"}, "eu": {"env": "prod"}})
    run.decides_anew({"placementType": "PickN", "numberOfClusters": 5})
    run.policy = unfulfilled(run)
    run.answers("us")
    run.goes_on()
    assert run.heard == ["us gets 1", "report us", "eu gets 1"]
    assert run.status.policy_snapshot_index_used == "1"


def test_a_cluster_whose_labels_change_stays_where_it_is() -> None:
    run = story({"us": {"env": "canary"}, "eu": {"env": "prod"}})
    run.labels["eu"] = {"env": "canary"}
    run.goes_on()
    assert run.table[1:] == ["canary: Started: us started", "prod: -: eu"]


def test_another_run_is_still_noticed() -> None:
    run = story({"us": {"env": "canary"}})
    run.given("us", 0)
    run.goes_on()
    assert run.reason("Succeeded") == "False Failed"
    assert plan(run.observed).status is None
