"""What update runs give: with the allocations that were decided for it, or as it stands."""

from typing import Any

import pytest

from fleet.api import names
from fleet.api.binding import BindingState
from fleet.api.scope import NAMESPACED
from fleet.api.snapshot import Demand
from fleet.engine.snapshots import demands_digest
from tests.unit.hub.controllers.work_generation.scene import allocated, answer, bound, works
from tests.unit.hub.world import NAMESPACE, PLACEMENT, World, binding, member, placement

DEMANDS = [
    {"kind": "Workspace", "namespace": NAMESPACE, "name": "phi", "gpusPerReplica": gpus}
    for gpus in (1, 2)
]


class Demanding(World):
    """A world in which two snapshots of one workload demand different things."""

    def __init__(self, *, strategy: str, **given: Any) -> None:
        decided = [allocated("Workspace", "phi")]
        start = binding("us", BindingState.BOUND, allocations=decided, **given)
        wanted = placement(NAMESPACED, strategy={"type": strategy})
        super().__init__(wanted, member("us"), start)
        for index, demand in enumerate(DEMANDS):
            self._snapshot(index, demand)

    def _snapshot(self, index: int, demand: dict[str, Any]) -> None:
        phi = {"apiVersion": "kaito.sh/v1beta1", "kind": "Workspace", "data": str(index)}
        there: dict[str, Any] = {"namespace": NAMESPACE, "labels": {names.PARENT: PLACEMENT}}
        digest = demands_digest((Demand.model_validate(demand),))
        made = {
            "metadata": there
            | {
                "name": f"{PLACEMENT}-{index}-snapshot",
                "labels": there["labels"] | {names.RESOURCE_INDEX: str(index)},
                "annotations": {names.DEMANDS: digest},
            },
            "spec": {
                "selectedResources": [phi | {"metadata": {"name": "phi", "namespace": NAMESPACE}}]
            },
        }
        self.client.put(NAMESPACED.resources.model_validate(made))
        decided = {
            "metadata": there | {"name": f"{PLACEMENT}-{index}"},
            "spec": {"demands": [demand]},
        }
        self.client.put(NAMESPACED.policy.model_validate(decided))

    def is_now(self, **spec: Any) -> None:
        """Change the binding as scheduling or a run does."""
        (body,) = self.client.bodies(NAMESPACED.binding)
        self.client.put(body | {"spec": body["spec"] | spec})

    def sent(self) -> tuple[str, bool]:
        """Give which snapshot the member has, and whether with an allocation."""
        (manifest,) = works(self)["demo.llama-work"].spec.workload.manifests
        notes = manifest["metadata"].get("annotations", {})
        return manifest["data"], names.ALLOCATION in notes


@pytest.mark.parametrize("strategy", ["RollingUpdate", "External"])
async def test_a_new_decision_waits_for_its_resources(strategy: str) -> None:
    snapshot = {"resourceSnapshotName": f"{PLACEMENT}-0-snapshot"}
    async with Demanding(strategy=strategy, **snapshot) as world:
        await world.generate()
        answer(world, applied=True, available=True)
        await world.generate()
        world.is_now(
            schedulingPolicySnapshotName=f"{PLACEMENT}-1",
            allocations=[allocated("Workspace", "phi", instanceType="Standard_ND96asr_v4")],
        )
        before = works(world)["demo.llama-work"].spec
        await world.generate()
        assert works(world)["demo.llama-work"].spec == before
        assert bound(world).true_now("Available") is (strategy == "External")
        world.is_now(resourceSnapshotName=f"{PLACEMENT}-1-snapshot")
        await world.generate()
        assert world.sent() == ("1", True)
        assert not bound(world).true_now("Available")


async def test_older_resources_that_a_run_gives_go_without_an_allocation_for_others() -> None:
    newest = {
        "resourceSnapshotName": f"{PLACEMENT}-1-snapshot",
        "schedulingPolicySnapshotName": f"{PLACEMENT}-1",
    }
    async with Demanding(strategy="External", **newest) as world:
        await world.generate()
        assert world.sent() == ("1", True)
        world.is_now(resourceSnapshotName=f"{PLACEMENT}-0-snapshot")
        await world.generate()
        assert world.sent() == ("0", False)
        answer(world, applied=True, available=True)
        await world.generate()
        assert bound(world).true_now("Available")
        world.client.writes_left = 0
        await world.generate()


async def test_a_changed_way_to_apply_waits_for_a_run() -> None:
    snapshot = {"resourceSnapshotName": f"{PLACEMENT}-0-snapshot"}
    async with Demanding(strategy="External", **snapshot) as world:
        await world.generate()
        world.is_now(applyStrategy={"type": "ServerSideApply"})
        await world.generate()
        strategy = works(world)["demo.llama-work"].spec.apply_strategy
        assert strategy
        assert strategy.type == "ServerSideApply"
        other = {"type": "External", "applyStrategy": {"type": "ReportDiff"}}
        world.client.put(placement(NAMESPACED, strategy=other))
        await world.generate()
        assert works(world)["demo.llama-work"].spec.apply_strategy == strategy
