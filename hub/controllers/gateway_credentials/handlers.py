"""Keep what gateways know each other by, and hand it to every member that has joined."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fleet.api import names
from fleet.api.cluster import MemberCluster
from fleet.api.core import Secret
from fleet.api.happenings import Happening
from fleet.api.keys import Key
from fleet.api.work import Work
from fleet.kube.cache import Cache
from fleet.kube.client import Client
from fleet.kube.events import Tell, unheard
from fleet.kube.queue import WorkQueue
from fleet.runtime.clock import Clock
from fleet.runtime.gauges import Values
from hub.certificates import Maker
from hub.controllers.gateway_credentials.apply import apply
from hub.controllers.gateway_credentials.observe import Reads
from hub.controllers.gateway_credentials.plan import plan_delivery, plan_shared
from hub.controllers.gateway_credentials.plan.actions import (
    AUTHORITY,
    CREDENTIAL,
)
from hub.controllers.gateway_credentials.plan.authorities import Rules
from hub.gateway_hosts import GatewayHosts
from hub.gateway_work import CERTIFICATE, WORK

SHARED = Key("", "")
"""The key of what all gateways share; the others are members."""
OURS = (AUTHORITY, CERTIFICATE, CREDENTIAL)
log = logging.getLogger(__name__)


LATE = Happening(
    "GatewayCredentialWaits",
    "The next credential between gateways waits for this member, whose agent has not applied it: "
    "see its agent and its way to the hub, or let the member leave",
    warning=True,
)


@dataclass(slots=True)
class Late:
    """Who keeps the credential from being rotated, as users were told."""

    members: tuple[str, ...] = ()

    def values(self) -> Values:
        return (((name,), 1.0) for name in self.members)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayCredentials:
    client: Client
    caches: Reads
    hosts: GatewayHosts
    clock: Clock
    maker: Maker
    rules: Rules
    more_names: tuple[str, ...] = ()
    """Further names and addresses by which clients reach the global gateway."""
    name: str = "gateway-credentials"
    tell: Tell = unheard
    late: Late = field(default_factory=Late)

    @property
    def reads(self) -> Sequence[Cache[Any]]:
        return self.caches

    async def reconcile(self, key: Key) -> float | None:
        now, shared = self.clock(), self.caches.shared()
        if key == SHARED:
            planned = plan_shared(shared, self.more_names, now, self.rules, self.maker)
            self._tell(planned.late)
        else:
            delivery = self.caches.delivery(key.name, self.hosts)
            planned = plan_delivery(shared, delivery, now, self.rules, self.maker)
        await apply(planned.actions, self.client)
        return planned.again.total_seconds() if planned.again else None

    def _tell(self, late: tuple[str, ...]) -> None:
        more = sorted(set(late) - set(self.late.members))
        self.late.members = late
        for cluster in filter(None, (self.caches.clusters.get(Key("", name)) for name in more)):
            self.tell(cluster, (LATE,))
        if more:
            extra = {"for": ", ".join(more)}
            log.warning("the next credential between gateways waits for members", extra=extra)

    def wake(self, queue: WorkQueue) -> None:
        reads = self.caches
        queue.add(SHARED)

        def secret(resource: Secret) -> None:
            if resource.name in OURS:
                queue.add(SHARED)
                addresses = reads.clusters.keys()
                for address in addresses:
                    queue.add(address)

        def cluster(resource: MemberCluster) -> None:
            queue.add(resource.key)
            queue.add(SHARED)

        def work(resource: Work) -> None:
            member = names.member_cluster(resource.namespace)
            if resource.name == WORK and member:
                queue.add(Key("", member))
                queue.add(SHARED)

        reads.secrets.on_change(secret)
        reads.clusters.on_change(cluster, part=_concerns)
        reads.works.on_change(work)
        self.hosts.on_change(lambda member: queue.add(Key("", member)))


def _concerns(cluster: MemberCluster) -> object:
    """What of a member changes anything here; its heartbeats do not."""
    gateway = cluster.status.gateway
    return cluster.joined, cluster.deleting, gateway.url if gateway else ""
