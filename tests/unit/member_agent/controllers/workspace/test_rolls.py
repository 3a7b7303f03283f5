"""How a changed Workspace comes to its new pods, on a cluster that lives."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.api import names
from fleet.api.core import ConfigMap, StatefulSet
from fleet.api.objects import Metadata, Resource
from fleet.api.workspace import Workspace, WorkspaceState
from fleet.kube.errors import TransientError
from tests.unit.member_agent.controllers.workspace.member import phi
from tests.unit.member_agent.controllers.workspace.nature import Nature
from tests.unit.member_agent.hardware import A10, A100, A100X4, PHI, node, pool

TUNED = {"preset": {"name": "phi-4-mini-instruct"}, "config": "tuned"}
UPDATING = "WorkspaceInferenceStatusUpdating"


def config(length: int) -> ConfigMap:
    named = Metadata(name="tuned", namespace=PHI.namespace)
    text = f'{{"vllm": {{"max-model-len": {length}}}}}'
    return ConfigMap(metadata=named, data={"inference_config.yaml": text})


def tuned(name: str = PHI.name, *, of: str = "", **more: Any) -> Workspace:
    body = phi(name, inference=TUNED, **more).manifest()
    if of:
        body["metadata"]["labels"] = {names.INFERENCE_SET: of}
    return Workspace.model_validate(body)


async def served(*resources: Resource, workspaces: tuple[Workspace, ...] = ()) -> Nature:
    """Build a member whose Workspaces serve with the first config."""
    member = Nature(*resources, *(workspaces or (tuned(instanceType=A100),)), config(1))
    await member.rest()
    for workspace in member.client.all(Workspace):
        assert member.settled(workspace.key)
    return member


def serving(member: Nature, least: int = 1) -> Callable[[], None]:
    """Make a check that enough pods answer, and that no report is ahead of them."""

    def check() -> None:
        assert len(member.answering()) >= least
        for workspace in member.client.all(Workspace):
            engines = pair_of(workspace)
            mine = [pod for pod in member.answering() if pod.name.rpartition("-")[0] in engines]
            wanted = member.client.all(ConfigMap)[0].data["inference_config.yaml"]
            new = [arg for arg in member.arguments(mine) if arg.partition("=")[2] in wanted]
            assert new or not member.settled(workspace.key)

    return check


def pair_of(workspace: Workspace) -> tuple[str, str]:
    digest = names.digest(workspace.metadata.uid, "engine")
    return workspace.name, f"{workspace.name}-{digest}"


BESIDE: dict[str, tuple[list[Resource], Workspace]] = {
    "a node can be had": ([pool(limit=2)], tuned(instanceType=A100)),
    "a node is free": ([node("n1"), node("n2")], tuned(instanceType=A100)),
    "its own node has a free GPU": (
        [node("n1", A100X4, gpus=4)],
        tuned(instanceType=A100X4, annotations={names.GPUS_PER_REPLICA: "1"}),
    ),
    "a node is free, another was bought": (
        [node("n1", unschedulable=True), pool(limit=2)],
        tuned(instanceType=A100),
    ),
}


@pytest.mark.parametrize("where", BESIDE)
async def test_new_pods_come_up_beside_the_old_ones_where(where: str) -> None:
    resources, workspace = BESIDE[where]
    member = await served(*resources, workspaces=(workspace,))
    before = len(member.kept())
    for length in (2, 3):
        member.client.put(config(length))
        await member.rest(serving(member))
        assert member.settled(PHI)
        assert member.arguments(member.pods()) == {f"--max-model-len={length}"}
        assert len(member.pods()) == 1
        assert len(member.kept()) == len(member.claims()) == before
        assert set(member.workspace().status.worker_nodes) == member.nodes_used()
    assert member.engines() == ["phi"]


async def test_a_changed_adapter_comes_up_beside_what_serves() -> None:
    member = Nature(pool(limit=2), adapted("sql:1"))
    await member.rest()
    member.client.put(adapted("sql:2", of=member.workspace()))

    def check() -> None:
        assert member.answering(), "one of them always answers"

    await member.rest(check)
    (pod,) = member.pods()
    assert member.settled(PHI)
    assert member.engines() == [pair_of(member.workspace())[1]]
    (engine,) = member.client.all(StatefulSet)
    (puller,) = engine.spec.template["spec"]["initContainers"]
    assert puller["env"][0] == {"name": "IMAGE", "value": "example/sql:2"}
    assert pod.name.startswith(engine.name)


def adapted(image: str, of: Workspace | None = None) -> Workspace:
    """Write a preset with an adapter, or change the one that `of` has."""
    source = {"name": "sql", "image": f"example/{image}"}
    served = {"preset": TUNED["preset"], "adapters": [{"source": source}]}
    made = phi(inference=served, instanceType=A100)
    return of.model_copy(update={"inference": made.inference}) if of else made


async def test_the_engine_beside_is_named_after_its_workspace_and_told_apart() -> None:
    member = await served(pool())
    member.client.put(config(2))
    await member.rest()
    (engine,) = member.client.all(StatefulSet)
    assert engine.name == pair_of(member.workspace())[1] != "phi"
    told = {names.WORKSPACE: "phi", names.ENGINE: engine.name}
    assert engine.spec.selector.match_labels == told
    assert told.items() <= engine.spec.template["metadata"]["labels"].items()
    assert engine.spec.service_name == "phi-headless"
    assert engine.metadata.annotations[names.WORKSPACE_REVISION] == "2"


async def test_without_room_the_pod_is_replaced_where_it_is() -> None:
    member = await served(pool(limit=1))
    member.client.put(config(2))
    await member.rest()
    assert member.settled(PHI)
    assert member.engines() == ["phi"]
    assert member.arguments(member.pods()) == {"--max-model-len=2"}


async def test_how_far_it_is_is_told_from_the_first_look_to_the_last() -> None:
    member = await served(pool())
    member.client.put(config(2))
    told: list[str] = []

    def hear() -> None:
        said = member.said("InferenceReady")
        if said[2] not in told:
            told.append(said[2])
        assert said[0] == "True" or said[1] == UPDATING
        assert member.condition("ResourceReady").true

    await member.rest(hear)
    earlier = "the earlier engine answers still:"
    assert told == [
        f"{earlier} asks for 1 of 1 nodes of type {A100}",
        f"{earlier} the new one is being started",
        f"{earlier} 0 of 1 new pods are ready",
        "the engine answers",
    ]


async def test_new_pods_that_do_not_come_up_leave_the_old_ones() -> None:
    member = await served(pool())
    member.broken = lambda pod: "--max-model-len=2" in pod.spec.containers[0].args
    member.client.put(config(2))
    await member.rest(serving(member))
    assert len(member.engines()) == 2
    assert member.said("InferenceReady")[:2] == ("False", UPDATING)
    assert member.workspace().status.state is WorkspaceState.NOT_READY
    member.client.put(config(3))
    await member.rest(serving(member))
    assert member.settled(PHI)
    assert member.arguments(member.pods()) == {"--max-model-len=3"}


async def test_what_is_taken_back_gives_the_new_engine_up() -> None:
    member = await served(pool())
    member.broken = lambda pod: "--max-model-len=2" in pod.spec.containers[0].args
    member.client.put(config(2))
    await member.rest(serving(member))
    member.client.put(config(1))
    await member.rest(serving(member))
    assert member.settled(PHI)
    assert member.engines() == ["phi"]
    assert len(member.claims()) == 1


async def test_what_does_not_answer_is_replaced_at_once() -> None:
    member = Nature(pool(), tuned(instanceType=A100), config(1))
    member.broken = lambda pod: "--max-model-len=1" in pod.spec.containers[0].args
    await member.rest()
    member.client.put(config(2))
    await member.rest()
    assert member.settled(PHI)
    assert member.engines() == ["phi"]
    assert len(member.claims()) == 1


async def test_another_type_of_node_comes_before_the_old_one_goes() -> None:
    member = await served(pool(limit=1), pool("a10", A10, limit=1))
    member.client.put(tuned(instanceType=A10))
    await member.rest(serving(member))
    assert member.settled(PHI)
    (kept,) = member.claims()
    assert kept.metadata.labels[names.NODE_POOL] == "a10"


async def test_a_type_that_is_sold_out_does_not_hold_a_change_up() -> None:
    member = await served(pool(limit=2))
    member.client.put(config(2))
    await member.reconcile()
    (claim,) = [claim for claim in member.claims() if not claim.status.node_name]
    await member.lose(claim, "none left")
    await member.rest()
    assert member.settled(PHI)
    assert member.engines() == ["phi"]
    assert member.arguments(member.pods()) == {"--max-model-len=2"}


async def test_a_workspace_that_is_deleted_in_the_middle_leaves_nothing() -> None:
    member = await served(pool())
    member.client.put(config(2))
    await member.live(2)
    assert len(member.engines()) == 2
    await member.client.delete(member.workspace())
    await member.rest()
    assert member.client.all(Workspace) == []
    assert (member.engines(), member.claims(), member.pods()) == ([], [], [])


async def test_a_node_whose_pod_never_ends_is_given_back_all_the_same() -> None:
    member = await served(pool())
    member.lost = lambda pod: "--max-model-len=1" in pod.spec.containers[0].args
    member.client.put(config(2))
    await member.rest()
    assert len(member.claims()) == 2
    member.later(minutes=6)
    await member.reconcile()
    assert len(member.kept()) == 1


REPLICAS = tuple(tuned(f"phi-{x}", of="phi", instanceType=A100) for x in "abc")


@pytest.mark.parametrize(("limit", "least"), [(3, 2), (4, 3)], ids=["no GPU is free", "one is"])
async def test_replicas_change_one_after_another(limit: int, least: int) -> None:
    member = await served(pool(limit=limit), workspaces=REPLICAS)
    member.client.put(config(2))
    await member.rest(serving(member, least))
    assert all(member.settled(each.key) for each in REPLICAS)
    assert member.arguments(member.pods()) == {"--max-model-len=2"}
    assert len(member.claims()) == 3


async def test_a_replica_that_does_not_come_up_again_holds_the_others() -> None:
    member = await served(pool(limit=3), workspaces=REPLICAS)
    member.broken = lambda pod: "--max-model-len=2" in pod.spec.containers[0].args
    member.client.put(config(2))
    await member.rest(serving(member, 2))
    told = "the earlier engine answers still: waits until replica phi-a is done"
    assert member.said("InferenceReady", "phi-b") == ("False", UPDATING, told)


async def test_a_replica_without_a_node_holds_nobody() -> None:
    member = Nature(pool(limit=2), *REPLICAS, config(1))
    await member.rest()
    member.client.put(config(2))
    await member.rest(serving(member))
    assert len(member.answering()) == 2
    assert member.arguments(member.answering()) == {"--max-model-len=2"}


@pytest.mark.parametrize("writes", range(12))
async def test_a_crash_between_any_two_writes_of_a_roll_ends_in_the_same_state(
    writes: int,
) -> None:
    member = await served(pool())
    member.client.put(config(2))
    for turn in range(8):
        member.client.writes_left = 99
        await member.turn()
        member.client.writes_left = writes if turn % 2 else 1
        with suppress(TransientError):
            await member.reconcile()
        member.start()
    member.client.writes_left = 999
    await member.rest(serving(member))
    assert member.settled(PHI)
    assert member.arguments(member.pods()) == {"--max-model-len=2"}
    assert len(member.claims()) == 1


STEPS = st.lists(
    st.tuples(st.sampled_from(["length", "type", "break", "mend"]), st.integers(0, 9)), max_size=3
)


@settings(max_examples=15, deadline=None)
@given(steps=STEPS, limit=st.integers(1, 3))
async def test_whatever_changes_while_it_changes_what_serves_goes_only_for_what_does(
    steps: list[tuple[str, int]], limit: int
) -> None:
    member = Nature(pool(limit=limit), pool("a10", A10, limit=limit), config(1))
    member.client.put(tuned(instanceType=A100))
    await member.rest()
    length = 1
    for what, turns in steps:
        if what == "length":
            length += 1
            member.client.put(config(length))
        elif what == "type":
            member.client.put(tuned(instanceType=A10 if turns % 2 else A100))
        else:
            member.broken = _broken(length) if what == "break" else _sound
        await member.live(turns, serving(member, 1 if limit > 1 else 0))
    member.broken = _sound
    await member.rest(serving(member, 1 if limit > 1 else 0))
    assert member.settled(PHI)
    assert len(member.engines()) == len(member.claims()) == 1
    assert member.arguments(member.pods()) == {f"--max-model-len={length}"}


def _sound(_: Any) -> bool:
    return False


def _broken(length: int) -> Callable[[Any], bool]:
    return lambda pod: f"--max-model-len={length}" in pod.spec.containers[0].args
