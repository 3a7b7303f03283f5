"""kopf, once: it watches the kinds that people write, and leaves nothing on any object."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

import kopf

from fleet.api.keys import Key
from fleet.kube.cache import Cache
from fleet.kube.config import Connection
from fleet.kube.errors import KubeError

SWEEP_SECONDS = 1.0
"""After kopf has listed a kind: it says nothing of what vanished while it did not watch."""
LOGIN_SECONDS = 1.0
log = logging.getLogger(__name__)
Relist = Callable[[Cache[Any]], Awaitable[None]]


class Patience:
    """Seconds between tries of a request: a server that is away is waited for."""

    def __iter__(self) -> Iterator[float]:
        yield from (0.2, 0.5, 1.0, 2.0, 4.0)
        while True:
            yield 8.0


class Sweeper:
    """List a cache's kind after kopf did so; of several times close together once."""

    def __init__(self, relist: Relist) -> None:
        self._relist = relist
        self._due: dict[int, asyncio.Task[None]] = {}

    def wanted(self, cache: Cache[Any]) -> None:
        if id(cache) not in self._due:
            self._due[id(cache)] = asyncio.create_task(self._sweep(cache))

    async def _sweep(self, cache: Cache[Any]) -> None:
        await asyncio.sleep(SWEEP_SECONDS)
        del self._due[id(cache)]
        try:
            await self._relist(cache)
        except KubeError as error:
            log.warning("list failed", extra={"kind": cache.resource.kind, "why": str(error)})


def into(cache: Cache[Any], sweeper: Sweeper) -> Callable[..., Awaitable[None]]:
    """Make a kopf handler that puts what kopf watches where `observe` reads it."""

    async def seen(*, body: kopf.Body, **cause: Any) -> None:
        if cause["type"] == "DELETED":
            meta = body["metadata"]
            key = Key(meta.get("namespace", ""), meta["name"])
            cache.remove(key, version=int(meta["resourceVersion"]))
            return
        cache.put(body)
        if cause["type"] is None:
            sweeper.wanted(cache)

    return seen


def settings() -> kopf.OperatorSettings:
    """Let kopf watch and no more."""
    made = kopf.OperatorSettings()
    made.persistence.diffbase_storage = kopf.MultiDiffBaseStorage([])
    made.persistence.progress_storage = kopf.MultiProgressStorage([])
    made.persistence.consistency_timeout = 0
    made.posting.enabled = False
    made.scanning.disabled = True
    made.queueing.idle_timeout = 1
    made.networking.error_backoffs = Patience()
    made.watching.server_timeout = 300
    made.process.ultimate_exiting_timeout = None
    return made


def login(connection: Connection) -> Callable[..., Awaitable[kopf.ConnectionInfo]]:
    """Make a login handler that gives kopf our own credentials, read again when refused."""
    given = 0

    async def logged_in(**_activity: Any) -> kopf.ConnectionInfo:
        nonlocal given
        if given:
            await asyncio.sleep(LOGIN_SECONDS)
            await asyncio.to_thread(connection.credentials.renew)
        given += 1
        scheme, token = [*connection.credentials.header().split(" ", 1), "", ""][:2]
        return kopf.ConnectionInfo(
            server=connection.server,
            ca_path=connection.ca_file or None,
            insecure=not connection.verify,
            certificate_path=connection.cert_file or None,
            private_key_path=connection.key_file or None,
            priority=given,
            scheme=scheme or None,
            token=token or None,
        )

    return logged_in


async def operate(
    connection: Connection, caches: Iterable[Cache[Any]], relist: Relist, started: asyncio.Event
) -> None:
    """Watch with kopf what people write, until it is cancelled or takes a signal for its end."""
    registry, sweeper = kopf.OperatorRegistry(), Sweeper(relist)
    kopf.on.login(registry=registry)(login(connection))
    for cache in caches:
        group, version = cache.resource.group, cache.resource.api_version.rpartition("/")[2]
        on_event = kopf.on.event(group, version, cache.resource.plural, registry=registry)
        on_event(into(cache, sweeper))
    await kopf.operator(
        registry=registry,
        settings=settings(),
        clusterwide=True,
        standalone=True,
        ready_flag=started,
    )
