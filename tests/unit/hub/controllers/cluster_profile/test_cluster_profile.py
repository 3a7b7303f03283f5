"""Each member of the fleet has a ClusterProfile, which says how it does in KubeFleet's words."""

from typing import Any

import pytest

from fleet.api import names
from fleet.api.cluster import MemberCluster
from fleet.api.cluster_profile import ClusterProfile
from fleet.api.core import Namespace
from fleet.api.objects import Key
from fleet.kube.cache import Cache
from fleet.testing.client import FakeClient
from fleet.testing.workloads import IDENTITY, NOON, condition
from hub.controllers.cluster_profile.handlers import ClusterProfiles
from hub.controllers.cluster_profile.observe import Reads, shown
from hub.heartbeats import Heartbeats

HOME = "fleet-system"


class Inventory:
    """The controller over a server that keeps its state."""

    def __init__(self, cluster: MemberCluster, *others: Any) -> None:
        self.client, self.seconds = FakeClient(cluster, *others), 0.0
        self.reads = Reads(
            Cache(MemberCluster), Cache(ClusterProfile, namespace=HOME, optional=True)
        )
        self.heartbeats = Heartbeats(lambda: self.seconds, lambda: NOON)
        self.heartbeats.follow(self.reads.clusters)
        self.controller = ClusterProfiles(
            client=self.client, reads=self.reads, silence=self.heartbeats, clock=lambda: NOON
        )
        self.client.feed(*self.reads)

    async def reconcile(self) -> None:
        for cache in self.reads:
            await self.client.relist(cache)
        await self.controller.reconcile(Key("", "us"))

    @property
    def profiles(self) -> list[ClusterProfile]:
        return self.client.all(ClusterProfile)

    async def health(self) -> tuple[str, str]:
        await self.reconcile()
        (said,) = self.profiles[0].status.conditions
        return said.status, said.reason


def member(
    *agent: dict[str, Any], beat: str = "2026-01-01T12:00:00Z", **more: Any
) -> MemberCluster:
    said = {"type": "MemberAgent", "conditions": agent, "lastReceivedHeartbeat": beat}
    status = {
        "conditions": [condition("Joined", more.pop("joined", "True"))],
        "agentStatus": [said] if agent else [],
        "properties": {
            name: {"value": value, "observationTime": beat}
            for name, value in more.pop("properties", {}).items()
        },
    }
    metadata = {"name": "us", "uid": "uid-us", **more}
    return MemberCluster.model_validate(
        {"metadata": metadata, "spec": {"identity": IDENTITY}, "status": status}
    )


WELL = condition("Healthy", "True")


async def test_a_member_that_has_joined_has_a_profile_as_kubefleet_writes_it() -> None:
    properties = {
        "k8s.io/k8s-version": "v1.36.3",
        "k8s.io/cluster-entrypoint": "https://us.example:6443",
        "k8s.io/cluster-certificate-authority-data": "PEM",
        "kubernetes-fleet.io/node-count": "3",
        "too.long/value": "x" * 1025,
    }
    world = Inventory(member(WELL, properties=properties))
    await world.reconcile()
    (made,) = world.profiles
    assert made.metadata.labels == {"x-k8s.io/cluster-manager": "KubeFleet"}
    assert made.spec.dump() == {"displayName": "us", "clusterManager": {"name": "KubeFleet"}}
    assert [owner.uid for owner in made.metadata.owner_references] == ["uid-us"]
    assert made.status.dump() == {
        "conditions": [
            {
                "type": "ControlPlaneHealthy",
                "status": "True",
                "reason": "MemberClusterAPIServerHealthy",
                "message": "The member's API server answers its agent",
                "observedGeneration": made.metadata.generation,
                "lastTransitionTime": "2026-01-01T12:00:00Z",
            }
        ],
        "version": {"kubernetes": "v1.36.3"},
        "properties": [{"name": "kubernetes-fleet.io/node-count", "value": "3"}],
        "accessProviders": [
            {
                "name": "KubeFleet",
                "cluster": {
                    "server": "https://us.example:6443",
                    "certificate-authority-data": "UEVN",
                },
            }
        ],
    }
    assert [space.name for space in world.client.all(Namespace)] == []
    before = made.metadata.resource_version
    await world.reconcile()
    assert world.profiles[0].metadata.resource_version == before


