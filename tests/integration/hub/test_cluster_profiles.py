"""ClusterProfiles on a real API server, by a hub with no more rights than its chart gives it."""

from pathlib import Path

import pytest
import yaml

from fleet.api.cluster import MemberCluster
from fleet.api.cluster_profile import ClusterProfile
from fleet.api.core import Namespace
from fleet.api.objects import Key
from fleet.kube.client import ApiClient
from fleet.testing.apiserver import ADMIN, ApiServer
from fleet.testing.waiting import until
from tests.integration.faults.definitions import removed
from tests.integration.hub.conftest import HubProcess
from tests.integration.hub.fleet import Fleet

PROFILE = Key("fleet-system", "listed")


async def test_a_profile_comes_and_goes_with_its_member(client: ApiClient, hub: HubProcess) -> None:
    del hub
    fleet = Fleet(client, "profiles", PROFILE.name)
    await fleet.join()

    async def healthy() -> bool:
        found = await client.get(ClusterProfile, PROFILE)
        return found is not None and [c.reason for c in found.status.conditions] == [
            "MemberClusterAPIServerHealthy"
        ]

    await until(healthy)
    member = await client.get(MemberCluster, Key("", PROFILE.name))
    assert member
    await client.delete(member)

    async def gone() -> bool:
        return await client.get(ClusterProfile, PROFILE) is None

    await until(gone)


@pytest.mark.faults
async def test_profiles_go_with_their_kind_and_come_back_with_it(
    frail_server: ApiServer, tmp_path: Path
) -> None:
    client = ApiClient(frail_server.connection(), "test")
    path = tmp_path / "kubeconfig.yaml"
    path.write_text(yaml.safe_dump(frail_server.kubeconfig(ADMIN)), encoding="utf-8")
    hub = HubProcess(path)

    async def there() -> bool:
        return await client.get(ClusterProfile, PROFILE) is not None

    async def joined() -> bool:
        live = await client.get(MemberCluster, Key("", PROFILE.name))
        return live is not None and live.joined

    try:
        async with removed(client, ClusterProfile.crd()):
            await hub.start()
            await Fleet(client, "profiles", PROFILE.name).join()
            await until(joined)
            assert await client.get(Namespace, Key("", PROFILE.namespace)) is None
        await until(there)
        async with removed(client, ClusterProfile.crd()):
            assert not await there()
        await until(there)
        assert hub.process
        assert hub.process.returncode is None
    finally:
        await hub.kill()
        await client.close()
