"""Watches of the kinds that Works hold: started with the first Work, stopped with the last."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from fleet.api.objects import Key
from fleet.kube.cache import Cache
from fleet.kube.client import WatchingClient
from fleet.kube.dynamic import PartialObject, partial
from fleet.kube.resources import ApiResource
from member_agent.controllers.work.plan.manifests import Ref

Listener = Callable[[Ref], None]


class Kind(NamedTuple):
    """A kind, in whichever version it is watched."""

    group: str
    kind: str

    @classmethod
    def of(cls, resource: ApiResource) -> "Kind":
        return cls(resource.group, resource.kind)


@dataclass(frozen=True, slots=True)
class Watch:
    cache: Cache[PartialObject]
    task: asyncio.Task[None]


class Watches:
    """One metadata-only watch a kind, over all namespaces."""

    def __init__(self, client: WatchingClient) -> None:
        self._client = client
        self._watches: dict[Kind, Watch] = {}
        self._wanted: dict[Key, frozenset[Kind]] = {}
        self._listeners: list[Listener] = []

    def on_change(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def want(self, key: Key, resources: Iterable[ApiResource]) -> None:
        """Watch what a Work holds now, and leave what no Work holds any more."""
        kinds = {Kind.of(resource): resource for resource in resources}
        self._wanted[key] = frozenset(kinds)
        if not kinds:
            del self._wanted[key]
        for kind, resource in kinds.items():
            if kind not in self._watches:
                self._start(kind, resource)
        for kind in self._watches.keys() - frozenset().union(*self._wanted.values()):
            self._watches.pop(kind).task.cancel()

    def cache(self, kind: Kind) -> Cache[PartialObject] | None:
        """Give the objects of a kind, once all of them are known."""
        watch = self._watches.get(kind)
        return watch.cache if watch and watch.cache.synced else None

    @property
    def kinds(self) -> frozenset[Kind]:
        return frozenset(self._watches)

    async def run(self) -> None:
        """Keep them until we are told to end."""
        try:
            await asyncio.Event().wait()
        finally:
            await self.close()

    async def close(self) -> None:
        """End all watches, and wait until they have ended."""
        tasks = [watch.task for watch in self._watches.values()]
        self._watches.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, kind: Kind, resource: ApiResource) -> None:
        cache = Cache(partial(resource), optional=True)
        cache.on_change(lambda item: self._tell(Ref(*kind, *item.key)))
        task = asyncio.create_task(self._client.follow(cache), name=f"watch {kind.kind}")
        self._watches[kind] = Watch(cache, task)

    def _tell(self, ref: Ref) -> None:
        for listener in self._listeners:
            listener(ref)
