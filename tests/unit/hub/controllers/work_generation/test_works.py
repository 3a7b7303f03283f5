"""A binding becomes Works in its member's namespace, with what was decided for that member."""

import json

import pytest

from fleet.api import names
from fleet.api.binding import BindingState
from fleet.api.scope import CLUSTER, NAMESPACED, Scope
from fleet.api.work import Work
from fleet.api.workspace import InferenceSet
from fleet.testing.workloads import inference_set, workspace
from tests.unit.hub.controllers.work_generation.scene import (
    FINALIZER,
    allocated,
    bound,
    hold,
    let_go,
    manifests,
    works,
)
from tests.unit.hub.world import (
    NAMESPACE,
    PLACEMENT,
    World,
    binding,
    config_map,
    member,
    placement,
)

BOUND, LEFT = BindingState.BOUND, BindingState.UNSCHEDULED
PHI = {"group": "kaito.sh", "version": "v1beta1", "kind": "Workspace", "name": "phi"}
QWEN = {"group": "kaito.sh", "version": "v1beta1", "kind": "InferenceSet", "name": "qwen"}
SPACE = {"group": "", "version": "v1", "kind": "Namespace", "name": NAMESPACE}


@pytest.mark.parametrize(
    ("scope", "name", "labels"),
    [
        (
            NAMESPACED,
            "demo.llama-work",
            {"kubernetes-fleet.io/parent-placement-namespace": "demo"},
        ),
        (CLUSTER, "llama-work", {}),
    ],
    ids=["namespaced", "cluster"],
)
async def test_a_bound_binding_gets_a_work_under_kubefleet_s_names(
    scope: Scope, name: str, labels: dict[str, str]
) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    selectors = [] if scope.namespaced else [SPACE | {"selectionScope": "NamespaceOnly"}]
    start = binding("us", scope=scope)
    async with World(
        placement(scope, *selectors), namespace, config_map("a"), member("us"), start, scope=scope
    ) as world:
        await world.turn()
        (work,) = world.all(Work)
        assert (work.namespace, work.name) == ("fleet-member-us", name)
        assert work.metadata.labels == {
            "kubernetes-fleet.io/parent-CRP": PLACEMENT,
            "kubernetes-fleet.io/parent-resource-binding": start.name,
            "kubernetes-fleet.io/parent-resource-snapshot-index": "0",
            **labels,
        }
        assert work.metadata.annotations == {
            "kubernetes-fleet.io/parent-resource-snapshot-name": "llama-0-snapshot"
        }
        expected = ["a"] if scope.namespaced else [NAMESPACE]
        assert manifests(world) == {name: expected}
        assert FINALIZER in bound(world).metadata.finalizers


async def test_a_work_has_the_manifest_and_the_strategy_of_its_placement() -> None:
    strategy = {
        "applyStrategy": {"type": "ServerSideApply", "whenToTakeOver": "Never"},
        "reportBackStrategy": {"type": "Mirror", "destination": "WorkAPI"},
    }
    start = placement(strategy=strategy)
    async with World(start, config_map("a", k="v"), member("us"), binding("us")) as world:
        await world.turn()
        (body,) = world.client.bodies(Work)
        assert body["spec"] == {
            "workload": {
                "manifests": [
                    {
                        "apiVersion": "v1",
                        "kind": "ConfigMap",
                        "metadata": {
                            "name": "a",
                            "namespace": NAMESPACE,
                            "labels": {"app": PLACEMENT},
                        },
                        "data": {"k": "v"},
                    }
                ]
            },
            **strategy,
        }


async def test_what_was_decided_for_a_workspace_is_in_the_member_s_copy() -> None:
    decided = allocated("Workspace", "phi")
    start = binding("us", allocations=[decided])
    user = {"modelfleet.dev/user": "kept"}
    async with World(
        placement(NAMESPACED, PHI), workspace(annotations=user), member("us"), start
    ) as world:
        await world.turn()
        (work,) = world.all(Work)
        (copy,) = work.spec.workload.manifests
        assert copy["resource"] == {
            "labelSelector": {},
            "instanceType": "Standard_NC24ads_A100_v4",
        }
        notes = copy["metadata"]["annotations"]
        assert json.loads(notes.pop("modelfleet.dev/allocation")) == decided
        assert notes == user
        assert work.metadata.annotations["modelfleet.dev/workload"] == "Workspace/demo/phi"


