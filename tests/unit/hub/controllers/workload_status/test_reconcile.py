"""A workload's status on the hub follows its members, on a server that keeps its state."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.api.binding import BindingState
from fleet.api.cluster import MemberCluster
from fleet.api.keys import Key
from fleet.api.scope import CLUSTER, NAMESPACED
from fleet.api.work import Work
from fleet.api.workspace import InferenceSet, Workspace
from fleet.kube.cache import Cache
from fleet.kube.queue import WorkQueue
from fleet.testing.client import FakeClient
from fleet.testing.workloads import (
    NAMESPACE,
    NOON,
    PHI,
    binding,
    condition,
    inference_set,
    member,
    snapshot,
    work,
    workspace,
)
from hub.controllers.workload_status.handlers import WorkloadStatusController
from hub.scope_caches import caches
from hub.shares import INDICES, WorkloadReads
from tests.unit.hub.world import Silences

KEY = Key(NAMESPACE, PHI)


def reported(ready: str, state: str = "Ready") -> dict[str, Any]:
    told = condition("InferenceReady", ready, "Told", "" if ready == "True" else "it crashes")
    return {"state": state, "conditions": [told], "targetNodeCount": 1, "workerNodes": ["n"]}


class Desk:
    def __init__(self, *resources: Any, kind: type[Any] = Workspace) -> None:
        self.client, self.silences = FakeClient(), Silences()
        for resource in resources:
            self.client.put(resource)
        self.works, self.workloads = Cache(Work, indices=INDICES), Cache(kind)
        self.reporter = WorkloadStatusController(
            client=self.client,
            workloads=self.workloads,
            fleet=WorkloadReads(
                works=self.works,
                clusters=Cache(MemberCluster),
                cluster=caches(CLUSTER),
                namespaced=caches(NAMESPACED),
            ),
            silence=self.silences,
            clock=lambda: NOON,
        )

    async def look(self) -> None:
        for cache in self.reporter.reads:
            await self.client.relist(cache)

    async def reconcile(self, key: Key = KEY) -> None:
        await self.look()
        await self.reporter.reconcile(key)

    @property
    def workspace(self) -> Workspace:
        (found,) = self.client.all(Workspace)
        return found

    def ready(self) -> tuple[str, str, str, int]:
        (told,) = self.workspace.status.conditions
        return told.status, told.reason, told.message, told.observed_generation


def applied(cluster: str, workload: Any, told: dict[str, Any] | None) -> dict[str, Any]:
    """Build a Work as the server has it after the member applied it."""
    body = work(cluster, workload, told).manifest()
    del body["metadata"]["generation"]
    return body


def placed(**states: dict[str, Any] | None) -> list[Any]:
    """Build a workspace on these clusters, each with what it reported."""
    phi = workspace()
    shares = [(member(c), binding(c, phi), applied(c, phi, told)) for c, told in states.items()]
    return [phi, snapshot(phi, 7), *(part for share in shares for part in share)]


async def test_what_is_placed_no_more_says_so() -> None:
    phi = workspace()
    desk = Desk(phi, member("us"), binding("us", phi), work("us", phi, reported("True")))
    await desk.reconcile()
    assert desk.ready()[0] == "True"
    await desk.client.delete(work("us", phi, None))
    await desk.reconcile()
    assert desk.ready()[:3] == ("False", "NotPlaced", "no placement puts it on a cluster")
    assert desk.workspace.status.state == "Pending"
    assert desk.workspace.status.worker_nodes == ()


@pytest.mark.parametrize(
    ("states", "silent", "said"),
    [
        ({"us": reported("True")}, set(), ("True", "Told", "", 7)),
        ({"us": reported("False")}, set(), ("False", "Told", "it crashes", 7)),
        ({"us": None}, set(), ("False", "NotReported", "us has not reported yet", 7)),
        (
            {"us": reported("True")},
            {"us"},
            ("Unknown", "MemberSilent", "nothing is heard of us", 7),
        ),
        (
            {"us": reported("True"), "eu": reported("True"), "apac": reported("False")},
            set(),
            ("False", "Told", "Ready 2/3; apac: it crashes", 7),
        ),
        (
            {"us": reported("True"), "eu": reported("True")},
            {"eu"},
            ("Unknown", "MemberSilent", "Ready 1/2; eu: nothing is heard of eu", 7),
        ),
    ],
    ids=["ready", "broken", "not reported", "silent", "two of three", "one silent"],
)
async def test_the_hub_says_what_the_members_say(
    states: dict[str, Any], silent: set[str], said: tuple[str, str, str, int]
) -> None:
    desk = Desk(*placed(**states))
    desk.silences.names |= silent
    await desk.reconcile()
    assert desk.ready() == said


async def test_one_cluster_is_mirrored_to_the_letter() -> None:
    desk = Desk(*placed(us=reported("True")))
    await desk.reconcile()
    status = desk.workspace.status
    assert (status.state, status.worker_nodes, status.target_node_count) == ("Ready", ("n",), 1)


async def test_a_member_that_answers_again_is_believed_again() -> None:
    desk = Desk(*placed(us=reported("True")))
    desk.silences.names.add("us")
    await desk.reconcile()
    desk.silences.names.clear()
    await desk.reconcile()
    assert desk.ready()[:2] == ("True", "Told")


async def test_what_was_never_placed_has_no_status() -> None:
    desk = Desk(workspace(), member("us"))
    await desk.reconcile()
    assert desk.workspace.status.conditions == ()


async def test_the_cluster_that_was_let_go_does_not_count_beside_another() -> None:
    phi = workspace()
    left = binding("us", phi, BindingState.UNSCHEDULED)
    desk = Desk(
        *placed(eu=reported("True")), member("us"), left, work("us", phi, reported("False"))
    )
    await desk.reconcile()
    assert desk.ready()[:3] == ("True", "Told", "")


async def test_the_cluster_that_was_let_go_counts_while_there_is_no_other() -> None:
    phi = workspace()
    left = binding("us", phi, BindingState.UNSCHEDULED)
    desk = Desk(phi, snapshot(phi, 7), member("us"), left, work("us", phi, reported("True")))
    await desk.reconcile()
    assert desk.ready()[:2] == ("True", "Told")


def _elsewhere() -> list[Any]:
    """Take away the member, so that its Work belongs to nobody."""
    return [part for part in placed(us=reported("True")) if not isinstance(part, MemberCluster)]


def _dying() -> list[Any]:
    parts = placed(us=reported("True"))
    dying = parts.pop()
    dying["metadata"] |= {"deletionTimestamp": NOON.isoformat(), "finalizers": ["x"]}
    return [*parts, dying]


@pytest.mark.parametrize("parts", [_elsewhere(), _dying()], ids=["no member", "a dying Work"])
async def test_a_work_that_does_not_count_says_nothing(parts: list[Any]) -> None:
    desk = Desk(*parts)
    await desk.reconcile()
    assert desk.workspace.status.conditions == ()


async def test_a_generation_that_is_not_known_keeps_the_last_one() -> None:
    desk = Desk(*placed(us=reported("True")))
    await desk.reconcile()
    assert desk.ready()[3] == 7
    changed = {"spec": {"workload": {"manifests": [{"kind": "X"}]}}}
    desk.client.put(applied("us", workspace(), reported("True")) | changed)
    desk.client.put(snapshot(workspace(), 8))
    await desk.reconcile()
    assert desk.ready()[3] == 7


async def test_a_status_that_cannot_be_read_counts_as_none() -> None:
    desk = Desk(*placed(us={"conditions": "none of them"}))
    await desk.reconcile()
    assert desk.ready()[:2] == ("False", "NotReported")


async def test_an_inference_set_sums_its_replicas() -> None:
    sets = inference_set("qwen")
    told = condition("InferenceSetReady", "True", "Told")
    status = {"replicas": 2, "readyReplicas": 2, "conditions": [told], "selector": "a=b"}
    shares = [
        part
        for cluster in ("us", "eu")
        for part in (member(cluster), binding(cluster, sets), work(cluster, sets, status))
    ]
    desk = Desk(sets, snapshot(sets, 3), *shares, kind=InferenceSet)
    await desk.reconcile(Key(NAMESPACE, "qwen"))
    (live,) = desk.client.all(InferenceSet)
    assert (live.status.replicas, live.status.ready_replicas) == (4, 4)
    assert live.status.selector == "a=b"
    assert [(c.type, c.message) for c in live.status.conditions] == [
        ("InferenceSetReady", "Ready 2/2")
    ]
    assert live.spec.replicas == 2


@given(
    states=st.dictionaries(
        st.sampled_from(["us", "eu", "apac"]),
        st.sampled_from([None, reported("True"), reported("False", "Failed")]),
    ),
    silent=st.sets(st.sampled_from(["us", "eu"])),
)
async def test_reporting_again_writes_nothing(states: dict[str, Any], silent: set[str]) -> None:
    desk = Desk(*placed(**states))
    desk.silences.names |= silent
    await desk.reconcile()
    desk.client.writes_left = 0
    await desk.reconcile()


def _reports(desk: Desk) -> None:
    desk.client.put(work("us", workspace(), reported("False")))


def _is_let_go(desk: Desk) -> None:
    desk.client.put(binding("us", workspace(), BindingState.UNSCHEDULED))


def _moves(desk: Desk) -> None:
    desk.client.put(member("us", gateway=False))


def _falls_silent(desk: Desk) -> None:
    for listener in desk.silences.listeners:
        listener("us")


def _is_edited(desk: Desk) -> None:
    desk.client.put(workspace(preset="other"))


@pytest.mark.parametrize("happens", [_reports, _is_let_go, _moves, _falls_silent, _is_edited])
async def test_a_workload_is_looked_at_when_a_share_of_it_changes(
    happens: Callable[[Desk], None],
) -> None:
    sets = inference_set("qwen")
    desk = Desk(*placed(us=reported("True")), work("eu", sets, None), sets)
    await desk.look()
    queue = WorkQueue(lambda: 0.0)
    desk.reporter.wake(queue)
    desk.client.feed(*desk.reporter.reads)
    happens(desk)
    assert await queue.get() == KEY
    assert len(queue) == 0


async def test_a_heartbeat_wakes_nobody() -> None:
    desk = Desk(*placed(us=reported("True")))
    await desk.look()
    queue = WorkQueue(lambda: 0.0)
    desk.reporter.wake(queue)
    desk.client.feed(*desk.reporter.reads)
    live = member("us").manifest()
    beat = {"type": "MemberAgent", "lastReceivedHeartbeat": NOON.isoformat()}
    desk.client.put(live | {"status": live["status"] | {"agentStatus": [beat]}})
    assert len(queue) == 0
