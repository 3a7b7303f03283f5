"""What an agent counts on its nodes is what a placement selects and sorts clusters by."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from fleet.api import names
from fleet.api.binding import ResourceBinding
from fleet.api.cluster import InternalMemberCluster, ResourceUsage
from fleet.api.core import ConfigMap, Node, NodeStatus
from fleet.api.objects import Key
from fleet.api.placement import ResourcePlacement
from fleet.kube.client import ApiClient
from fleet.testing.waiting import until
from tests.integration.hub.fleet import joined_status, shaped
from tests.integration.hub.members import Members
from tests.integration.membership.cluster import Cluster

MIG: Final = "nvidia.com/mig-1g.5gb"
PREFIX: Final = "resources.kubernetes-fleet.io"
OTHER: Final = "zz-without-gpus"
"""Its name is the largest: of equals it would be picked."""
SELECTED: Final = (
    (f"{PREFIX}/available-{MIG}", "Ge", "7"),
    (f"{PREFIX}/total-{names.GPU}", "Eq", "2"),
    (f"{PREFIX}/allocatable-cpu", "Gt", "1500m"),
    ("gpus.modelfleet.dev/A100", "Gt", "1"),
    ("kubernetes.azure.com/vm-sizes/Standard_NC24ads_A100_v4/count", "Eq", "1"),
    ("kubernetes-fleet.io/node-count", "Ge", "1"),
    ("kubernetes.azure.com/per-cpu-core-cost", "Gt", "10m"),
)
SORTED: Final = (f"{PREFIX}/available-{MIG}", f"{PREFIX}/available-{names.GPU}")


async def test_names_with_dashes_and_slashes_work_from_the_node_to_the_binding(
    cluster: Cluster, client: ApiClient
) -> None:
    await _join_without_gpus(client)
    await cluster.enter()
    async with _gpu_node(client):
        await cluster.agent.start()
        await cluster.joined()
        await _all_go_to(cluster.name, client)


async def _all_go_to(cluster: str, client: ApiClient) -> None:
    config = shaped(ConfigMap, "sorted", "default", metadata={"labels": {"app": "sorted"}})
    await client.apply(config, force=True)
    asked = {f"select-{i}": _required(*each) for i, each in enumerate(SELECTED)}
    asked |= {f"sort-{i}": _preferred(name) for i, name in enumerate(SORTED)}
    made = [await client.create(_placement(name, each)) for name, each in asked.items()]

    async def all_placed() -> bool:
        return dict.fromkeys(asked, cluster).items() <= (await _targets(client)).items()

    await until(all_placed, seconds=60)
    await asyncio.gather(*map(client.delete, made))


async def _join_without_gpus(client: ApiClient) -> None:
    """Be a member that has nothing free, and says so: a sorter compares who tells."""
    await Members(client, "default", {OTHER: {}}).join()
    place = Key(names.member_namespace(OTHER), OTHER)
    internal = await client.get(InternalMemberCluster, place)
    assert internal
    nothing = ResourceUsage(available={MIG: "0", names.GPU: "0"})
    said = {"namespaces": {"default": ""}, "resource_usage": nothing}
    await client.as_manager("agent").patch_status(internal, joined_status().model_copy(update=said))


@asynccontextmanager
async def _gpu_node(client: ApiClient) -> AsyncIterator[None]:
    """Have a node that other tests' agents are not to count."""
    labels = {names.INSTANCE_TYPE: "Standard_NC24ads_A100_v4", names.REGION: "centralus"}
    made = await client.create(shaped(Node, "gpu-node", metadata={"labels": labels}))
    has = {"cpu": "24", "memory": "220Gi", "pods": "110", names.GPU: "2", MIG: "7"}
    await client.patch_status(made, NodeStatus(capacity=has, allocatable=has))
    try:
        yield
    finally:
        await client.delete(made)


def _required(name: str, operator: str, value: str) -> dict[str, Any]:
    expression = {"name": name, "operator": operator, "values": [value]}
    term = {"propertySelector": {"matchExpressions": [expression]}}
    return {"requiredDuringSchedulingIgnoredDuringExecution": {"clusterSelectorTerms": [term]}}


def _preferred(name: str) -> dict[str, Any]:
    sorter = {"propertySorter": {"name": name, "sortOrder": "Descending"}}
    term = {"weight": 50, "preference": sorter}
    return {"preferredDuringSchedulingIgnoredDuringExecution": [term]}


def _placement(name: str, affinity: dict[str, Any]) -> ResourcePlacement:
    selector = {"group": "", "version": "v1", "kind": "ConfigMap", "name": "sorted"}
    policy = {
        "placementType": "PickN",
        "numberOfClusters": 1,
        "affinity": {"clusterAffinity": affinity},
    }
    spec = {"resourceSelectors": [selector], "policy": policy}
    made: ResourcePlacement = shaped(ResourcePlacement, name, "default", spec=spec)
    return made


async def _targets(client: ApiClient) -> dict[str, str]:
    bindings = (await client.list(ResourceBinding, "default")).objects()
    return {b.metadata.labels[names.PARENT]: b.spec.target_cluster for b in bindings}
