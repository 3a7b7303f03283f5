"""Wake the placement controller, and reconcile one placement.

A listener only names a key. `reconcile` reads the state of the world itself, so a lost or merged
event changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fleet.api.binding import Binding
from fleet.api.conditions import turned
from fleet.api.objects import Key, Resource
from fleet.api.placement import Placement, PlacementStatus
from fleet.api.scope import parent
from fleet.kube.cache import Cache
from fleet.kube.client import Client
from fleet.kube.events import Tell, unheard
from fleet.kube.queue import WorkQueue
from fleet.kube.resources import ApiResource
from fleet.runtime.clock import Clock
from hub.controllers.placement.apply import apply
from hub.controllers.placement.events import told
from hub.controllers.placement.observe import Observer
from hub.controllers.placement.plan import plan
from hub.controllers.placement.plan.actions import Invalid, Observed
from hub.controllers.placement.status import report, settled
from hub.pace import StatusPace
from hub.watches import Meta

UNWATCHED_SECONDS = 15.0
"""Between looks at what no watch tells of: whether a kind is served, and which fields it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementController:
    client: Client
    observer: Observer
    clock: Clock
    pace: StatusPace
    tell: Tell = unheard

    @property
    def name(self) -> str:
        return f"placement-{self.observer.scope.placement.plural()}"

    @property
    def reads(self) -> Sequence[Cache[Any]]:
        return self.observer.reads

    async def reconcile(self, key: Key) -> float | None:
        """Make a placement's snapshots what they should be, and its status say how it stands."""
        observed = await self.observer.observe(key)
        await apply(plan(observed), self.client)
        if observed.placement and (rest := self.pace.rest(key)):
            return rest
        placement, status = observed.placement, report(observed, now=self.clock())
        calm = status is None or settled(status)
        wait = self.pace.wait(key, status, settled=calm, news=_news(placement, status))
        if placement is None:
            self.pace.forget(key)
        if placement and status and not wait:
            await self.client.patch_status(placement, status)
            self.tell(placement, told(placement, status))
        return wait or (UNWATCHED_SECONDS if _waits(observed) else None)

    def wake(self, queue: WorkQueue) -> None:
        """Add the placement that a change concerns."""

        def placement(resource: Resource) -> None:
            queue.add(resource.key)

        def owner(resource: Resource) -> None:
            queue.add(parent(resource))

        def bound(binding: Binding) -> None:
            """While all go from stage to stage, look at them together and not one by one."""
            key = parent(binding)
            placement = reads.placements.get(key)
            kept = placement is not None and not placement.deleting
            queue.add_after(key, self.pace.rest(key) if kept else 0.0)

        def selected(resource: ApiResource, meta: Meta) -> None:
            for key in self.observer.concerned(resource, meta):
                queue.add(key)

        reads = self.observer.reads
        reads.placements.on_change(placement)
        for cache in (reads.policies, reads.resources):
            cache.on_change(owner)
        reads.bindings.on_change(bound)
        self.observer.watches.on_change(selected)


def _news(placement: Placement | None, status: PlacementStatus | None) -> bool:
    """Say whether a placement as a whole is on: each cluster's part may come later."""
    return bool(placement and status and turned(placement.status.conditions, status.conditions))


def _waits(observed: Observed) -> bool:
    """Say whether a placement waits for a kind, or for a field that it needs to be bound."""
    content = observed.content
    return isinstance(content, Invalid) or (bool(content.demands) and not observed.bindings)
