"""Stand aside where another system reconciles what we would: two writers must never meet."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fleet.api.keys import Key
from fleet.kube.cache import Cache
from fleet.kube.dynamic import Body, key_of, whole
from fleet.kube.errors import KubeError
from fleet.kube.lease import LEASES
from fleet.kube.rivals import Presence, Rival, Sight, judge, see
from fleet.kube.solitude import Solitude, Watchful
from fleet.runtime.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from fleet.kube.controller import Controller
    from fleet.kube.queue import WorkQueue

Relist = Callable[[Cache[Any]], "Awaitable[None]"]


class Aside(Solitude):
    """Whether one other system is there, by what a watch of its Leases shows."""

    def __init__(self, rival: Rival, relist: Relist, clock: Clock) -> None:
        super().__init__(rival.name)
        self.rival = rival
        self.leases: Cache[Body] = Cache(
            whole(LEASES), field_selector=f"metadata.name={rival.lease}", optional=True
        )
        self._relist, self._clock = relist, clock
        self._sights: dict[Key, Sight] = {}
        self._present: frozenset[Key] = frozenset()
        self._changed = asyncio.Event()
        self.leases.on_change(lambda _: self._look())
        self.leases.on_gap(self._doubt)

    async def run(self) -> None:
        """Judge at every change of a Lease and whenever time changes a verdict, for ever."""
        await self.leases.filled.wait()
        self._look()
        while True:
            until = self._judge()
            if until is None:
                await self._changed.wait()
            else:
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(until):
                        await self._changed.wait()
            self._changed.clear()
            if self._overdue():
                await self._look_again()

    def _look(self) -> None:
        now, bodies = _time(), {key_of(body): body for body in self.leases.all()}
        self._sights = {
            key: see(self._sights.get(key), key, body.get("spec") or {}, now)
            for key, body in bodies.items()
            if self.rival.owns(key)
        }
        self._changed.set()

    def _doubt(self) -> None:
        """Take for renewed what was there: for a while nobody could have been seen to renew it."""
        now = _time()
        self._sights = {
            key: replace(sight, renewed=now) if key in self._present else sight
            for key, sight in self._sights.items()
        }
        self._changed.set()

    def _overdue(self) -> bool:
        return bool(self.found) and not any(self._there())

    async def _look_again(self) -> None:
        """Ask the server before we go on: a watch that was cut off shows nothing, too."""
        try:
            await self._relist(self.leases)
        except KubeError:
            self._doubt()

    def _there(self) -> "Iterator[tuple[Sight, Presence, float]]":
        now, wall = _time(), self._clock()
        for sight in self._sights.values():
            presence, until = judge(sight, now=now, wall=wall)
            if presence is not Presence.GONE and until is not None:
                yield sight, presence, until

    def _judge(self) -> float | None:
        """Say what has become of the other, and let go or hold; until when that is sure."""
        there = list(self._there())
        self._present = frozenset(sight.key for sight, *_ in there)
        self.settle(self._wording(*there[0][:2]) if there else "")
        return min((until for _, _, until in there), default=None)

    def _wording(self, sight: Sight, presence: Presence) -> str:
        lease = f"Lease {sight.key}, held by {sight.holder}"
        return f"{self.rival.name}, which {presence} ({lease}); {self.rival.way_out}"


class Held:
    """A controller that does nothing while another system is there."""

    def __init__(self, controller: "Controller", *asides: Watchful) -> None:
        self._controller, self._asides = controller, asides
        self.name = controller.name
        self.reads: Any = getattr(controller, "reads", ())

    async def reconcile(self, key: Key) -> float | None:
        for aside in self._asides:
            await aside.alone()
        return await self._reconcile(key, *self._asides)

    async def _reconcile(self, key: Key, *asides: Watchful) -> float | None:
        if not asides:
            return await self._controller.reconcile(key)
        async with asides[0].while_alone():
            return await self._reconcile(key, *asides[1:])

    def wake(self, queue: "WorkQueue") -> None:
        self._controller.wake(queue)


def _time() -> float:
    return asyncio.get_running_loop().time()