@pytest.mark.parametrize(
    ("agent", "health"),
    [
        ((), ("Unknown", "MemberAgentReportedNoStatus")),
        ((condition("Joined", "True"),), ("Unknown", "MemberAgentReportedNoHealthInfo")),
        ((condition("Healthy", "Unknown"),), ("Unknown", "MemberAgentReportedNoHealthInfo")),
        ((condition("Healthy", "False"),), ("False", "MemberClusterAPIServerUnhealthy")),
        ((WELL,), ("True", "MemberClusterAPIServerHealthy")),
    ],
)
async def test_a_profile_says_how_the_member_does(agent: Any, health: Any) -> None:
    assert await Inventory(member(*agent)).health() == health


async def test_a_silent_member_is_lost_until_it_is_heard_again() -> None:
    world = Inventory(member(WELL))
    await world.reconcile()
    world.seconds = 300.0
    world.heartbeats.tick()
    assert await world.health() == ("False", "MemberAgentHeartbeatLost")
    world.client.put(member(WELL, beat="2026-01-01T12:05:00Z"))
    assert await world.health() == ("True", "MemberClusterAPIServerHealthy")


async def test_who_has_not_joined_has_none_and_who_left_keeps_it_until_it_is_deleted() -> None:
    world = Inventory(member(WELL, joined="Unknown"))
    await world.reconcile()
    assert not world.profiles
    world.client.put(member(WELL))
    await world.reconcile()
    world.client.put(member(WELL, joined="False"))
    await world.reconcile()
    assert world.profiles


async def test_a_profile_goes_with_its_member_and_with_kubefleet_s_finalizer() -> None:
    finalizers = [names.MEMBER_CLUSTER_FINALIZER, names.PROFILE_FINALIZER]
    world = Inventory(member(WELL, finalizers=finalizers))
    await world.reconcile()
    (cluster,) = world.client.all(MemberCluster)
    await world.client.delete(cluster)
    await world.reconcile()
    assert not world.profiles
    (leaving,) = world.client.all(MemberCluster)
    assert leaving.metadata.finalizers == (names.MEMBER_CLUSTER_FINALIZER,)


async def test_a_profile_whose_member_went_unseen_goes_too() -> None:
    world = Inventory(member(WELL))
    await world.reconcile()
    (cluster,) = world.client.all(MemberCluster)
    await world.client.delete(cluster)
    await world.reconcile()
    assert not world.profiles


async def test_where_the_kind_is_missing_nothing_is_written() -> None:
    world = Inventory(member(WELL, finalizers=[names.PROFILE_FINALIZER]))
    for cache in world.reads:
        await world.client.relist(cache)
    world.reads.profiles.miss()
    await world.controller.reconcile(Key("", "us"))
    assert not world.profiles


async def test_what_somebody_edits_is_put_right_and_another_manager_s_profile_is_left() -> None:
    world = Inventory(member(WELL))
    await world.reconcile()
    (made,) = world.profiles
    edited = made.manifest()
    edited["spec"]["displayName"], edited["metadata"]["labels"] = "mine", {}
    world.client.put(edited)
    await world.reconcile()
    assert world.profiles[0].spec.display_name == "us"
    assert world.profiles[0].metadata.labels == made.metadata.labels
    edited["spec"]["clusterManager"]["name"] = "another"
    world.client.put(edited)
    await world.reconcile()
    assert world.profiles[0].spec.display_name == "mine"


def test_a_heartbeat_alone_changes_nothing_that_a_profile_shows() -> None:
    now, later = member(WELL), member(WELL, beat="2026-01-01T12:05:00Z")
    assert shown(now) == shown(later)
    assert shown(now) != shown(member(condition("Healthy", "False")))
