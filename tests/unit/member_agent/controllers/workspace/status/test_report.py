"""What a Workspace says of itself: every condition and reason, on the way to Ready and back."""

from typing import Any

import pytest

from fleet.api import names
from fleet.api.core import Pod
from fleet.api.karpenter import NodeClaim
from fleet.api.workspace import WorkspaceState
from tests.unit.member_agent.controllers.workspace.member import Member, phi
from tests.unit.member_agent.hardware import A10, condition, node, pool

LLAMA = "llama-3.3-70b-instruct"
PENDING, FALSE, TRUE = "workspacePending", "False", "True"


async def claimed(**claim: Any) -> Member:
    """Build a member whose Workspace has a claim with these conditions."""
    member = Member(pool(), phi())
    await member.settle()
    (made,) = member.claims()
    member.client.put(made.manifest() | {"status": claim})
    await member.settle()
    return member


async def test_a_claim_that_was_just_made_is_told() -> None:
    member = Member(pool(), phi(preset=LLAMA, instanceType="Standard_NC24ads_A100_v4"))
    await member.reconcile()
    told = "asks for 3 of 3 nodes of type Standard_NC24ads_A100_v4"
    assert member.said("NodeClaimReady") == (FALSE, "NodeClaimNotReady", told)
    assert member.said("NodesReady") == (FALSE, "NodeNotReady", "0 of 3 nodes are ready")
    assert member.said("InferenceReady") == (FALSE, "WorkspaceInferenceStatusPending", told)
    assert member.said("WorkspaceSucceeded") == (FALSE, PENDING, told)
    assert member.workspace().status.target_node_count == 3


STAGES: list[tuple[list[dict[str, Any]], tuple[str, str]]] = [
    ([], ("NodeClaimNotReady", "is not Launched yet")),
    (
        [condition("Launched", "Unknown", reason="AwaitingReconciliation", message="soon")],
        ("AwaitingReconciliation", "is not Launched yet: soon"),
    ),
    ([condition("Launched")], ("NodeClaimNotReady", "is not Registered yet")),
    (
        [
            condition("Launched"),
            condition("Registered"),
            condition("Initialized", "False", reason="ResourceNotRegistered"),
        ],
        ("ResourceNotRegistered", "is not Initialized yet"),
    ),
]


@pytest.mark.parametrize(("conditions", "told"), STAGES)
async def test_the_first_stage_that_a_claim_lacks_is_told_in_karpenters_words(
    conditions: list[dict[str, Any]], told: tuple[str, str]
) -> None:
    member = await claimed(conditions=conditions)
    _, reason, message = member.said("NodeClaimReady")
    (made,) = member.claims()
    assert (reason, message) == (told[0], f"NodeClaim {made.name} {told[1]}")
    assert member.said("ResourceReady")[2] == message


async def test_a_node_whose_gpus_are_not_there_yet_is_told() -> None:
    member = await claimed()
    member.launch()
    (made,) = member.claims()
    member.client.put(node(f"node-{made.name}", gpus=0, labels=made.metadata.labels))
    await member.settle()
    told = f"0 of 1 nodes are ready: node node-{made.name} offers 0 of 1 GPUs"
    assert member.said("NodeClaimReady") == (TRUE, "NodeClaimsReady", "all 1 NodeClaims are ready")
    assert member.said("NodesReady") == (FALSE, "NodePluginsNotReady", told)
    assert member.said("ResourceReady") == (FALSE, "workspaceResourceStatusNotReady", told)
    assert member.engine() is None


async def test_an_engine_that_starts_is_told() -> None:
    member = Member(node(), phi())
    await member.settle()
    assert member.said("InferenceReady") == (
        FALSE,
        "WorkspaceInferenceStatusPending",
        "0 of 1 pods are ready",
    )
    assert member.said("ResourceReady")[:2] == (TRUE, "workspaceResourceStatusSuccess")
    assert member.said("WorkspaceSucceeded")[1:] == (PENDING, "0 of 1 pods are ready")
    assert member.workspace().status.state is WorkspaceState.PENDING


