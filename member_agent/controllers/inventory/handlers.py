"""Report the member to the hub: at every heartbeat, and at once when something has changed."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import inf
from typing import TYPE_CHECKING, Any, Protocol

from fleet.api.cluster import (
    GatewayStatus,
    InternalMemberCluster,
    InternalMemberClusterStatus,
)
from fleet.api.conditions import find
from fleet.api.core import Namespace, Pod
from fleet.api.objects import Key
from fleet.catalog.catalogue import Catalogue
from fleet.kube.client import Client
from fleet.kube.errors import KubeError
from fleet.kube.queue import WorkQueue
from fleet.runtime.clock import Clock
from member_agent.capacity import ENDED
from member_agent.controllers.inventory.observe import Reads, held, observe
from member_agent.controllers.inventory.plan import plan
from member_agent.controllers.inventory.plan.observed import NOWHERE, Endpoint
from member_agent.controllers.inventory.status import SOLE, Health, news, report

if TYPE_CHECKING:
    from fleet.kube.cache import Cache

JITTER = 0.05
"""Part of the period by which heartbeats vary, so that those of a fleet do not meet."""
WRITE_SECONDS = 1.0
"""Between two reports at least."""
LOOK_SECONDS = 0.2
"""Between two looks that find nothing new at least."""
CATCH_UP_SECONDS = 10.0
"""For which the first heartbeat waits until the Works are reported on."""
PATIENCE_SECONDS = 3.0
"""For the member's API server to answer before it counts as unhealthy."""
SYSTEM = Key("", "kube-system")
PERIODS = 3
"""Heartbeats for which another cluster of our name may say nothing before it counts as gone."""


class Gateway(Protocol):
    def status(self) -> GatewayStatus | None:
        """Say where the member's gateway is, and whether it takes requests."""

    @property
    def trouble(self) -> str:
        """Why it does not; empty where there is to be none."""

    def on_change(self, listener: Callable[[], None]) -> None: ...


class Other(Protocol):
    @property
    def found(self) -> str:
        """Say who else is there and what is to be done; nothing where nobody is."""

    def on_change(self, listener: Callable[[], None]) -> None: ...


@dataclass(slots=True)
class Pace:
    """When what was done last, in the timer's seconds."""

    due: float = -inf
    """When the next heartbeat is."""
    quiet_until: float = -inf
    """Until when changes are gathered."""
    started: float = inf
    """When the first heartbeat could have been."""
    answered: int = 0
    """Generation of what the hub asks, as of the last report."""
    trouble: str = ""
    """What the last look at the member's API server found."""
    version: str = ""
    """Which Kubernetes it is, as far as it has said."""
    twin: tuple[str, float] = "", 0.0
    """What another cluster of our name said last, and when we first read it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryReports:
    hub: Client
    member: Client
    reads: Reads
    key: Key
    """Of the member's own place on the hub."""
    clock: Clock
    timer: Callable[[], float]
    """Seconds that only go forward."""
    chance: Callable[[], float]
    catalogue: Catalogue
    gateway: Gateway
    caught_up: Callable[[], bool]
    """Whether the Works say how they are now: the hub believes them from our first heartbeat."""
    aside: Other
    """Who reconciles in our place: while it is there we apply nothing."""
    release: str = ""
    """Version of the agent."""
    endpoint: Endpoint = NOWHERE
    name: str = "inventory"
    pace: Pace = field(default_factory=Pace)

    async def reconcile(self, key: Key) -> float | None:
        """Write a report where one is due, and say when the next one is."""
        membership = self.reads.membership.get(self.key)
        if key != self.key or membership is None:
            return None
        now = self.timer()
        if now < self.pace.quiet_until:
            return self.pace.quiet_until - now
        if self._too_early(now):
            return LOOK_SECONDS
        beat = now >= self.pace.due or membership.metadata.generation != self.pace.answered
        if beat:
            self.pace.trouble = await self._trouble()
        observed = observe(self.reads, self.key, self.catalogue, self.clock())
        observed = replace(
            observed,
            version=self.pace.version,
            release=self.release,
            endpoint=self.endpoint,
        )
        gateway = self.gateway
        health = Health(
            gateway.status(),
            self.pace.trouble,
            self.aside.found,
            unserved=gateway.trouble,
            sole=self._sole(membership),
        )
        status = report(membership, plan(observed), observed, health)
        self.pace.quiet_until = self.timer() + LOOK_SECONDS
        if beat or news(membership.status, status):
            await self._send(membership, status)
        return max(0.0, self.pace.due - self.timer())

    def _sole(self, membership: InternalMemberCluster) -> bool:
        """Whether to say that nobody else reports as us: once somebody did, and does no more."""
        said, now = find(membership.status.conditions, SOLE), self.timer()
        if said is None or said.true:
            return said is not None
        if said.message != self.pace.twin[0]:
            self.pace.twin = said.message, now
        return now - self.pace.twin[1] > PERIODS * membership.spec.heartbeat_period_seconds

    def _too_early(self, now: float) -> bool:
        if self.pace.due > -inf or self.aside.found or self.caught_up():
            return False
        self.pace.started = min(self.pace.started, now)
        return now < self.pace.started + CATCH_UP_SECONDS

    async def _send(
        self, membership: InternalMemberCluster, status: InternalMemberClusterStatus
    ) -> None:
        # One that is refused is not sent again at each look.
        self.pace.quiet_until = self.timer() + WRITE_SECONDS
        await self.hub.patch_status(membership, status)
        period = membership.spec.heartbeat_period_seconds
        length = period * (1 + JITTER * (2 * self.chance() - 1))
        self.pace.due = self.timer() + length
        self.pace.answered = membership.metadata.generation
        self.pace.quiet_until = self.timer() + WRITE_SECONDS

    async def _trouble(self) -> str:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self.member.get(Namespace, SYSTEM)
                self.pace.version = await self.member.version()
        except TimeoutError:
            return f"the member's API server does not answer within {PATIENCE_SECONDS:.0f} s"
        except KubeError as error:
            return f"the member's API server does not answer: {error}"
        return ""

    def wake(self, queue: WorkQueue) -> None:
        """Add our one key at every change; reports are gathered when they are written."""
        queue.add(self.key)
        self.gateway.on_change(lambda: queue.add(self.key))
        self.aside.on_change(lambda: queue.add(self.key))
        reads = self.reads
        reads.membership.on_change(lambda _: queue.add(self.key), part=lambda item: item.spec)
        reads.pods.on_change(lambda _: queue.add(self.key), part=_use)
        reads.works.on_change(lambda _: queue.add(self.key), part=held)
        caches: tuple[Cache[Any], ...] = (
            reads.nodes,
            reads.claims,
            reads.pools,
            reads.workspaces,
            reads.namespaces,
        )
        for cache in caches:
            cache.on_change(lambda _: queue.add(self.key))


def _use(pod: Pod) -> object:
    """What a pod takes of its node."""
    return pod.spec, pod.status.phase in ENDED
