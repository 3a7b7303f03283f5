"""kopf, once: it watches the kinds that people write, and leaves nothing on any object."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import kopf
from kopf._cogs.clients.errors import APINotFoundError
from kopf._cogs.structs.references import Insights
from typing_extensions import override

from fleet.api.keys import Key
from fleet.kube.cache import Cache
from fleet.kube.config import Connection
from fleet.kube.resources import ApiResource
from fleet.kube.sweeper import Sweeper

LOGIN_SECONDS = 1.0
LOOK_AGAIN_SECONDS = 1.0
RETURN_SECONDS = 2.0
"""Between looks at a kind that is missing."""
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
        meta = body["metadata"]
        key, version = Key(meta.get("namespace", ""), meta["name"]), int(meta["resourceVersion"])
        if cause["type"] == "DELETED":
            cache.remove(key, version=version)
            return
        if not cache.knows(key, version):
            cache.put(body)
        if cause["type"] is None:
            sweeper.wanted(cache)

    return seen


def settings() -> kopf.OperatorSettings:
    """Let kopf watch and no more."""
    made = kopf.OperatorSettings()
    made.persistence.diffbase_storage = _NoDifferences([])
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


class _NoDifferences(kopf.MultiDiffBaseStorage):
    """Nobody asks what has changed: no copy is made to tell."""

    @override
    def build(
        self, *, body: kopf.Body, extra_fields: Iterable[Any] | None = None
    ) -> kopf.BodyEssence:
        return kopf.BodyEssence()


async def operate(
    connection: Connection,
    caches: Iterable[Cache[Any]],
    sweeper: Sweeper,
    take_signals: Callable[[], None],
) -> None:
    """Watch with kopf what people write, until it is cancelled or takes a signal for its end.

    A kind whose CRD is removed ends kopf: it goes on with the others, and with that one when it
    is back.
    """
    kinds = tuple(caches)
    _quieten()
    while True:
        served = [cache for cache in kinds if not cache.unserved]
        watching = asyncio.create_task(_watch(connection, served, sweeper, take_signals))
        missing = [cache for cache in kinds if cache.unserved]
        returning = asyncio.create_task(_returns(kinds, missing, sweeper))
        try:
            await asyncio.wait({watching, returning}, return_when=asyncio.FIRST_COMPLETED)
            if watching.done() and not watching.result():
                return
        finally:
            for task in (watching, returning):
                task.cancel()
            await asyncio.gather(watching, returning, return_exceptions=True)
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
        for cache in kinds:
            await sweeper.listed(cache)


async def _returns(
    kinds: Sequence[Cache[Any]], missing: Sequence[Cache[Any]], sweeper: Sweeper
) -> None:
    """Wait until a kind is served that was missing, or went unseen by kopf."""
    while True:
        await asyncio.sleep(RETURN_SECONDS)
        for cache in kinds:
            if (cache in missing and not cache.unserved) or (
                cache.unserved and await sweeper.listed(cache)
            ):
                log.info("watching again", extra={"kind": cache.resource.kind})
                cache.gap()
                return


async def _watch(
    connection: Connection,
    caches: Sequence[Cache[Any]],
    sweeper: Sweeper,
    take_signals: Callable[[], None],
) -> bool:
    """Let kopf run to its end; say whether it ended since a kind that it was to watch is missing.

    It asks once which kinds there are; a server that is just starting does not know them all.
    """
    insights, registry = Insights(), _registry(connection, caches, sweeper)
    watching = asyncio.create_task(_run(registry, insights, take_signals))
    asked = asyncio.create_task(insights.ready_resources.wait())
    try:
        await asyncio.wait({watching, asked}, return_when=asyncio.FIRST_COMPLETED)
        missing = _missing(insights, [cache.resource for cache in caches])
        if asked.done() and missing:
            log.info("kopf did not find all kinds, and looks again", extra={"kinds": missing})
            return True
        with suppress(APINotFoundError):
            await watching
            return False
        return True
    finally:
        asked.cancel()
        watching.cancel()
        await asyncio.gather(asked, watching, return_exceptions=True)


def _missing(insights: Insights, kinds: Sequence[ApiResource]) -> list[str]:
    found = {(kind.group, kind.plural) for kind in insights.watched_resources}
    return [kind.kind for kind in kinds if (kind.group, kind.plural) not in found]


def _registry(
    connection: Connection, caches: Iterable[Cache[Any]], sweeper: Sweeper
) -> kopf.OperatorRegistry:
    registry = kopf.OperatorRegistry()
    kopf.on.login(registry=registry)(login(connection))
    for cache in caches:
        group, version = cache.resource.group, cache.resource.api_version.rpartition("/")[2]
        on_event = kopf.on.event(group, version, cache.resource.plural, registry=registry)
        on_event(into(cache, sweeper))
    return registry


async def _run(
    registry: kopf.OperatorRegistry, insights: Insights, take_signals: Callable[[], None]
) -> None:
    tasks = await kopf.spawn_tasks(
        registry=registry,
        settings=settings(),
        clusterwide=True,
        standalone=True,
        insights=insights,
    )
    take_signals()
    await kopf.run_tasks(tasks, ignored=_Everybody())


def _quieten() -> None:
    """A kind that is gone is named by us, once; kopf shows where in its code it met that."""
    for name in ("orchestration", "running"):
        logging.getLogger(f"kopf._core.reactor.{name}").addFilter(_no_missing_kind)
    logging.getLogger("kopf._core.reactor.observation").setLevel(logging.ERROR)


def _no_missing_kind(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], APINotFoundError))


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