async def test_what_was_decided_for_an_inference_set_is_in_the_member_s_copy() -> None:
    decided = allocated("InferenceSet", "qwen", replicas=1)
    start = binding("us", allocations=[decided])
    async with World(
        placement(NAMESPACED, QWEN), inference_set("qwen"), member("us"), start
    ) as world:
        await world.turn()
        (work,) = world.all(Work)
        (copy,) = work.spec.workload.manifests
        assert copy["spec"]["replicas"] == 1
        assert copy["spec"]["template"] == {
            "inference": {"preset": {"name": "qwen2-7b"}},
            "resource": {"instanceType": "Standard_NC24ads_A100_v4"},
        }
        assert json.loads(copy["metadata"]["annotations"][names.ALLOCATION]) == decided
        (own,) = world.all(InferenceSet)
        assert own.spec.replicas == 2


async def test_the_allocation_of_another_workload_changes_nothing() -> None:
    start = binding("us", allocations=[allocated("InferenceSet", "phi")])
    async with World(placement(NAMESPACED, PHI), workspace(), member("us"), start) as world:
        await world.turn()
        (copy,) = world.all(Work)[0].spec.workload.manifests
        assert copy["resource"] == {"labelSelector": {}}
        assert "annotations" not in copy["metadata"]


async def test_the_agent_makes_the_namespace_of_what_a_deployment_placed() -> None:
    start = placement(NAMESPACED, QWEN).manifest()
    start["metadata"]["labels"] = {names.OWNED_BY_DEPLOYMENT: "qwen"}
    async with World(start, inference_set("qwen"), member("us"), binding("us")) as world:
        await world.turn()
        (work,) = world.all(Work)
        assert work.metadata.annotations["modelfleet.dev/ensure-namespace"] == "true"


async def test_what_is_too_much_for_one_work_is_in_several_and_they_go_again() -> None:
    large = [config_map(name, data="x" * 410_000) for name in "abc"]
    async with World(placement(), *large, member("us"), binding("us")) as world:
        await world.turn()
        assert manifests(world) == {
            "demo.llama-work": ["a"],
            "demo.llama-0": ["b"],
            "demo.llama-1": ["c"],
        }
        for name in "bc":
            await world.client.delete(config_map(name))
        await world.settle()
        assert manifests(world) == {"demo.llama-work": ["a"]}


async def test_a_work_follows_its_snapshot_and_keeps_what_others_wrote_on_it() -> None:
    async with World(placement(), config_map("a"), member("us"), binding("us")) as world:
        await world.turn()
        (body,) = world.client.bodies(Work)
        for part in ("labels", "annotations"):
            body["metadata"].setdefault(part, {})["example.com/x"] = "kept"
        world.client.put(body)
        world.client.put(config_map("b"))
        await world.settle()
        (work,) = world.all(Work)
        assert manifests(world) == {"demo.llama-work": ["a", "b"]}
        assert work.metadata.labels["kubernetes-fleet.io/parent-resource-snapshot-index"] == "1"
        assert work.metadata.annotations[names.PARENT_SNAPSHOT_NAME] == "llama-1-snapshot"
        for part in (work.metadata.labels, work.metadata.annotations):
            assert part["example.com/x"] == "kept"


async def test_a_work_that_somebody_changed_is_put_right() -> None:
    async with World(placement(), config_map("a"), member("us"), binding("us")) as world:
        await world.turn()
        (body,) = world.client.bodies(Work)
        labels = {k: v for k, v in body["metadata"]["labels"].items() if k != names.PARENT}
        metadata = body["metadata"] | {"labels": labels}
        world.client.put(body | {"metadata": metadata, "spec": {"workload": {"manifests": []}}})
        await world.turn()
        assert manifests(world) == {"demo.llama-work": ["a"]}
        assert works(world)["demo.llama-work"].metadata.labels[names.PARENT] == PLACEMENT


async def test_a_work_that_somebody_deleted_is_made_again_once_it_is_gone() -> None:
    async with World(placement(), config_map("a"), member("us"), binding("us")) as world:
        await world.turn()
        hold(world)
        await world.client.delete(world.all(Work)[0])
        await world.settle()
        assert world.all(Work)[0].deleting
        let_go(world)
        await world.settle()
        assert not world.all(Work)[0].deleting
