"""Metadata of the kinds that placements reach, watched for as long as one of them does."""

import asyncio
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fleet.api.objects import Key, Metadata, Resource
from fleet.kube.cache import Cache
from fleet.kube.client import WatchingClient
from fleet.kube.dynamic import PartialObject, partial
from fleet.kube.errors import NotPermittedError, TransientError
from fleet.kube.resources import ApiResource
from fleet.kube.wire import ObjectMeta

Meta = Metadata | ObjectMeta
Listener = Callable[[ApiResource, Meta], None]
FILL_SECONDS = 15.0
LINGER_SECONDS = 60.0
"""A placement made again soon after another was deleted finds its watch still running."""


@dataclass(slots=True)
class Feed:
    cache: Cache[Any]
    task: asyncio.Task[None] | None = None
    """None where the program watches the kind anyway."""
    users: set[Hashable] = field(default_factory=set)
    idle_since: float = 0.0


class Watches:
    """A kind is watched once: what the hub's own caches hold is read from there."""

    def __init__(self, client: WatchingClient, known: Iterable[Cache[Any]] = ()) -> None:
        self._client = client
        self._feeds: dict[ApiResource, Feed] = {}
        self._listeners: list[Listener] = []
        for cache in known:
            self._feeds[cache.resource] = Feed(cache)
            self._subscribe(cache)

    def on_change(self, listener: Listener) -> None:
        """Hear of each new version of an object, and of its deletion."""
        self._listeners.append(listener)

    def users(self, resource: ApiResource) -> Collection[Hashable]:
        feed = self._feeds.get(resource)
        return tuple(feed.users) if feed else ()

    async def hold(self, user: Hashable, resources: Collection[ApiResource]) -> None:
        """Watch these kinds for a user, and no others any more; wait until they are listed.

        NotPermittedError names those that the hub may not read.
        """
        for resource in resources:
            self._feed(resource).users.add(user)
        self._let_go(user, but=resources)
        waiting = [feed.cache.answered.wait() for feed in map(self._feed, resources)]
        try:
            async with asyncio.timeout(FILL_SECONDS):
                await asyncio.gather(*waiting)
        except TimeoutError as error:
            missing = [r.kind for r in resources if not self._feed(r).cache.synced]
            raise TransientError(f"not listed yet: {', '.join(sorted(missing))}") from error
        if refused := [why for r in resources if (why := self._feed(r).cache.refusal)]:
            raise NotPermittedError("; ".join(sorted(refused)))

    def release(self, user: Hashable) -> None:
        self._let_go(user, but=())

    def get(self, resource: ApiResource, key: Key) -> Meta | None:
        found: Resource | PartialObject | None = self._feeds[resource].cache.get(key)
        return found.metadata if found else None

    def all(self, resource: ApiResource, namespace: str | None) -> Iterable[Meta]:
        return (found.metadata for found in self._feeds[resource].cache.all(namespace))

    def body(self, resource: ApiResource, key: Key) -> bytes | None:
        """Give an object whole, where the hub keeps its kind whole."""
        feed = self._feeds.get(resource)
        return None if feed is None or feed.task else feed.cache.body(key)

    async def run(self) -> None:
        """Stop what nobody has used for a while; at the end, stop everything."""
        try:
            while True:
                await asyncio.sleep(LINGER_SECONDS)
                self.sweep(LINGER_SECONDS)
        finally:
            self.close()

    def close(self) -> None:
        self._stop([resource for resource, feed in self._feeds.items() if feed.task])

    def sweep(self, linger: float) -> None:
        """Stop the watches that nobody has used for `linger` seconds."""
        since = asyncio.get_running_loop().time() - linger
        idle = {r: f for r, f in self._feeds.items() if f.task and not f.users}
        self._stop([resource for resource, feed in idle.items() if feed.idle_since <= since])

    @property
    def running(self) -> Mapping[ApiResource, Feed]:
        return {resource: feed for resource, feed in self._feeds.items() if feed.task}

    def _feed(self, resource: ApiResource) -> Feed:
        feed = self._feeds.get(resource)
        if feed is None:
            cache = Cache(partial(resource), optional=True)
            self._subscribe(cache)
            feed = self._feeds[resource] = Feed(cache, asyncio.create_task(self._follow(cache)))
        return feed

    async def _follow(self, cache: Cache[Any]) -> None:
        await self._client.follow(cache)

    def _subscribe(self, cache: Cache[Any]) -> None:
        def tell(found: Resource | PartialObject) -> None:
            for listener in self._listeners:
                listener(cache.resource, found.metadata)

        cache.on_change(tell)

    def _let_go(self, user: Hashable, *, but: Collection[ApiResource]) -> None:
        now = asyncio.get_running_loop().time()
        for resource, feed in self._feeds.items():
            if user in feed.users and resource not in but:
                feed.users.discard(user)
                feed.idle_since = now

    def _stop(self, resources: Iterable[ApiResource]) -> None:
        for resource in resources:
            feed = self._feeds.pop(resource)
            if feed.task:
                feed.task.cancel()
