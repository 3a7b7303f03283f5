"""What a test sees and does around work generation: its Works, and the agents that answer."""

from typing import Any

from fleet.api import names
from fleet.api.binding import Binding
from fleet.api.work import Work
from tests.unit.hub.world import NAMESPACE, World, condition

FINALIZER = names.WORK_BINDING_CLEANUP


def works(world: World) -> dict[str, Work]:
    return {work.name: work for work in world.all(Work)}


def manifests(world: World) -> dict[str, list[str]]:
    """Name the objects in each Work."""
    return {
        name: [manifest["metadata"]["name"] for manifest in work.spec.workload.manifests]
        for name, work in works(world).items()
    }


def bound(world: World) -> Binding:
    found: list[Binding] = world.all(world.scope.binding)
    (only,) = found
    return only


def said(world: World, kind: str) -> tuple[str, str]:
    found = [c for c in bound(world).status.conditions if c.type == kind]
    return (found[0].status, found[0].reason) if found else ("", "")


def answer(world: World, *, applied: bool | None, available: bool | None, **more: Any) -> None:
    """Report each Work as its member's agent does."""
    for body in world.client.bodies(Work):
        generation = body["metadata"]["generation"]
        told = {"Applied": applied, "Available": available}
        conditions = [
            condition(kind, truth, generation=generation)
            for kind, truth in told.items()
            if truth is not None
        ]
        world.client.put(body | {"status": {"conditions": conditions, **more}})


def hold(world: World) -> None:
    """Take up the Works as an agent does."""
    for body in world.client.bodies(Work):
        world.client.put(body | {"metadata": body["metadata"] | {"finalizers": ["agent/x"]}})


def let_go(world: World) -> None:
    for body in world.client.bodies(Work):
        world.client.put(body | {"metadata": body["metadata"] | {"finalizers": []}})


def allocated(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "namespace": NAMESPACE,
        "name": name,
        "instanceType": "Standard_NC24ads_A100_v4",
        "capacityType": "on-demand",
        "replicas": 1,
        "nodesPerReplica": 1,
        "gpusPerReplica": 1,
        "usdPerHour": "3.67",
        **more,
    }
