"""On the hub a workload's status is the fleet's: one cluster mirrored, several summed."""

from datetime import timedelta
from typing import Any

import pytest

from fleet.api.conditions import find
from fleet.api.workspace import InferenceSetStatus, WorkspaceStatus
from fleet.testing.workloads import NOON, condition, inference_set, workspace
from hub.controllers.workload_status.status import report
from hub.workloads import Share

LATER = NOON + timedelta(hours=1)
READY = "InferenceReady"


def share(
    cluster: str, ready: str | None, state: str = "Ready", *, silent: bool = False, **more: Any
) -> Share:
    told = None
    if ready is not None:
        said = "" if ready == "True" else f"{cluster} is broken"
        body = {"state": state, "workerNodes": ["n1"], "targetNodeCount": 1, **more}
        body["conditions"] = [condition(READY, ready, "Told", said)]
        told = WorkspaceStatus.model_validate(body)
    return Share(cluster=cluster, region=cluster, silent=silent, generation=7, status=told)


def summed(*shares: Share) -> WorkspaceStatus:
    status = report(workspace(), shares, now=LATER)
    assert isinstance(status, WorkspaceStatus)
    return status


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ([share("us", "True")], ("True", "Told", "", "Ready")),
        ([share("us", "False", "NotReady")], ("False", "Told", "us is broken", "NotReady")),
        ([share("us", None)], ("False", "NotReported", "us has not reported yet", "Pending")),
        (
            [share("us", "True", silent=True)],
            ("Unknown", "MemberSilent", "nothing is heard of us", "Ready"),
        ),
        (
            [share("eu", "True"), share("us", "False", "NotReady")],
            ("False", "Told", "Ready 1/2; us: us is broken", "NotReady"),
        ),
        (
            [share("eu", "True"), share("us", "True")],
            ("True", "Told", "Ready 2/2", "Ready"),
        ),
    ],
    ids=["one ready", "one not", "none heard", "one silent", "one of two", "two of two"],
)
def test_the_worst_share_speaks(shares: list[Share], said: tuple[str, str, str, str]) -> None:
    status = summed(*shares)
    ready = find(status.conditions, READY)
    assert ready
    assert (ready.status, ready.reason, ready.message, status.state) == said


def test_conditions_bear_the_generation_of_the_hub_not_the_members() -> None:
    ready = find(summed(share("us", "True")).conditions, READY)
    assert ready
    assert ready.observed_generation == 7


def test_nodes_of_several_clusters_are_told_apart() -> None:
    assert summed(share("us", "True")).worker_nodes == ("n1",)
    assert summed(share("eu", "True"), share("us", "True")).worker_nodes == ("eu/n1", "us/n1")


def test_a_status_is_not_said_twice() -> None:
    shares = (share("eu", "True"), share("us", "False", "NotReady"))
    said = workspace().model_copy(update={"status": summed(*shares)})
    assert report(said, shares, now=LATER + timedelta(hours=1)) is None


def test_ready_replicas_are_summed_but_for_those_of_a_silent_member() -> None:
    def replicas(cluster: str, *, silent: bool) -> Share:
        status = InferenceSetStatus(replicas=2, ready_replicas=2)
        return Share(cluster=cluster, region=cluster, silent=silent, status=status)

    status = report(
        inference_set("qwen"), [replicas("eu", silent=False), replicas("us", silent=True)], now=NOON
    )
    assert isinstance(status, InferenceSetStatus)
    assert (status.replicas, status.ready_replicas) == (4, 2)
