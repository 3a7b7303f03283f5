"""The whole reconcile of a Workspace, against a member that keeps its state."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.api import names
from fleet.api.core import ConfigMap, Service
from fleet.api.objects import Metadata
from fleet.api.workspace import Workspace, WorkspaceState
from fleet.kube.errors import ConflictError, TransientError
from tests.unit.member_agent.controllers.workspace.member import IMAGE, Member, phi
from tests.unit.member_agent.hardware import A10, A100, MIDNIGHT, PHI, node, pool

LLAMA = "llama-3.3-70b-instruct"


def allocation(kind: str, **more: Any) -> dict[str, str]:
    given: dict[str, Any] = {"kind": "Workspace", "namespace": PHI.namespace, "name": PHI.name}
    given |= {"instanceType": kind, "gpusPerReplica": 1, "usdPerHour": "3.84", **more}
    return {names.ALLOCATION: json.dumps(given)}


async def test_a_workspace_gets_its_claim_then_its_engine_and_is_ready() -> None:
    member = Member(pool(), phi())
    await member.settle()
    (claim,) = member.claims()
    assert member.workspace().metadata.finalizers == (names.WORKSPACE_FINALIZER,)
    assert member.engine() is None
    assert member.workspace().status.state is WorkspaceState.PENDING
    member.launch()
    await member.settle()
    assert member.engine()
    assert member.services() == ["phi", "phi-headless"]
    member.run()
    await member.settle()
    status = member.workspace().status
    assert (status.state, status.target_node_count) == (WorkspaceState.READY, 1)
    assert status.worker_nodes == (f"node-{claim.name}",)
    assert {c.type: c.reason for c in status.conditions if c.true} == {
        "NodeClaimReady": "NodeClaimsReady",
        "NodesReady": "NodesReady",
        "ResourceReady": "workspaceResourceStatusSuccess",
        "InferenceReady": "WorkspaceInferenceStatusSuccess",
        "WorkspaceSucceeded": "workspaceSucceeded",
    }
    assert {c.observed_generation for c in status.conditions} == {1}


KINDS = st.sampled_from([A10, A100])
MEMBERS = st.fixed_dictionaries(
    {
        "nodes": st.lists(st.tuples(KINDS, st.booleans()), max_size=3),
        "pools": st.lists(st.tuples(KINDS, st.sampled_from([0, 1, 3, None])), max_size=2),
        "preset": st.sampled_from(["phi-4-mini-instruct", LLAMA, "no-such-model"]),
        "resource": st.fixed_dictionaries({}, optional={"instanceType": KINDS}),
        "annotations": st.sampled_from([{}, allocation(A10), allocation(A100, nodesPerReplica=2)]),
    }
)
STEPS = st.lists(st.sampled_from(["launch", "stall", "lose", "end", "run", "wait"]), max_size=6)


def made(facts: dict[str, Any]) -> Member:
    """Build a member and a Workspace on it."""
    nodes = [node(f"n{i}", kind, ready=ready) for i, (kind, ready) in enumerate(facts["nodes"])]
    pools = [pool(f"p{i}", kind, limit=limit) for i, (kind, limit) in enumerate(facts["pools"])]
    asked = {name: facts[name] for name in ("preset", "annotations")}
    return Member(*nodes, *pools, phi(**asked, **facts["resource"]))


async def befall(member: Member, step: str) -> None:
    claims = [claim for claim in member.claims() if not claim.deleting]
    match step:
        case "launch":
            member.launch()
        case "stall":
            member.launch("Launched")
        case "lose" if claims:
            await member.lose(claims[0], "no instances left")
        case "end":
            for claim in member.claims():
                if claim.deleting:
                    await member.end(claim)
        case "run" if member.engine():
            member.run()
        case _:
            member.later(minutes=2)


@settings(max_examples=60)
@given(facts=MEMBERS, steps=STEPS)
async def test_reconciling_again_writes_nothing(facts: dict[str, Any], steps: list[str]) -> None:
    member = made(facts)
    for step in steps:
        await member.settle()
        await befall(member, step)
    await member.settle()
    member.client.writes_left = 0
    await member.reconcile()


@settings(max_examples=60)
@given(facts=MEMBERS, steps=STEPS)
async def test_a_pool_never_gives_more_gpus_than_its_limit(
    facts: dict[str, Any], steps: list[str]
) -> None:
    member = made(facts)
    for step in (*steps, "wait"):
        await member.settle()
        await befall(member, step)
        for index, (_, limit) in enumerate(facts["pools"]):
            pools = [claim.metadata.labels[names.NODE_POOL] for claim in member.claims()]
            assert limit is None or pools.count(f"p{index}") <= limit


@pytest.mark.parametrize("deleted", [False, True], ids=["made", "deleted"])
@pytest.mark.parametrize("writes", range(7))
async def test_a_crash_between_any_two_writes_ends_in_the_same_state(
    writes: int, *, deleted: bool
) -> None:
    calm, shaken = Member(pool(), phi()), Member(pool(), phi())
    for member in (calm, shaken):
        await member.settle()
        member.launch()
        if deleted:
            await member.settle()
            await member.client.delete(member.workspace())
    shaken.client.writes_left = writes
    with suppress(TransientError):
        await shaken.settle()
    shaken.client.writes_left = 99
    for member in (calm, shaken):
        await member.settle()
    assert _facts(shaken) == _facts(calm)


def _facts(member: Member) -> object:
    workspaces = [(w.metadata.finalizers, w.status) for w in member.client.all(Workspace)]
    claims = [(c.name, c.deleting, c.metadata.finalizers) for c in member.claims()]
    engine = member.engine()
    return workspaces, claims, engine and engine.spec, member.services()


async def test_a_deleted_workspace_goes_after_its_engine_and_its_claims() -> None:
    """A node waits for its pods, and those of an engine are not to be evicted."""
    member = Member(pool(), phi())
    await member.served()
    await member.client.delete(member.workspace())
    await member.settle()
    assert member.engine() is None
    (claim,) = member.claims()
    assert claim.deleting
    assert member.workspace().metadata.finalizers
    await member.end(claim)
    await member.settle()
    assert member.client.all(Workspace) == []
    assert member.claims() == []


async def test_claims_that_a_vanished_workspace_left_behind_go() -> None:
    member = Member(pool(), phi())
    await member.settle()
    member.client.server._drop(next(a for a in member.client.objects if a.kind == "Workspace"))
    await member.settle()
    assert member.claims() == []


async def test_a_workspace_that_cannot_be_read_keeps_its_nodes() -> None:
    member = Member(pool(), phi())
    await member.served()
    body = member.workspace().manifest()
    member.client.put(body | {"status": {**body["status"], "state": "Unheard"}})
    member.start()
    await member.settle()
    assert [claim.deleting for claim in member.claims()] == [False]


async def test_a_workspace_deleted_meanwhile_does_not_come_back() -> None:
    member = Member(pool(), phi())
    await member.look()
    member.client.server.watchers.clear()
    await member.client.delete(member.workspace())
    with pytest.raises(ConflictError):
        await member.workspaces.reconcile(PHI)
    assert member.client.all(Workspace) == []


async def test_what_belongs_to_somebody_else_stays_and_no_node_is_bought_meanwhile() -> None:
    member = Member(pool(), phi())
    other = {"apiVersion": "v1", "kind": "Service"}
    member.client.put(
        other | {"metadata": {"name": "phi", "namespace": "demo"}, "spec": {"ports": [{"port": 1}]}}
    )
    await member.settle()
    assert member.claims() == []
    assert member.said("WorkspaceSucceeded") == (
        "False",
        "workspaceFailed",
        "Service demo/phi was there before; it is not the Workspace's",
    )
    assert member.workspace().status.state is WorkspaceState.FAILED


async def test_a_claim_of_its_name_that_is_there_already_is_no_error() -> None:
    member = Member(pool(), phi())
    await member.look()
    member.client.server.watchers.clear()
    await member.workspaces.reconcile(PHI)
    await member.workspaces.reconcile(PHI)
    assert len(member.claims()) == 1


async def test_a_broken_config_leaves_what_runs() -> None:
    config = {"vllm": {"max-model-len": 4096}}
    served = phi(inference={"preset": {"name": "phi-4-mini-instruct"}, "config": "tuned"})
    member = Member(pool(), served)
    member.client.put(_config(json.dumps(config)))
    await member.served()
    engine = member.engine()
    member.client.put(_config("- not a map"))
    await member.settle()
    assert member.engine() == engine
    assert len(member.claims()) == 1
    workspace = member.workspace()
    assert workspace.status.worker_nodes == (f"node-{member.claims()[0].name}",)
    assert member.said("InferenceReady")[:2] == ("False", "WorkspaceInferenceStatusUpdating")
    assert "the earlier engine answers still: inference.config" in member.said("InferenceReady")[2]
    state, reason, message = member.said("WorkspaceSucceeded")
    assert (state, reason) == ("False", "workspaceFailed")
    assert message.endswith("inference_config.yaml is not a map with a map `vllm`")


def _config(text: str) -> ConfigMap:
    named = Metadata(name="tuned", namespace="demo")
    return ConfigMap(metadata=named, data={"inference_config.yaml": text})


async def test_an_edited_config_rolls_the_engine_out_anew() -> None:
    served = phi(inference={"preset": {"name": "phi-4-mini-instruct"}, "config": "tuned"})
    member = Member(pool(limit=1), served)
    member.client.put(_config('{"vllm": {"max-model-len": 4096}}'))
    await member.served()
    member.client.put(_config('{"vllm": {"max-model-len": 8192}}'))
    await member.settle()
    engine = member.engine()
    assert engine
    assert engine.spec.template["spec"]["containers"][0]["args"][-1] == "--max-model-len=8192"
    told = "the earlier engine answers still: 0 of 1 new pods are ready"
    assert member.said("InferenceReady") == ("False", "WorkspaceInferenceStatusUpdating", told)
    assert member.workspace().status.state is WorkspaceState.NOT_READY
    member.run(readyReplicas=0)
    await member.settle()
    assert member.said("InferenceReady")[1:] == (
        "WorkspaceInferenceStatusPending",
        "0 of 1 pods are ready",
    )
    member.run()
    await member.settle()
    assert member.workspace().status.state is WorkspaceState.READY


async def test_no_report_takes_an_earlier_engine_for_the_one_that_is_asked_for() -> None:
    """Between the write of the new form and the next look at it the old one says it is ready."""
    served = phi(inference={"preset": {"name": "phi-4-mini-instruct"}, "config": "tuned"})
    member = Member(pool(limit=1), served)
    member.client.put(_config('{"vllm": {"max-model-len": 4096}}'))
    await member.served()
    before = member.workspace().status.observed_inputs
    member.client.put(_config('{"vllm": {"max-model-len": 8192}}'))
    await member.reconcile()
    assert member.workspace().status.observed_inputs != before
    assert not member.condition("InferenceReady").true
    assert not member.condition("WorkspaceSucceeded").true


@pytest.mark.parametrize(
    "edit",
    [
        {"replicas": 7},
        {"template": {"metadata": {}, "spec": {"containers": [{"name": "x", "image": "y"}]}}},
    ],
)
async def test_an_engine_that_was_edited_by_hand_is_put_back(edit: dict[str, Any]) -> None:
    member = Member(pool(), phi())
    await member.served()
    before = member.engine()
    assert before
    body = before.manifest()
    member.client.put(body | {"spec": body["spec"] | edit})
    await member.settle()
    after = member.engine()
    assert after
    assert after.spec == before.spec


async def test_a_service_that_was_edited_by_hand_is_put_back() -> None:
    member = Member(pool(), phi())
    await member.served()
    before = member.client.all(Service)
    for service in before:
        body = service.manifest()
        elsewhere = {**service.spec.selector, names.WORKSPACE: "another"}
        member.client.put(body | {"spec": body["spec"] | {"selector": elsewhere}})
    await member.settle()
    assert [each.spec for each in member.client.all(Service)] == [each.spec for each in before]


async def test_a_node_lost_while_its_type_is_sold_out_is_told() -> None:
    member = Member(pool(), phi())
    await member.served()
    (claim,) = member.claims()
    until = MIDNIGHT.replace(hour=1).isoformat()
    note = {"until": until, "seconds": 3600, "claim": "another", "message": "none left"}
    await member.client.delete(claim)
    await member.settle()
    await member.end(member.claims()[0])
    member.client.put(pool(sold_out={A100: note}))
    await member.settle()
    assert member.claims() == []
    assert member.said("NodeClaimReady")[1] == "InsufficientCapacity"
    engine = member.engine()
    assert engine
    node_affinity = engine.spec.template["spec"]["affinity"]["nodeAffinity"]
    required = node_affinity["requiredDuringSchedulingIgnoredDuringExecution"]
    assert required["nodeSelectorTerms"], "the API server refuses a selector without terms"


async def test_the_status_of_others_is_left_alone() -> None:
    member = Member(pool(), phi())
    await member.settle()
    body = member.workspace().manifest()
    metrics = {"metrics": {"peak": {"value": "1"}}}
    member.client.put(body | {"status": {**body["status"], "performance": metrics}})
    await member.settle()
    member.launch()
    await member.settle()
    performance = member.workspace().status.performance
    assert performance
    assert performance.metrics["peak"].value == "1"


async def test_an_engine_that_kaito_made_runs_on_until_its_workspace_changes() -> None:
    member = Member(pool(limit=1), phi())
    await member.served()
    engine = member.engine()
    assert engine
    body = engine.manifest()
    theirs = body["metadata"] | {"annotations": {}}
    template = {"metadata": {}, "spec": {"containers": [{"name": "theirs", "image": "kaito"}]}}
    member.client.put(
        body | {"metadata": theirs, "spec": body["spec"] | {"template": template}},
    )
    before = member.client.server.version
    await member.settle()
    assert member.client.server.version == before
    changed = member.workspace().manifest()
    changed["metadata"]["generation"] = 2
    changed["inference"]["config"] = ""
    member.client.put(changed)
    await member.settle()
    ours = member.engine()
    assert ours
    assert ours.spec.template["spec"]["containers"][0]["image"] == IMAGE
