"""Pods that KAITO made bear what gateways look for, where the hub had their workload placed."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.api import names
from fleet.api.core import Pod
from fleet.api.objects import Key, Resource
from fleet.api.workspace import InferenceSet, Workspace
from fleet.kube.queue import WorkQueue
from fleet.testing.client import FakeClient
from fleet.testing.workloads import inference_set, workspace
from hub.controllers.endpoints.plan import service_of
from member_agent.controllers.kaito_pods.handlers import KaitoPods
from member_agent.kinds import Kinds

PHI, PRESET = Key("demo", "phi"), "phi-4-mini-instruct"
WORK = {"apiVersion": "x/v1", "kind": "AppliedWork", "name": "w", "uid": "w"}
QWEN = {"apiVersion": "kaito.sh/v1beta1", "kind": "InferenceSet", "name": "qwen", "uid": "q"}
ROLE = {"multiroleinference.kaito.sh/created-by": "qwen"}


def placed(**more: Any) -> Workspace:
    return workspace(PHI.name, ownerReferences=[WORK], **more)


def replica(**labels: str) -> Workspace:
    """Give what KAITO makes of an InferenceSet: nothing of its annotations is handed down."""
    made = {names.INFERENCE_SET: "qwen", **labels}
    return workspace(PHI.name, preset="qwen2-7b", labels=made, ownerReferences=[QWEN])


def whole(**more: Any) -> InferenceSet:
    return inference_set("qwen", **{"ownerReferences": [WORK], **more})


def pod(name: str = "phi-0", **labels: str) -> Pod:
    """Give a pod as KAITO's template has it, and the StatefulSet controller its index."""
    own = {names.WORKSPACE: PHI.name, names.POD_INDEX: name[-1], **labels}
    metadata = {"name": name, "namespace": PHI.namespace, "uid": f"uid-{name}", "labels": own}
    return Pod.model_validate({"metadata": metadata})


class Member:
    """A member of dictionaries, and the controller on it."""

    def __init__(self, *resources: Resource) -> None:
        self.client = FakeClient(*resources)
        self.reads = Kinds("us").for_kaito_pods()
        self.client.feed(*self.reads)
        self.pods = KaitoPods(client=self.client.as_manager("kaito-pods"), reads=self.reads)

    async def reconcile(self) -> None:
        for cache in self.reads:
            await self.client.relist(cache)
        await self.pods.reconcile(PHI)

    def marks(self) -> dict[str, tuple[str, str]]:
        return {
            each.name: (
                each.metadata.labels.get(names.SERVICE, ""),
                each.metadata.annotations.get(names.MODEL, ""),
            )
            for each in self.client.all(Pod)
        }


TEMPLATE: Mapping[str, Any] = {"template": {"spec": {"containers": []}}}


@pytest.mark.parametrize(
    ("workloads", "marked"),
    [
        ([placed()], (PRESET, PRESET)),
        ([placed(preset="Qwen/Qwen3-0.6B")], ("qwen-qwen3-0-6b", "qwen3-0.6b")),
        ([placed(annotations={names.SERVICE: "chat"})], ("chat", PRESET)),
        ([placed(annotations={names.ENDPOINT_NAME: "Best One"})], ("best-one", PRESET)),
        ([placed().model_copy(update={"inference": None})], ("", "")),
        ([whole(), replica()], ("qwen2-7b", "qwen")),
        ([whole(annotations={names.SERVICE: "chat"}), replica()], ("chat", "qwen")),
        ([whole(), replica(**ROLE)], ("qwen2-7b", "qwen2-7b")),
        ([workspace(PHI.name)], ("", "")),
        ([whole(ownerReferences=[]), replica()], ("", "")),
        ([replica()], ("", "")),
        ([], ("", "")),
    ],
    ids=[
        "a Workspace",
        "a model of Hugging Face",
        "a service of its own",
        "a name of its own",
        "a Workspace that tunes",
        "a replica",
        "a replica with a service of its own",
        "a role of several",
        "a Workspace of the member's user",
        "an InferenceSet of the member's user",
        "a replica whose InferenceSet is gone",
        "nobody",
    ],
)
async def test_a_pod_bears_the_service_of_the_hub_and_the_name_that_kaito_serves(
    workloads: list[Resource], marked: tuple[str, str]
) -> None:
    member = Member(*workloads, pod("phi-0"), pod("phi-1"))
    await member.reconcile()
    assert set(member.marks().values()) == {marked}


@pytest.mark.parametrize("notes", [{}, {names.SERVICE: "chat"}, {names.ENDPOINT_NAME: "Best"}])
async def test_the_service_is_called_as_the_hub_calls_it(notes: Mapping[str, str]) -> None:
    for workload in (placed(annotations=notes), whole(annotations=notes)):
        member = Member(workload, *([replica()] if workload.name == "qwen" else []), pod())
        await member.reconcile()
        assert member.marks()["phi-0"][0] == service_of(workload)


async def test_a_template_serves_what_its_user_says_or_its_workspace_is_called() -> None:
    for notes, model in (({}, "phi"), ({names.MODEL: "llama"}, "llama")):
        served = placed(annotations=notes).model_dump() | {"inference": TEMPLATE}
        member = Member(Workspace.model_validate(served), pod())
        await member.reconcile()
        assert member.marks()["phi-0"] == ("phi", model)


async def test_only_pods_of_the_workspace_are_marked() -> None:
    others = (
        pod("qwen-0", **{names.WORKSPACE: "qwen"}),
        pod("web-0", **{names.WORKSPACE: ""}),
        pod("far-0", **{names.WORKSPACE_NAMESPACE: "elsewhere"}),
    )
    member = Member(placed(), pod(), *others)
    await member.reconcile()
    assert {name for name, mark in member.marks().items() if any(mark)} == {"phi-0"}


async def test_a_pod_of_ours_keeps_what_its_template_says() -> None:
    born = pod(**{names.SERVICE: "chat"})
    member = Member(placed(), born)
    await member.reconcile()
    assert member.marks() == {"phi-0": ("chat", "")}


async def test_what_a_pod_is_besides_stays_as_it_is() -> None:
    member = Member(placed(), pod(team="ml"))
    (before,) = member.client.bodies(Pod)
    await member.reconcile()
    (after,) = member.client.bodies(Pod)
    labels = after["metadata"]["labels"]
    assert labels == before["metadata"]["labels"] | {names.SERVICE: PRESET}


@given(st.lists(st.sampled_from(["", "chat", "best"]), max_size=4))
async def test_marking_again_does_nothing_and_another_service_is_followed(
    services: list[str],
) -> None:
    member = Member(placed(), pod())
    for service in services:
        member.client.put(placed(annotations={names.SERVICE: service}))
        member.client.put(pod(f"phi-{len(member.marks())}"))
        await member.reconcile()
        assert set(member.marks().values()) == {(service or PRESET, PRESET)}
        version = member.client.server.version
        await member.reconcile()
        assert member.client.server.version == version


async def test_whatever_decides_a_mark_wakes_the_workspace() -> None:
    member = Member(whole(), replica())
    for cache in member.reads:
        await member.client.relist(cache)
    for change in (
        pod(),
        whole(annotations={names.SERVICE: "chat"}),
        replica(team="ml"),
    ):
        queue = WorkQueue(lambda: 0.0)
        member.pods.wake(queue)
        member.client.put(change)
        assert len(queue) == 1
