"""The 1,000 objects among which programs start: some applied by people, the rest made by a hub."""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Final

from benchmarks.members import PATIENCE_SECONDS, join
from fleet.api import names
from fleet.api.core import ConfigMap, Namespace
from fleet.api.objects import Metadata
from fleet.api.placement import ResourcePlacement
from fleet.api.service import ModelEndpoint, ModelService
from fleet.api.work import Work
from fleet.api.workspace import Workspace
from fleet.kube.client import ApiClient
from fleet.testing.apiserver import ApiServer
from fleet.testing.waiting import until

CLUSTER: Final = "us"
TEAM: Final = "team"
PLACEMENTS: Final = 140
"""Each makes five objects: itself, two snapshots, a binding and a Work."""
WORKSPACES: Final = 200
SERVICES: Final = 50
"""Each with an endpoint."""


async def fill(server: ApiServer) -> None:
    """Let a member join, and apply what people apply."""
    client = ApiClient(server.connection(), "people")
    await client.create(Namespace(metadata=Metadata(name=TEAM)))
    await join(client, CLUSTER)
    await _all(_place(client, f"p{number}") for number in range(PLACEMENTS))
    await _all(_workspace(client, f"w{number}") for number in range(WORKSPACES))
    await _all(_serve(client, f"s{number}") for number in range(SERVICES))
    await client.close()


async def settled(server: ApiServer) -> None:
    """Wait until the hub has made the rest."""
    client = ApiClient(server.connection(), "people")

    async def made() -> bool:
        works = await client.list(Work, names.member_namespace(CLUSTER))
        return len(works.items) == PLACEMENTS

    await until(made, seconds=PATIENCE_SECONDS)
    await client.close()


async def _all(calls: Iterable[Awaitable[object]]) -> None:
    await asyncio.gather(*calls)


async def _place(client: ApiClient, name: str) -> None:
    metadata = Metadata(name=name, namespace=TEAM)
    await client.create(ConfigMap(metadata=metadata, data={"name": name}))
    selector = {"group": "", "version": "v1", "kind": "ConfigMap", "name": name}
    policy = {"placementType": "PickFixed", "clusterNames": [CLUSTER]}
    spec = {"resourceSelectors": [selector], "policy": policy}
    await client.create(
        ResourcePlacement.model_validate({"metadata": metadata.dump(), "spec": spec})
    )


async def _workspace(client: ApiClient, name: str) -> None:
    shape = {
        "metadata": {"name": name, "namespace": TEAM},
        "resource": {
            "instanceType": "Standard_NC24ads_A100_v4",
            "labelSelector": {"matchLabels": {"apps": name}},
        },
        "inference": {"preset": {"name": "phi-4-mini-instruct"}},
    }
    await client.create(Workspace.model_validate(shape))


async def _serve(client: ApiClient, name: str) -> None:
    metadata = {"name": name, "namespace": TEAM}
    service = {"metadata": metadata, "spec": {"model": f"model-{name}"}}
    await client.create(ModelService.model_validate(service))
    spec = {"service": name, "url": "https://127.0.0.1:9/v1", "region": "us"}
    await client.create(ModelEndpoint.model_validate({"metadata": metadata, "spec": spec}))
