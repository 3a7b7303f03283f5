"""ClusterProfiles on a real API server, by a hub with no more rights than its chart gives it."""

from fleet.api.cluster import MemberCluster
from fleet.api.cluster_profile import ClusterProfile
from fleet.api.objects import Key
from fleet.kube.client import ApiClient
from fleet.testing.waiting import until
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
