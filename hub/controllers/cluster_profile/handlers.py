"""Keep one ClusterProfile for each member, where the hub has that kind."""

from dataclasses import dataclass

from fleet.api.objects import Key, Resource
from fleet.kube.client import Client
from fleet.kube.queue import WorkQueue
from fleet.runtime.clock import Clock
from hub.controllers.cluster_profile.apply import apply
from hub.controllers.cluster_profile.observe import Reads, shown
from hub.controllers.cluster_profile.plan import ours, plan
from hub.controllers.cluster_profile.status import report
from hub.heartbeats import Heartbeats


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterProfiles:
    name = "cluster-profile"
    client: Client
    reads: Reads
    silence: Heartbeats
    clock: Clock

    async def reconcile(self, key: Key) -> None:
        """Write a member's profile, or take it away with the member."""
        silent = self.silence.silent(key.name)
        observed = self.reads.observe(key.name, silent=silent)
        await apply(plan(observed, self.reads.profiles.namespace), self.client)
        now = self.reads.observe(key.name, silent=silent)
        cluster, profile = now.cluster, now.profile
        if cluster is None or cluster.deleting or profile is None or profile.deleting:
            return
        if ours(profile) and (status := report(profile, cluster, silent=silent, now=self.clock())):
            await self.client.patch_status(profile, status)

    def wake(self, queue: WorkQueue) -> None:
        def member(resource: Resource) -> None:
            queue.add(Key("", resource.name))

        def everybody() -> None:
            for cluster in self.reads.clusters.all():
                queue.add(cluster.key)

        self.reads.clusters.on_change(member, part=shown)
        self.reads.profiles.on_change(member)
        self.reads.profiles.on_gap(everybody)
        self.silence.on_change(lambda name: queue.add(Key("", name)))
