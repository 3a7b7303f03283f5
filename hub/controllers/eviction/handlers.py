"""Answer each eviction once."""

import asyncio
from dataclasses import dataclass, field

from fleet.api.eviction import ClusterResourcePlacementEviction
from fleet.api.happenings import happenings
from fleet.api.objects import Key
from fleet.kube.cache import Cache
from fleet.kube.client import Client
from fleet.kube.events import Tell, unheard
from fleet.kube.queue import WorkQueue
from fleet.runtime.clock import Clock
from hub.controllers.eviction.apply import apply
from hub.controllers.eviction.events import TURNS
from hub.controllers.eviction.observe import observe
from hub.controllers.eviction.plan import decided, plan
from hub.controllers.eviction.status import report


@dataclass(frozen=True, slots=True, kw_only=True)
class Evictions:
    name = "eviction"
    client: Client
    evictions: Cache[ClusterResourcePlacementEviction]
    clock: Clock
    tell: Tell = unheard
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One at a time: each changes how much of a budget is left for the next."""

    @property
    def reads(self) -> tuple[Cache[ClusterResourcePlacementEviction], ...]:
        return (self.evictions,)

    async def reconcile(self, key: Key) -> None:
        eviction = self.evictions.get(key)
        if eviction is None or eviction.deleting or decided(eviction):
            return
        async with self._turn:
            verdict = plan(await observe(self.client, eviction))
            await apply(verdict, self.client)
        status = report(eviction, verdict, now=self.clock())
        await self.client.patch_status(eviction, status)
        self.tell(eviction, happenings(eviction.status.conditions, status.conditions, TURNS))

    def wake(self, queue: WorkQueue) -> None:
        self.evictions.on_change(lambda eviction: queue.add(eviction.key))
