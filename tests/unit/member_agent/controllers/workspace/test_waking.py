"""What wakes a Workspace: its own parts, and nodes that come free for those that lack some."""

from collections.abc import Callable
from typing import Any

import pytest

from fleet.api import names
from fleet.api.core import ConfigMap, Pod
from fleet.api.objects import Key, Metadata
from fleet.api.workspace import Workspace
from fleet.kube.queue import WorkQueue
from tests.unit.member_agent.controllers.workspace.member import Member, phi
from tests.unit.member_agent.hardware import PHI, claim, condition, node, pod, pool

OTHER = Key("demo", "other")


class Sleeper:
    """Workspaces that have settled, and a queue that hears of what changes since."""

    def __init__(self, member: Member) -> None:
        self.member, self.queue = member, WorkQueue(lambda: 0.0)

    async def sleep(self) -> None:
        for name in ("phi", "other"):
            await self.member.settle(Key("demo", name))
        self.member.workspaces.wake(self.queue)

    async def woken(self) -> set[str]:
        keys = [await self.queue.get() for _ in range(len(self.queue))]
        for key in keys:
            self.queue.done(key)
        return {key.name for key in keys}


async def asleep(*resources: Any) -> Sleeper:
    """Let phi have the node n1, and other lack one."""
    sleeper = Sleeper(Member(node("n1"), *resources, phi(), phi("other")))
    await sleeper.sleep()
    return sleeper


def own_pod() -> Pod:
    body = pod("phi-0").manifest()
    body["metadata"]["labels"] = {names.WORKSPACE: "phi"}
    return Pod.model_validate(body)


CHANGES: dict[str, tuple[Callable[[], Any], set[str]]] = {
    "a claim of its own": (lambda: claim(owner=PHI), {"phi", "other"}),
    "a claim of somebody else": (lambda: claim(owner=Key("x", "y")), {"y", "other"}),
    "a node that it has": (lambda: node("n1", ready=False), {"phi", "other"}),
    "a node": (lambda: node("n2"), {"other"}),
    "a pool": (pool, {"other"}),
    "a pod of its own": (own_pod, {"phi", "other"}),
    "a pod that takes a GPU": (pod, {"other"}),
    "a ConfigMap that nobody names": (
        lambda: ConfigMap(metadata=Metadata(name="x", namespace="demo")),
        set(),
    ),
}


@pytest.mark.parametrize("what", CHANGES)
async def test_a_change_wakes_whom_it_concerns(what: str) -> None:
    made, woken = CHANGES[what]
    sleeper = await asleep()
    sleeper.member.client.put(made())
    assert await sleeper.woken() == woken


async def test_the_config_that_a_workspace_names_wakes_it() -> None:
    served = phi(inference={"preset": {"name": "phi-4-mini-instruct"}, "config": "tuned"})
    sleeper = Sleeper(Member(served))
    sleeper.member.workspaces.wake(sleeper.queue)
    await sleeper.member.look()
    await sleeper.woken()
    sleeper.member.client.put(ConfigMap(metadata=Metadata(name="tuned", namespace="demo")))
    assert await sleeper.woken() == {"phi"}


UPDATING = condition("InferenceReady", "False", reason="WorkspaceInferenceStatusUpdating")


def replica(name: str, **status: Any) -> Workspace:
    body = phi(name).manifest()
    body["metadata"]["labels"] = {names.INFERENCE_SET: "phi"}
    ready = [{**condition("ResourceReady"), "observedGeneration": 1}]
    said = {"conditions": [*ready, *status.pop("conditions", ())], **status}
    return Workspace.model_validate(body | {"status": said})


async def test_a_replica_that_waits_for_another_wakes_when_that_one_goes_on() -> None:
    waits = {"conditions": [{**UPDATING, "observedGeneration": 1}]}
    member = Member(replica("phi-a"), replica("phi-b", **waits), replica("phi-c"))
    queue = WorkQueue(lambda: 0.0)
    await member.look()
    member.workspaces.wake(queue)
    member.client.put(replica("phi-a", **waits))
    assert {(await queue.get()).name for _ in range(len(queue))} == {"phi-a", "phi-b"}


async def test_a_node_that_a_deleted_workspace_leaves_wakes_those_that_lack_one() -> None:
    sleeper = await asleep()
    member = sleeper.member
    await member.client.delete(member.workspace())
    await member.settle()
    assert await sleeper.woken() == {"phi", "other"}
    await member.settle(OTHER)
    assert member.workspace("other").status.worker_nodes == ("n1",)


async def test_a_node_that_a_pod_leaves_wakes_those_that_lack_one() -> None:
    sleeper = await asleep(node("n2"), pod(on="n2"))
    sleeper.member.client.put(pod(on="n2", phase="Pending"))
    assert await sleeper.woken() == set()
    sleeper.member.client.put(pod(on="n2", phase="Failed"))
    assert await sleeper.woken() == {"other"}
    await sleeper.member.client.delete(pod(on="n2"))
    assert await sleeper.woken() == {"other"}


async def test_pods_without_gpus_and_without_nodes_wake_nobody() -> None:
    sleeper = await asleep()
    for each in (pod("a", gpus=0), pod("b", on="")):
        sleeper.member.client.put(each)
        await sleeper.member.client.delete(each)
    assert await sleeper.woken() == set()


async def test_the_engines_news_wake_it() -> None:
    sleeper = await asleep()
    sleeper.member.run(pods=False)
    assert await sleeper.woken() == {"phi"}
