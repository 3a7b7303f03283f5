"""Wake membership for a cluster, or for what it has in its namespace on the hub."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from fleet.api import names
from fleet.api.cluster import InternalMemberCluster, MemberCluster
from fleet.api.happenings import happenings
from fleet.api.objects import Key, Resource
from fleet.kube.cache import Cache
from fleet.kube.client import Client
from fleet.kube.events import Tell, unheard
from fleet.kube.queue import WorkQueue
from fleet.runtime.clock import Clock
from hub.controllers.membership.apply import apply
from hub.controllers.membership.events import TURNS
from hub.controllers.membership.observe import Reads
from hub.controllers.membership.plan import Observed, plan
from hub.controllers.membership.status import report
from hub.gateway_claims import Refusal
from hub.gateway_hosts import GatewayHosts

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    client: Client
    caches: Reads
    hosts: GatewayHosts
    clock: Clock
    force_after: timedelta
    """How long a leaving member's agent may take, before it is not waited for any more."""
    tell: Tell = unheard
    name: str = "membership"

    @property
    def reads(self) -> Sequence[Cache[Any]]:
        return self.caches

    async def reconcile(self, key: Key) -> float | None:
        """Give a member what it needs on the hub, and say what its agent reports."""
        observed, now = await self._observe(key), self.clock()
        planned = plan(observed, now=now, force_after=self.force_after)
        await apply(planned, self.client)
        cluster = observed.cluster
        gone = cluster is None or (cluster.deleting and observed.namespace is None)
        if cluster and not gone:
            internal = self.caches.observe(key.name).internal
            refusal = self._refusal(internal)
            status = report(cluster, internal, now=now, refusal=refusal)
            if status:
                await self.client.patch_status(cluster, status)
                turned = tuple(happenings(cluster.status.conditions, status.conditions, TURNS))
                self.tell(cluster, turned)
                if refusal and refusal.reason in {told.reason for told in turned}:
                    log.warning(refusal.message, extra={"cluster": cluster.name})
        return planned.again

    async def _observe(self, key: Key) -> Observed:
        """Ask the server itself before a member counts as vanished."""
        observed, clusters = self.caches.observe(key.name), self.caches.clusters
        namespace = observed.namespace
        left_over = namespace is not None and not namespace.deleting
        if observed.cluster is None and left_over and not clusters.unserved:
            gone = await self.client.get(MemberCluster, Key("", key.name)) is None
            return replace(observed, vanished=gone)
        return observed

    def _refusal(self, internal: InternalMemberCluster | None) -> Refusal | None:
        gateway = internal.status.gateway if internal else None
        return self.hosts.refusal(internal.name, gateway.url) if internal and gateway else None

    def wake(self, queue: WorkQueue) -> None:
        def cluster(resource: Resource) -> None:
            queue.add(resource.key)

        def belonging(resource: Resource) -> None:
            name = names.member_cluster(resource.namespace or resource.name)
            if name:
                queue.add(Key("", name))

        reads = self.caches
        reads.clusters.on_change(cluster)
        for cache in (reads.internals, reads.namespaces, reads.accounts):
            cache.on_change(belonging)
        for others in (reads.roles, reads.role_bindings):
            others.on_change(belonging)
        self.hosts.on_change(lambda member: queue.add(Key("", member)))
