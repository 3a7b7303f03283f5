"""Which nodes a Workspace takes: those that it has, then free ones, then new ones."""

import asyncio
from typing import Any

import pytest
from typing_extensions import override

from fleet.api import names
from fleet.api.core import Node
from fleet.api.objects import Key, Resource
from fleet.api.workspace import Workspace, WorkspaceState
from fleet.testing.client import FakeClient
from tests.unit.member_agent.controllers.workspace.member import Member, phi
from tests.unit.member_agent.controllers.workspace.nature import Nature
from tests.unit.member_agent.hardware import A10, A100, A100X4, PHI, V100, claim, node, pod, pool

LLAMA = "llama-3.3-70b-instruct"
OTHER = Key("demo", "other")
MINE: dict[str, Any] = {"labelSelector": {"matchLabels": {"team": "ml"}}}


async def test_a_free_node_is_taken_before_one_is_bought() -> None:
    member = Member(pool(), node("n1"), phi())
    await member.settle()
    assert member.claims() == []
    assert member.workspace().status.worker_nodes == ("n1",)
    types = {c.type for c in member.workspace().status.conditions}
    assert "NodeClaimReady" not in types
    assert member.said("ResourceReady")[:2] == ("True", "workspaceResourceStatusSuccess")


TEAM = {"team": "ml"}
FOUND = phi("other").manifest() | {"status": {"workerNodes": ["n1"]}}
NOT_FREE: dict[str, tuple[Node, list[Resource]]] = {
    "it is not ready": (node(labels=TEAM, ready=False), []),
    "it is cordoned": (node(labels=TEAM, unschedulable=True), []),
    "it has no GPUs yet": (node(labels=TEAM, gpus=0), []),
    "it lacks the label": (node(labels={"team": "web"}), []),
    "it is of another type": (node(labels=TEAM, kind=A10), []),
    "a pod uses its GPU": (node(labels=TEAM), [pod()]),
    "another Workspace found it": (node(labels=TEAM), [Workspace.model_validate(FOUND)]),
    "it was made for another": (
        node(labels={**TEAM, names.WORKSPACE: "other", names.WORKSPACE_NAMESPACE: "demo"}),
        [],
    ),
    "it was made for a namesake": (
        node(labels={**TEAM, names.WORKSPACE: "phi", names.WORKSPACE_NAMESPACE: "web"}),
        [],
    ),
}


@pytest.mark.parametrize("why", NOT_FREE)
async def test_a_node_that_is_not_free_is_left_and_one_is_bought(why: str) -> None:
    there, others = NOT_FREE[why]
    member = Member(pool(), there, *others, phi(instanceType=A100, **MINE))
    await member.settle()
    assert len(member.claims()) == 1
    assert member.workspace().status.worker_nodes == ()


async def test_a_node_is_free_again_once_its_pod_has_ended() -> None:
    member = Member(node(), pod(phase="Succeeded"), phi())
    await member.settle()
    assert member.workspace().status.worker_nodes == ("n1",)


async def test_a_free_node_that_the_selector_leaves_out_does_not_decide_the_type() -> None:
    cheap = node("cheap", A10, labels={"team": "web"})
    member = Member(cheap, pool("a100", A100), phi(**MINE))
    await member.settle()
    assert [c.metadata.labels[names.NODE_POOL] for c in member.claims()] == ["a100"]


async def test_reserved_labels_of_a_selector_have_no_effect() -> None:
    labels = {"team": "ml", "kaito.sh/workspace": "someone"}
    member = Member(pool(), phi(labelSelector={"matchLabels": labels}))
    await member.settle()
    (made,) = member.claims()
    assert made.metadata.labels["team"] == "ml"
    assert made.metadata.labels[names.WORKSPACE] == "phi"


async def test_a_selectors_expressions_hold_too() -> None:
    outside = {"key": "zone", "operator": "NotIn", "values": ["b"]}
    nodes = [node(zone, labels={"zone": zone}) for zone in "bc"]
    member = Member(*nodes, phi(labelSelector={"matchExpressions": [outside]}))
    await member.settle()
    assert member.workspace().status.worker_nodes == ("c",)


