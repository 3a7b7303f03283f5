"""Where a workload is: in the clusters that hold an allocation for it, or that serve it."""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from cli.hub_client import hub_client
from fleet.api import names
from fleet.api.binding import Binding, ClusterResourceBinding, ResourceBinding
from fleet.api.service import ModelEndpoint

SELECTORS: Final = {"Workspace": names.WORKSPACE, "InferenceSet": names.INFERENCE_SET}
"""Label that a workload's pods carry, with its name as the value."""


class Place(NamedTuple):
    member: str
    selector: str
    """Of the workload's pods in its namespace there."""


async def places(kubeconfig: str, workload: str, namespace: str) -> list[Place]:
    """Ask the hub; NoHubError where it cannot be asked."""
    bindings: list[Binding] = []
    async with hub_client(kubeconfig) as client:
        bindings += (await client.list(ClusterResourceBinding)).objects()
        bindings += (await client.list(ResourceBinding, namespace)).objects()
        endpoints = (await client.list(ModelEndpoint, namespace)).objects()
    found = [*allocated(bindings, workload, namespace), *serving(endpoints, workload)]
    return sorted(set(found))


def allocated(bindings: Iterable[Binding], workload: str, namespace: str) -> Iterator[Place]:
    for binding in bindings:
        for given in binding.spec.allocations:
            if (given.namespace, given.name) == (namespace, workload):
                yield _place(binding.spec.target_cluster, given.kind, workload)


def serving(endpoints: Iterable[ModelEndpoint], workload: str) -> Iterator[Place]:
    """A placement that takes every cluster allocates nothing, but its places are known."""
    for endpoint in endpoints:
        for owner in endpoint.metadata.owner_references:
            if owner.name == workload and owner.kind in SELECTORS and endpoint.spec.cluster:
                yield _place(endpoint.spec.cluster, owner.kind, workload)


def _place(member: str, kind: str, workload: str) -> Place:
    return Place(member, f"{SELECTORS[kind]}={workload}")
