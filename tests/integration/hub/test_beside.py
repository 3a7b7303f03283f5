"""A hub where KubeFleet runs: it stands aside, or leaves members and placements to it."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from fleet.api import names
from fleet.api.cluster import MemberCluster
from fleet.api.core import Namespace
from fleet.api.deployment import ModelDeployment
from fleet.api.keys import Key
from fleet.api.objects import Metadata
from fleet.api.placement import ResourcePlacement
from fleet.api.workspace import InferenceSet
from fleet.kube.client import ApiClient
from fleet.kube.rivals import KUBEFLEET_HUB
from fleet.testing.apiserver import free_port
from fleet.testing.waiting import until
from tests.integration.hub.conftest import HubProcess
from tests.integration.rival import running

KUBEFLEET_NAMESPACE = "fleet-system"


class World:
    """A member, a placement and a ModelDeployment that nobody has looked at yet."""

    def __init__(self, client: ApiClient, name: str) -> None:
        self.client, self.name = client, name
        self.namespace = f"team-{name}"
        self.member, self.placement = Key("", f"us-{name}"), Key(self.namespace, "config")

    async def write(self) -> None:
        await self.client.create(Namespace(metadata=Metadata(name=self.namespace)))
        identity = {"kind": "ServiceAccount", "name": "agent", "namespace": "default"}
        await self._apply("MemberCluster", MemberCluster.API, self.member, {"identity": identity})
        selector = {"group": "", "version": "v1", "kind": "ConfigMap", "name": "none"}
        placed = {"resourceSelectors": [selector], "policy": {"placementType": "PickAll"}}
        await self._apply("ResourcePlacement", ResourcePlacement.API, self.placement, placed)

    async def deploy(self) -> None:
        spec = {"model": "qwen2-7b", "replicas": 1, "resources": {"gpu": 1}}
        key = Key(self.namespace, "qwen")
        await self._apply("ModelDeployment", "modelfleet.dev/v1alpha1", key, spec)

    async def _apply(self, kind: str, api: str, key: Key, spec: dict[str, Any]) -> None:
        metadata = {"name": key.name, "namespace": key.namespace}
        metadata = {name: value for name, value in metadata.items() if value}
        await self.client.dynamic.apply(
            {"apiVersion": api, "kind": kind, "metadata": metadata, "spec": spec}
        )

    async def versions(self) -> list[str]:
        member = await self.client.get(MemberCluster, self.member)
        placement = await self.client.get(ResourcePlacement, self.placement)
        return [found.metadata.resource_version for found in (member, placement) if found]

    async def taken_up(self) -> bool:
        """Whether both have a status of ours."""
        member = await self.client.get(MemberCluster, self.member)
        placement = await self.client.get(ResourcePlacement, self.placement)
        found = [each and each.status.conditions for each in (member, placement)]
        return all(found)

    async def deployed(self) -> bool:
        inference = await self.client.get(InferenceSet, Key(self.namespace, "qwen"))
        placements = await self.client.list(ResourcePlacement, self.namespace)
        return inference is not None and len(placements.items) == 2

    async def clear(self) -> None:
        for found in (
            await self.client.get(ModelDeployment, Key(self.namespace, "qwen")),
            await self.client.get(ResourcePlacement, self.placement),
            await self.client.get(MemberCluster, self.member),
        ):
            if found:
                await self.client.delete(found)


@pytest.fixture
def world(client: ApiClient, request: pytest.FixtureRequest) -> World:
    return World(client, names.digest(request.node.name))


async def test_a_hub_writes_nothing_while_kubefleet_runs_and_goes_on_when_it_stops(
    kubeconfig: Path, client: ApiClient, world: World
) -> None:
    listen = f"127.0.0.1:{free_port()}"
    hub = HubProcess(kubeconfig, HUB_HEALTH_LISTEN=listen)
    try:
        async with running(client, KUBEFLEET_HUB, KUBEFLEET_NAMESPACE):
            await world.write()
            before = await world.versions()
            await hub.start(waiting_for="stands aside")
            async with httpx.AsyncClient() as http:
                answer = await http.get(f"http://{listen}/readyz")
            assert answer.status_code == 503
            assert "Lease fleet-system/136224848560.hub.fleet.azure.com" in answer.text
            assert "start the hub with --beside (HUB_BESIDE=true)" in answer.text
            assert await world.versions() == before
        await until(world.taken_up)
    finally:
        await hub.kill()
        await world.clear()


async def test_beside_kubefleet_a_hub_writes_placements_and_leaves_them_to_it(
    kubeconfig: Path, client: ApiClient, world: World
) -> None:
    hub = HubProcess(kubeconfig, HUB_BESIDE="true")
    try:
        async with running(client, KUBEFLEET_HUB, KUBEFLEET_NAMESPACE):
            await world.write()
            before = await world.versions()
            await hub.start()
            await world.deploy()
            await until(world.deployed)
            assert await world.versions() == before
            assert hub.said("stands aside") == 0
    finally:
        await hub.kill()
        await world.clear()


async def test_an_agent_cannot_hold_a_hub_up_with_a_lease_of_its_own(
    kubeconfig: Path, client: ApiClient, world: World
) -> None:
    hub = HubProcess(kubeconfig)
    try:
        async with running(client, KUBEFLEET_HUB, f"fleet-member-{world.name}"):
            await world.write()
            await hub.start()
            await until(world.taken_up)
            assert hub.said("stands aside") == 0
    finally:
        await hub.kill()
        await world.clear()
