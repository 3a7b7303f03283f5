"""What GPU capacity a member reports: what is there, who holds it, and what it may still get."""

from datetime import timedelta
from typing import Any

import pytest

from fleet.api import names
from fleet.api.cluster import Pool
from fleet.api.objects import Key, Resource
from fleet.api.workspace import Workspace
from fleet.testing.workloads import workspace
from tests.unit.member_agent.controllers.inventory.reporter import Reporter
from tests.unit.member_agent.hardware import (
    A10,
    A100,
    A100X4,
    MIDNIGHT,
    PHI,
    claim,
    node,
    pod,
    pool,
)

MINE = {names.WORKSPACE: PHI.name, names.WORKSPACE_NAMESPACE: PHI.namespace}
IN_POOL = {names.NODE_POOL: "a100"}


def found(name: str = "phi", *nodes: str, owner: str = "") -> Workspace:
    """Build a Workspace that took these nodes."""
    labels = {names.INFERENCE_SET: owner} if owner else {}
    body = workspace(name, labels=labels).manifest()
    return Workspace.model_validate(body | {"status": {"workerNodes": list(nodes)}})


def hold(gpus: int, name: str = "phi", kind: str = "Workspace") -> dict[str, Any]:
    return {"kind": kind, "namespace": "demo", "name": name, "gpus": gpus}


async def pools(*resources: Resource) -> dict[str, Pool]:
    reporter = Reporter(*resources)
    await reporter.report()
    return reporter.pools()


def told(found: Pool) -> tuple[int, int, int, list[dict[str, Any]]]:
    """Give the nodes, the free GPUs, the nodes that may be made, and the holds of a pool."""
    holds = [each.dump() for each in found.holds]
    return found.nodes, found.gpus_free, found.nodes_provisionable, holds


CASES: dict[str, tuple[list[Resource], tuple[int, int, int, list[dict[str, Any]]]]] = {
    "free nodes": ([node("a"), node("b")], (2, 2, 0, [])),
    "one that is not ready": ([node("a"), node("b", ready=False)], (2, 1, 0, [])),
    "one that is cordoned": ([node("a"), node("b", unschedulable=True)], (2, 1, 0, [])),
    "one that a pod uses": ([node("a"), node("b"), pod(on="b")], (2, 1, 0, [])),
    "one whose pod has ended": ([node(), pod(phase="Failed")], (1, 1, 0, [])),
    "one that a Workspace found": ([node("a"), found("phi", "a")], (1, 0, 0, [hold(1)])),
    "one made for a Workspace": ([node(labels=MINE), workspace()], (1, 0, 0, [hold(1)])),
    "one made for a Workspace that is gone": ([node(labels=MINE)], (1, 0, 0, [hold(1)])),
    "replicas of an InferenceSet": (
        [node("a"), node("b"), found("x", "a", owner="set"), found("y", "b", owner="set")],
        (2, 0, 0, [hold(2, "set", "InferenceSet")]),
    ),
    "only a pool": ([pool(limit=3)], (0, 0, 3, [])),
    "a pool without a limit": ([pool(limit=None)], (0, 0, 1000, [])),
    "a pool and its node": ([pool(limit=3), node(labels=IN_POOL)], (1, 1, 2, [])),
    "two pools of a type": ([pool("a", limit=3), pool("b", limit=2)], (0, 0, 5, [])),
    "a claim in flight": ([pool(limit=3), claim()], (0, 0, 2, [hold(1)])),
    "a claim whose node is there": (
        [pool(limit=3), claim(on="a"), node("a", labels=MINE | IN_POOL)],
        (1, 0, 2, [hold(1)]),
    ),
    "a claim whose node does not show its GPUs yet": (
        [pool(limit=3), claim(on="a"), node("a", gpus=0, labels=MINE | IN_POOL)],
        (0, 0, 2, [hold(1)]),
    ),
    "a claim that ends": (
        [pool(limit=3), claim(deletionTimestamp=MIDNIGHT)],
        (0, 0, 2, []),
    ),
    "two Workspaces": (
        [node("a"), node("b"), found("x", "a"), found("w", "b")],
        (2, 0, 0, [hold(1, "w"), hold(1, "x")]),
    ),
}


@pytest.mark.parametrize("what", CASES)
async def test_a_pool_is_counted(what: str) -> None:
    resources, expected = CASES[what]
    assert told((await pools(*resources))[A100]) == expected


async def test_a_node_of_several_gpus_is_held_as_a_whole() -> None:
    (got,) = (await pools(node(kind=A100X4, gpus=4), found("phi", "n1"))).values()
    assert (got.gpus_per_node, *told(got)) == (4, 1, 0, 0, [hold(4)])


async def test_types_and_ways_to_pay_are_pools_of_their_own() -> None:
    spot = {names.CAPACITY_TYPE: "spot"}
    reporter = Reporter(
        node("a"), node("b", labels=spot), node("c", A10), pool("x", capacity_types=("spot",))
    )
    await reporter.report()
    got = [
        (each.instance_type, each.capacity_type, each.nodes, each.nodes_provisionable)
        for each in reporter.status().inventory.pools
    ]
    assert got == [(A100, "on-demand", 1, 0), (A100, "spot", 1, 4), (A10, "on-demand", 1, 0)]


async def test_what_has_no_gpus_is_no_pool() -> None:
    assert await pools(node(gpus=0), pool("cpu", "Standard_D4")) == {}


async def test_a_type_that_is_not_in_the_catalogue_is_told_by_its_nodes() -> None:
    (got,) = (await pools(node(kind="on-premises", gpus=2))).values()
    assert (got.instance_type, got.gpus_per_node, got.gpus_free) == ("on-premises", 2, 2)


def sold_out(minutes: int) -> dict[str, Any]:
    until = (MIDNIGHT + timedelta(minutes=minutes)).isoformat()
    return {A100: {"until": until, "seconds": 180, "claim": "c", "message": "none left"}}


@pytest.mark.parametrize(
    ("there", "minutes"),
    [
        ([pool()], None),
        ([pool(sold_out=sold_out(3))], 3),
        ([pool(sold_out=sold_out(-1))], None),
        ([pool("a", sold_out=sold_out(6)), pool("b", sold_out=sold_out(3))], 3),
        ([pool("a", sold_out=sold_out(6)), pool("b")], None),
    ],
    ids=["never", "for a while", "no more", "in both pools", "in one of two"],
)
async def test_a_type_that_is_sold_out_is_told(there: list[Resource], minutes: int | None) -> None:
    until = None if minutes is None else MIDNIGHT + timedelta(minutes=minutes)
    assert (await pools(*there))[A100].sold_out_until == until


async def test_the_end_of_a_pause_is_news() -> None:
    reporter = Reporter(pool(sold_out=sold_out(3)))
    await reporter.report()
    await reporter.after(181)
    assert reporter.pools()[A100].sold_out_until is None


async def test_a_node_of_a_namesake_in_another_namespace_is_theirs() -> None:
    labels = {names.WORKSPACE: "phi", names.WORKSPACE_NAMESPACE: "web"}
    (got,) = (await pools(node(labels=labels), workspace(), claim(owner=Key("x", "y")))).values()
    assert [(each.namespace, each.name) for each in got.holds] == [("web", "phi"), ("x", "y")]
