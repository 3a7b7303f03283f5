"""Read a member and its profile, once, from the caches."""

from typing import NamedTuple

from fleet.api.cluster import MemberCluster
from fleet.api.cluster_profile import ClusterProfile
from fleet.api.conditions import find
from fleet.api.objects import Key
from fleet.kube.cache import Cache
from hub.controllers.cluster_profile.plan import Observed


class Reads(NamedTuple):
    clusters: Cache[MemberCluster]
    profiles: Cache[ClusterProfile]
    """Of the one namespace in which they are kept."""

    def observe(self, name: str, *, silent: bool) -> Observed:
        return Observed(
            cluster=self.clusters.get(Key("", name)),
            profile=self.profiles.get(Key(self.profiles.namespace, name)),
            served=not self.profiles.unserved,
            silent=silent,
        )


def shown(cluster: MemberCluster) -> object:
    """Take what a profile shows of a member; a heartbeat changes nothing of it."""
    agent = cluster.status.agent
    healthy = find(agent.conditions, "Healthy") if agent else None
    return (
        (cluster.deleting, cluster.metadata.finalizers, cluster.joined),
        (agent is None, healthy and (healthy.status, healthy.message)),
        {name: found.value for name, found in cluster.status.properties.items()},
    )
