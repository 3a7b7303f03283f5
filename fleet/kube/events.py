"""Tell users through Kubernetes Events what became of their objects; failures disturb nobody.

An event is named after its object and what it says: told again, it counts up instead of being one
more. Telling never waits: what cannot be written in time is dropped, and counted.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from cachetools import LRUCache

from fleet.api import names
from fleet.api.core import Event
from fleet.api.happenings import Happening
from fleet.api.keys import Key
from fleet.api.objects import Metadata, Resource
from fleet.kube.client import Client
from fleet.kube.errors import AlreadyExistsError, KubeError, NotFoundError
from fleet.kube.resources import ApiResource
from fleet.runtime import metrics
from fleet.runtime.clock import Clock

Tell = Callable[[Resource, Iterable[Happening]], None]
"""Takes note of what happened to an object."""
PENDING: Final = 500
"""Events that wait to be written; more of them at once help no reader."""
KNOWN: Final = 2_000
"""Events whose count is remembered."""
PER_SECOND: Final = 10.0
LONGEST: Final = 1024
"""Characters of a message that the API server takes."""
KIND: Final = ApiResource.of(Event)
log = logging.getLogger(__name__)


def unheard(_about: Resource, _happened: Iterable[Happening]) -> None:
    """Tell nobody."""


@dataclass(slots=True)
class _Waiting:
    event: Event
    times: int = 1


class Events:
    """Collects what is told while `run` runs, and writes it at a pace that spares the server."""

    def __init__(
        self, client: Client, component: str, clock: Clock, *, per_second: float = PER_SECOND
    ) -> None:
        self._client, self._component, self._clock = client, component, clock
        self._seconds = 1 / per_second
        self._waiting = OrderedDict[Key, _Waiting]()
        self._some = asyncio.Event()
        self._running = False
        self._counts: LRUCache[Key, int] = LRUCache(KNOWN)

    def tell(self, about: Resource, happened: Iterable[Happening]) -> None:
        """Have it written that something happened; a replica that does not write says nothing."""
        for happening in happened if self._running else ():
            event = self._event(about, happening)
            if waiting := self._waiting.get(event.key):
                waiting.times += 1
            elif len(self._waiting) < PENDING:
                self._waiting[event.key] = _Waiting(event)
                self._some.set()
            else:
                metrics.event("dropped")

    async def run(self) -> None:
        """Write for ever, one at a time."""
        with self.heard():
            while True:
                await self._some.wait()
                await self.write_all(pause=self._seconds)

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Collect what is told while the block runs."""
        self._running = True
        try:
            yield
        finally:
            self._running = False

    async def write_all(self, *, pause: float = 0.0) -> None:
        """Write what waits."""
        while self._waiting:
            _, waiting = self._waiting.popitem(last=False)
            await self._write(waiting)
            await asyncio.sleep(pause)
        self._some.clear()

    async def _write(self, waiting: _Waiting) -> None:
        event = waiting.event
        try:
            outcome = await self._create_or_count(event, waiting.times)
        except KubeError as error:
            metrics.event("failed")
            fields = {"event": event.reason, "about": dict(event.involved_object)}
            log.info("an event could not be written", extra=fields | {"why": str(error)})
        else:
            metrics.event(outcome)

    async def _create_or_count(self, event: Event, times: int) -> str:
        known = self._counts.get(event.key)
        if known is None:
            try:
                made = event.model_copy(update={"count": times})
                await self._client.create(made)
            except AlreadyExistsError:
                # Patched without a change of its count, it tells what that is.
                known = (await self._patch(event, {})).get("count", 0)
            else:
                self._counts[event.key] = times
                return "written"
        self._counts[event.key] = known + times
        await self._patch(event, {"count": known + times})
        return "repeated"

    async def _patch(self, event: Event, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        when = {"lastTimestamp": event.dump()["lastTimestamp"]}
        try:
            return await self._client.dynamic.merge_patch(KIND, event.key, {**when, **changes})
        except NotFoundError:
            # The server forgets events after an hour.
            self._counts.pop(event.key, None)
            await self._client.create(event)
            return {"count": event.count}

    def _event(self, about: Resource, happening: Happening) -> Event:
        meta, now = about.metadata, self._clock()
        message = happening.message[:LONGEST]
        involved = {
            "apiVersion": about.API,
            "kind": about.kind(),
            "name": about.name,
            "namespace": about.namespace,
            "uid": meta.uid,
        }
        return Event(
            metadata=Metadata(
                name=names.cut(about.name, about.kind(), meta.uid, happening.reason, message),
                namespace=about.namespace or "default",
            ),
            involved_object={name: value for name, value in involved.items() if value},
            reason=happening.reason,
            message=message,
            type="Warning" if happening.warning else "Normal",
            source={"component": self._component},
            reporting_component=self._component,
            first_timestamp=now,
            last_timestamp=now,
        )