@pytest.mark.parametrize(
    "status",
    [
        {"observedGeneration": 0},
        {"readyReplicas": 0},
        {"updateRevision": "phi-2", "updatedReplicas": 0},
    ],
    ids=["it is not looked at yet", "no pod is ready", "only old pods are ready"],
)
async def test_an_engine_is_ready_when_its_newest_pods_are(status: dict[str, Any]) -> None:
    member = Member(node(), phi())
    await member.settle()
    member.run(**status)
    await member.settle()
    assert not member.condition("InferenceReady").true
    member.run()
    await member.settle()
    assert member.said("InferenceReady") == (
        TRUE,
        "WorkspaceInferenceStatusSuccess",
        "the engine answers",
    )


async def test_the_trouble_of_its_pods_is_told() -> None:
    member = Member(node(), phi())
    await member.settle()
    body = {
        "metadata": {"name": "phi-0", "namespace": "demo", "labels": {names.WORKSPACE: "phi"}},
        "status": {"reason": "Evicted", "message": "disk pressure"},
    }
    member.client.put(Pod.model_validate(body))
    await member.settle()
    told = "pod phi-0 was evicted: disk pressure"
    assert member.said("InferenceReady") == (FALSE, "PodEvicted", told)
    assert member.said("WorkspaceSucceeded") == (FALSE, PENDING, told)


async def test_what_only_the_author_can_mend_has_failed() -> None:
    member = Member(pool(), phi(preset="zzz"))
    await member.settle()
    where = "Workspace demo/phi: inference.preset.name"
    told = f"{where}: unknown preset 'zzz'; it is not in the catalogue"
    assert member.said("WorkspaceSucceeded") == (FALSE, "workspaceFailed", told)
    assert member.said("NodesReady")[:2] == (FALSE, "NodeNotReady")
    assert member.said("ResourceReady")[2] == told
    assert member.said("InferenceReady") == (FALSE, "WorkspaceInferenceStatusPending", told)
    assert member.workspace().status.state is WorkspaceState.FAILED
    member.client.put(phi())
    await member.settle()
    assert member.workspace().status.state is WorkspaceState.PENDING


async def test_what_the_cluster_lacks_now_has_not_failed() -> None:
    member = Member(node(gpus=0), phi())
    await member.settle()
    assert member.said("WorkspaceSucceeded")[1] == PENDING
    assert member.workspace().status.state is WorkspaceState.PENDING


async def test_a_workspace_that_served_is_not_ready_rather_than_pending() -> None:
    member = Member(node(), phi())
    await member.served()
    member.run(readyReplicas=0)
    await member.settle()
    assert member.workspace().status.state is WorkspaceState.NOT_READY
    await member.settle()
    assert member.workspace().status.state is WorkspaceState.NOT_READY


async def test_a_condition_keeps_its_time_until_its_status_changes() -> None:
    member = Member(node(), phi())
    await member.settle()
    since = member.condition("InferenceReady").last_transition_time
    member.later(minutes=1)
    member.run(readyReplicas=0, observedGeneration=0)
    member.client.put(phi(instanceType="Standard_NC24ads_A100_v4"))
    await member.settle()
    assert member.condition("InferenceReady").observed_generation == 2
    assert member.condition("InferenceReady").last_transition_time == since
    member.run()
    await member.settle()
    assert member.condition("InferenceReady").last_transition_time == member.now


async def test_the_claims_condition_goes_where_no_claim_is_needed_any_more() -> None:
    member = Member(pool("a10", A10, limit=0), phi())
    await member.settle()
    assert member.said("NodeClaimReady")[1] == "InsufficientCapacity"
    member.client.put(node(kind=A10))
    await member.settle()
    assert "NodeClaimReady" not in {c.type for c in member.workspace().status.conditions}


async def test_a_long_message_is_cut() -> None:
    member = Member(pool(), phi())
    await member.settle()
    (made,) = member.claims()
    long = condition("Launched", "False", reason="Slow", message="x" * 5000)
    member.client.put(
        NodeClaim.model_validate(made.manifest() | {"status": {"conditions": [long]}})
    )
    await member.settle()
    assert len(member.said("NodeClaimReady")[2]) == 1024
