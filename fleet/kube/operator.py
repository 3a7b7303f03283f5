"""kopf, once: it watches the kinds that people write, and leaves nothing on any object."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from typing import Any

import kopf
from kopf._cogs.structs.references import Insights
from typing_extensions import override

from fleet.api.keys import Key
from fleet.kube.cache import Cache
from fleet.kube.config import Connection
from fleet.kube.resources import ApiResource
from fleet.kube.sweeper import Sweeper

LOGIN_SECONDS = 1.0
LOOK_AGAIN_SECONDS = 1.0
log = logging.getLogger(__name__)


class Patience:
    """Seconds between tries of a request: a server that is away is waited for."""

    def __iter__(self) -> Iterator[float]:
        yield from (0.2, 0.5, 1.0, 2.0, 4.0)
        while True:
            yield 8.0


def into(cache: Cache[Any], sweeper: Sweeper) -> Callable[..., Awaitable[None]]:
    """Make a kopf handler that puts what kopf watches where `observe` reads it."""

    async def seen(*, body: kopf.Body, **cause: Any) -> None:
        cache.alive()
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
    connection: Connection,
    caches: Iterable[Cache[Any]],
    sweeper: Sweeper,
    started: asyncio.Event,
) -> None:
    """Watch with kopf what people write, until it is cancelled or takes a signal for its end."""
    registry, kinds = kopf.OperatorRegistry(), tuple(caches)
    kopf.on.login(registry=registry)(login(connection))
    for cache in kinds:
        group, version = cache.resource.group, cache.resource.api_version.rpartition("/")[2]
        on_event = kopf.on.event(group, version, cache.resource.plural, registry=registry)
        on_event(into(cache, sweeper))
    while missing := await _unless_blind(registry, started, [c.resource for c in kinds]):
        log.warning("kopf did not find all kinds, and looks again", extra={"kinds": missing})
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
        sweeper.wanted(*kinds)


async def _unless_blind(
    registry: kopf.OperatorRegistry, started: asyncio.Event, kinds: Sequence[ApiResource]
) -> list[str]:
    """Let kopf run to its end, or end it where it has missed kinds that it was to watch.

    It asks once which kinds there are; a server that is just starting does not know them all.
    """
    insights = Insights()
    watching = asyncio.create_task(_watch(registry, started, insights))
    asked = asyncio.create_task(insights.ready_resources.wait())
    try:
        await asyncio.wait({watching, asked}, return_when=asyncio.FIRST_COMPLETED)
        found = {(kind.group, kind.plural) for kind in insights.watched_resources}
        missing = [kind.kind for kind in kinds if (kind.group, kind.plural) not in found]
        if watching.done() or not missing:
            await watching
            return []
        return missing
    finally:
        asked.cancel()
        watching.cancel()
        await asyncio.gather(asked, watching, return_exceptions=True)


async def _watch(
    registry: kopf.OperatorRegistry, started: asyncio.Event, insights: Insights
) -> None:
    tasks = await kopf.spawn_tasks(
        registry=registry,
        settings=settings(),
        clusterwide=True,
        standalone=True,
        ready_flag=started,
        insights=insights,
    )
    await kopf.run_tasks(tasks, ignored=_Everybody())


class _Everybody(Collection["asyncio.Task[Any]"]):
    """Whom kopf leaves alone when it ends: it takes every task of the process for its own."""

    @override
    def __contains__(self, task: object) -> bool:
        return True

    @override
    def __iter__(self) -> Iterator["asyncio.Task[Any]"]:
        return iter(())

    @override
    def __len__(self) -> int:
        return 0