async def test_a_claim_is_written_to_the_letter() -> None:
    template: dict[str, Any] = {
        "metadata": {"labels": {"pool": "gpu"}, "annotations": {"note": "x"}}
    }
    member = Member(pool(**template), phi(**MINE))
    await member.settle()
    (body,) = (b for a, b in member.client.objects.items() if a.kind == "NodeClaim")
    kept = ("name", "labels", "annotations", "finalizers")
    assert {key: body["metadata"][key] for key in kept} == {
        "name": names.cut("phi-0", "uid-demo-phi", "0"),
        "labels": {
            "pool": "gpu",
            "team": "ml",
            "karpenter.sh/nodepool": "a100",
            "kaito.sh/workspace": "phi",
            "kaito.sh/workspacenamespace": "demo",
        },
        "annotations": {"note": "x", "karpenter.sh/do-not-disrupt": "true"},
        "finalizers": ["modelfleet.dev/claim"],
    }
    assert body["spec"] == {
        "nodeClassRef": {"group": "karpenter.kwok.sh", "kind": "KWOKNodeClass", "name": "gpu"},
        "requirements": [
            {"key": "karpenter.sh/nodepool", "operator": "In", "values": ["a100"]},
            {"key": "node.kubernetes.io/instance-type", "operator": "In", "values": [A100]},
            {"key": "karpenter.sh/capacity-type", "operator": "In", "values": ["on-demand"]},
            {"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]},
        ],
        "taints": [{"key": "sku", "value": "gpu", "effect": "NoSchedule"}],
        "resources": {"requests": {"nvidia.com/gpu": "1"}},
        "expireAfter": "Never",
    }


async def test_a_workspace_made_anew_under_its_name_has_claims_of_other_names() -> None:
    first, second = Member(pool(), phi()), Member(pool())
    again = phi().manifest()
    again["metadata"]["uid"] = "another"
    second.client.put(again)
    for member in (first, second):
        await member.settle()
    assert first.claims()[0].name != second.claims()[0].name


async def test_the_rest_is_bought_where_some_nodes_are_free() -> None:
    member = Member(pool(), node("n1"), phi(preset=LLAMA, instanceType=A100))
    await member.settle()
    assert len(member.claims()) == 2
    member.launch()
    await member.settle()
    assert member.workspace().status.worker_nodes[0] == "n1"
    engine = member.engine()
    assert engine
    assert engine.spec.replicas == 3


LIMITS: list[tuple[int | None, list[Resource], int, str]] = [
    (None, [], 3, ""),
    (3, [], 3, ""),
    (2, [], 2, "no room for another Standard_NC24ads_A100_v4: a100 (limit 2 GPUs)"),
    (3, [claim("c", owner=OTHER)], 2, "no room for another"),
    (3, [node("x", gpus=2, labels={names.NODE_POOL: "a100"}), pod(on="x")], 1, "no room"),
    (
        3,
        [
            claim("c", owner=OTHER, on="x", stages=("Launched", "Registered")),
            node("x", gpus=0, labels={names.NODE_POOL: "a100"}),
        ],
        2,
        "no room",
    ),
    (
        3,
        [
            claim("c", owner=OTHER, on="x", stages=("Launched", "Registered")),
            node("x", labels={names.NODE_POOL: "a100", names.WORKSPACE: "other"}),
        ],
        2,
        "no room",
    ),
    (3, [claim("c", owner=OTHER, of_pool="b")], 3, ""),
    (0, [], 0, "no room"),
]


@pytest.mark.parametrize(
    ("limit", "others", "bought", "told"),
    LIMITS,
    ids=[
        "no limit",
        "just enough",
        "too low",
        "a claim in flight counts",
        "a node counts",
        "a node that does not show its GPUs yet counts",
        "a claim and its node count once",
        "claims on other pools do not count",
        "nothing",
    ],
)
async def test_a_pools_limit_is_counted_before_a_claim_is_made(
    limit: int | None, others: list[Resource], bought: int, told: str
) -> None:
    member = Member(pool(limit=limit), *others, phi(preset=LLAMA, instanceType=A100))
    await member.settle()
    mine = [c for c in member.claims() if c.metadata.labels[names.WORKSPACE] == "phi"]
    assert len(mine) == bought
    _, reason, message = member.said("NodeClaimReady")
    assert message.startswith(told or "NodeClaim phi-0")
    assert (reason == "InsufficientCapacity") == bool(told)


async def test_a_full_pool_is_followed_by_the_next() -> None:
    member = Member(pool("a", limit=1), pool("b"), phi(preset=LLAMA, instanceType=A100))
    await member.settle()
    assert [c.metadata.labels[names.NODE_POOL] for c in member.claims()] == ["a", "b", "b"]


async def test_room_that_comes_is_used() -> None:
    member = Member(pool(limit=0), phi())
    await member.settle()
    assert member.claims() == []
    member.client.put(pool(limit=1))
    await member.settle()
    assert len(member.claims()) == 1


async def test_two_workspaces_at_once_never_get_the_same_node_or_the_last_gpu_of_a_pool() -> None:
    member = Member(pool(limit=1), node("n1"), phi(), phi("other"), phi("third"))
    await member.look()
    for name in ("phi", "other", "third"):
        await member.workspaces.reconcile(Key("demo", name))
    assert member.workspace().status.worker_nodes == ("n1",)
    assert [c.metadata.labels[names.WORKSPACE] for c in member.claims()] == ["other"]
    assert member.said("NodeClaimReady", "third")[1] == "InsufficientCapacity"


class Distant(FakeClient):
    """A server that takes its time, in which others get on."""

    @override
    async def get(self, model: Any, key: Key) -> Any:
        await asyncio.sleep(0)
        return await super().get(model, key)

    @override
    async def create(self, resource: Any, *, whole: bool = False) -> Any:
        await asyncio.sleep(0)
        return await super().create(resource, whole=whole)


async def test_workspaces_that_are_reconciled_at_the_same_time_do_not_share_a_node() -> None:
    member = Member(pool(limit=1), node("n1"), phi(), phi("other"), phi("third"), client=Distant)
    await member.look()
    keys = [Key("demo", name) for name in ("phi", "other", "third")]
    await asyncio.gather(*map(member.workspaces.reconcile, keys))
    await member.look()
    found = [w.name for w in member.client.all(Workspace) if w.status.worker_nodes]
    assert (found, len(member.claims())) == (["phi"], 1)


async def test_a_node_that_restarts_is_not_replaced() -> None:
    member = Member(pool(), node("n1"), phi())
    await member.served()
    member.client.put(node("n1", ready=False))
    await member.settle()
    assert member.claims() == []
    assert member.said("NodesReady") == (
        "False",
        "NodeNotReady",
        "0 of 1 nodes are ready: node n1 is not Ready",
    )
    assert member.engine()


async def test_a_free_node_that_vanishes_is_replaced_by_a_bought_one() -> None:
    member = Member(pool(), node("n1"), phi())
    await member.served()
    await member.client.delete(node("n1"))
    await member.settle()
    assert len(member.claims()) == 1


async def test_nodes_that_are_needed_no_more_are_given_back() -> None:
    member = Nature(pool(), phi(preset=LLAMA, instanceType=A100))
    await member.rest()
    assert len(member.claims()) == 3
    member.client.put(phi(instanceType=A100))
    ended: set[tuple[str, ...]] = set()
    await member.rest(lambda: ended.update(c.metadata.finalizers for c in member.gone()))
    assert ended == {("karpenter.sh/termination",)}
    (kept,) = member.claims()
    assert kept.status.node_name in member.nodes_used()
    assert member.workspace().status.state is WorkspaceState.READY


async def test_a_claim_given_back_before_its_launch_sells_nothing_out() -> None:
    member = Member(pool(), phi(preset=LLAMA, instanceType=A100))
    await member.settle()
    member.launch("Unheard")
    member.client.put(phi(instanceType=A100))
    await member.settle()
    assert [c.deleting for c in member.claims()].count(True) == 2
    assert member.sold_out() == {}


async def test_a_name_is_used_again_once_its_last_claim_is_gone() -> None:
    member = Member(pool("a100", A100), pool("a10", A10), phi(instanceType=A10))
    await member.settle()
    member.launch()
    member.client.put(phi(instanceType=A100))
    await member.settle()
    (old,) = member.claims()
    assert old.deleting
    assert member.said("NodeClaimReady")[2] == f"waits until NodeClaim {old.name} is gone"
    await member.end(old)
    await member.settle()
    assert [c.metadata.labels[names.NODE_POOL] for c in member.claims()] == ["a100"]


TYPES: list[tuple[list[Resource], dict[str, Any], str]] = [
    ([pool("a100", A100), pool("a10", A10)], {}, A10),
    ([pool("a100", A100), pool("a10", A10)], {"instanceType": A100}, A100),
    ([pool("a100", A100), pool("a10", A10, limit=0)], {}, A100),
    ([pool("a10", A10), node("n1", A100)], {}, A100),
    ([pool("a10", A10), pool("v100", V100)], {}, A10),
    ([pool("big", A100X4), pool("a100", A100)], {}, A100),
]


@pytest.mark.parametrize(
    ("there", "asked", "chosen"),
    TYPES,
    ids=[
        "the cheapest",
        "what the user named",
        "the cheapest that there is room for",
        "what is there before what is bought",
        "none that is too old",
        "not more than is needed",
    ],
)
async def test_the_type_is_chosen(
    there: list[Resource], asked: dict[str, Any], chosen: str
) -> None:
    region = node("cpu", "Standard_D4", gpus=0)
    member = Member(region, *there, phi(**asked))
    await member.settle()
    member.launch()
    await member.settle()
    (used,) = member.workspace().status.worker_nodes
    nodes = {each.name: each for each in member.client.all(Node)}
    assert nodes[used].metadata.labels[names.INSTANCE_TYPE] == chosen


async def test_the_type_stays_while_a_claim_for_it_is_there() -> None:
    member = Member(pool("a100", A100), phi())
    await member.settle()
    member.client.put(pool("a10", A10))
    await member.settle()
    assert [c.metadata.labels[names.NODE_POOL] for c in member.claims()] == ["a100"]


async def test_spot_is_asked_for_where_nothing_else_is_offered() -> None:
    member = Member(pool(capacity_types=("spot",)), phi())
    await member.settle()
    (made,) = member.claims()
    kinds = {r.key: r.values for r in made.spec.requirements}
    assert kinds[names.CAPACITY_TYPE] == ("spot",)


async def test_a_key_of_nobody_is_nothing() -> None:
    member = Member(pool())
    assert await member.reconcile(PHI) is None
    assert member.claims() == []
