"""Wake the rollout for a placement whose snapshots, bindings or members changed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from fleet.api.binding import Binding
from fleet.api.cluster import MemberCluster
from fleet.api.objects import Key, Resource
from fleet.api.scope import Scope, parent
from fleet.kube.cache import Cache
from fleet.kube.client import Client
from fleet.kube.queue import WorkQueue
from fleet.runtime.clock import Clock
from hub.controllers.rollout.apply import apply
from hub.controllers.rollout.observe import Silence, observe
from hub.controllers.rollout.plan import plan
from hub.controllers.rollout.status import started
from hub.scope_caches import ScopeCaches


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    scope: Scope
    client: Client
    caches: ScopeCaches
    clusters: Cache[MemberCluster]
    silence: Silence
    clock: Clock

    @property
    def name(self) -> str:
        return f"rollout-{self.scope.placement.plural()}"

    @property
    def reads(self) -> Sequence[Cache[Any]]:
        return *self.caches, self.clusters

    async def reconcile(self, key: Key) -> None:
        """Move a placement's bindings towards its latest resources."""
        observed = observe(self.caches, self.clusters, key, self.silence)
        await apply(plan(observed), self.client, partial(started, now=self.clock()))

    def wake(self, queue: WorkQueue) -> None:
        def placement(resource: Resource) -> None:
            queue.add(resource.key)

        def owner(resource: Resource) -> None:
            if self._ours(parent(resource)):
                queue.add(parent(resource))

        def member(cluster: MemberCluster) -> None:
            for binding in self._left_by(cluster):
                owner(binding)

        self.clusters.on_change(member)
        self.caches.placements.on_change(placement)
        for cache in (self.caches.policies, self.caches.resources, self.caches.bindings):
            cache.on_change(owner)

    def _ours(self, key: Key) -> bool:
        """With update runs there is nothing to do, however many bindings change."""
        placement = self.caches.placements.get(key)
        return placement is None or placement.spec.strategy.type != "External"

    def _left_by(self, cluster: MemberCluster) -> Iterator[Binding]:
        """Give what a member that is gone had."""
        if self.clusters.get(cluster.key) is None:
            for binding in self.caches.bindings.all():
                if binding.spec.target_cluster == cluster.name:
                    yield binding
