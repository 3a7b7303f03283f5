"""Run controllers over caches: the one place that knows in which order things start and end."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from fleet.kube.cache import Cache
from fleet.kube.client import ApiClient
from fleet.kube.controller import Controller
from fleet.kube.errors import KubeError
from fleet.kube.lease import Lease
from fleet.kube.queue import WorkQueue, work
from fleet.kube.serve import await_served
from fleet.kube.signals import Ending
from fleet.kube.sweeper import Sweeper
from fleet.runtime import health
from fleet.runtime.gauges import CACHE_AGE, LEADING, QUEUE_KEYS

GRACE_SECONDS = 4.0
"""From a signal to the end; what is cut short is done again by the next process."""
RELEASE_SECONDS = 1.0
"""For a lease to be given back, after that."""
KOPF_SECONDS = 5.0
"""For which kopf lets caches that it has no part in go first; one of them may never be filled."""
RELIST_SECONDS = 1.0
"""Between tries of a list without which a new leader does not begin."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    workers: int = 4
    """Reconciles of a controller at the same time; each waits for the API server most of it."""
    resync_seconds: float = 600.0
    """Between lists of each kind; they only catch what a watch has lost."""
    health_listen: str = ""
    """host:port of /healthz, /readyz and /metrics; nothing listens where it is empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What is done with one API server."""

    client: ApiClient
    caches: Sequence[Cache[Any]] = ()
    """Kinds that programs write, watched by us."""
    watched_by_kopf: Sequence[Cache[Any]] = ()
    """Kinds that people write. Of programs run together one may have some."""
    controllers: Sequence[Controller] = ()
    background: Sequence[Callable[[], Awaitable[None]]] = ()
    """Run from when the caches are full (and the lease is ours); they do not return."""
    standing_by: Sequence[Callable[[], Awaitable[None]]] = ()
    """Run from the start, whoever leads: what a replica needs to be ready. They do not return."""
    lease: Lease | None = None
    """Of the first program, for all that run together: controllers and background wait for it,
    and its loss ends the process. Their clients are fenced by it."""
    waiting: Callable[[], str] = str
    """What else it waits for before it works, in words."""

    @property
    def every_cache(self) -> tuple[Cache[Any], ...]:
        return (*self.caches, *self.watched_by_kopf)


async def run(program: Program, settings: RunSettings, *others: Program) -> None:
    """Run until SIGTERM or SIGINT; SystemExit(1) when a part fails, and the log says which.

    `others` are run beside it, each with an API server of its own: one that is away holds up its
    own part and the controllers that read it, and nothing else.
    """
    programs, ending = (program, *others), Ending()
    with ending.by_signals():
        body = asyncio.create_task(_run_all(programs, settings, ending))
        wanted = asyncio.create_task(ending.wanted.wait())
        try:
            await asyncio.wait({body, wanted}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            wanted.cancel()
            await _end(body)
            await _release(program.lease)
            for each in programs:
                await each.client.close()
    if body.done() and not body.cancelled() and (error := body.exception()):
        raise SystemExit(1) from error


async def _end(body: "asyncio.Task[None]") -> None:
    body.cancel()
    _, running = await asyncio.wait({body}, timeout=GRACE_SECONDS)
    if running:
        log.warning("some parts did not end in time")


async def _release(lease: Lease | None) -> None:
    """Let the next one begin once our last write has ended."""
    if lease is not None:
        with suppress(KubeError, TimeoutError):
            async with asyncio.timeout(RELEASE_SECONDS):
                await lease.release()


async def _run_all(programs: Sequence[Program], settings: RunSettings, ending: Ending) -> None:
    caches = [cache for program in programs for cache in program.every_cache]

    def missing() -> str:
        unfilled = map(_waits_for, caches)
        return ", ".join(filter(None, (*unfilled, *(each.waiting() for each in programs))))

    leading = asyncio.Event()
    async with health.serving(settings.health_listen, missing), asyncio.TaskGroup() as group:
        group.create_task(_named(_lead(programs[0], leading), "lease"))
        for standing_by in (each for program in programs for each in program.standing_by):
            group.create_task(_named(standing_by(), "standing by"))
        for program in programs:
            parts = _Parts(program, settings, caches, ending, leading)
            group.create_task(_named(parts.run(), program.client.connection.server))


async def _lead(program: Program, leading: asyncio.Event) -> None:
    """Lead only with full caches: work begins at once, and who stands by keeps them full."""
    if program.lease is None:
        leading.set()
        return
    await _filled(program.every_cache)
    await program.lease.acquire()
    async with asyncio.TaskGroup() as group:
        group.create_task(_named(program.lease.keep(), "lease"))
        await _caught_up(program)
        leading.set()


async def _caught_up(program: Program) -> None:
    """List what people wrote: what the last leader made of it may have come here before it.

    A placement that is not known yet would look as if it had been deleted.
    """
    for cache in program.watched_by_kopf:
        while True:
            try:
                await program.client.relist(cache)
                break
            except KubeError as error:
                fields = {"kind": cache.resource.kind, "why": str(error)}
                log.warning("cannot lead yet: list failed", extra=fields)
                await asyncio.sleep(RELIST_SECONDS)


async def _named(part: Awaitable[None], name: str) -> None:
    """Say what failed, at the one place where it ends the program."""
    try:
        await part
    except KubeError as error:
        log.critical("program ends", extra={"part": name, "why": str(error)})
        raise
    except ExceptionGroup:
        raise
    except Exception:
        log.critical("program ends", extra={"part": name}, exc_info=True)
        raise


class _Parts:
    """The tasks of one program, in the order in which they start."""

    def __init__(
        self,
        program: Program,
        settings: RunSettings,
        every_cache: Sequence[Cache[Any]],
        ending: Ending,
        leading: asyncio.Event,
    ) -> None:
        self._program, self._settings = program, settings
        self._every_cache, self._ending = every_cache, ending
        self._leading = leading

    async def run(self) -> None:
        """Subscribe controllers, wait for kinds, fill caches, lead, work."""
        program, client = self._program, self._program.client
        queues = [WorkQueue(random.random) for _ in program.controllers]
        for controller, queue in zip(program.controllers, queues, strict=True):
            controller.wake(queue)
            for cache in self._every_cache:
                cache.on_gap(queue.hurry)
        client.remember(program.every_cache)
        await await_served(client, program.every_cache)
        with LEADING.asks(self._leads):
            await self._run_parts(queues)

    async def _run_parts(self, queues: Sequence[WorkQueue]) -> None:
        program, client = self._program, self._program.client
        async with asyncio.TaskGroup() as group:
            for cache in program.caches:
                group.create_task(_named(client.follow(cache), cache.resource.kind))
            for cache in program.watched_by_kopf:
                group.create_task(_named(self._fill(cache), cache.resource.kind))
            if program.watched_by_kopf:
                group.create_task(_named(self._operate(), "kopf"))
            group.create_task(_named(self._resync(), "resync"))
            for controller, queue in zip(program.controllers, queues, strict=True):
                group.create_task(_named(self._control(controller, queue), controller.name))
            for background in program.background:
                group.create_task(_named(self._in_background(background), "background"))

    def _leads(self) -> Iterator[tuple[tuple[str, ...], float]]:
        yield (), float(self._leading.is_set())

    async def _operate(self) -> None:
        """Load and run kopf once the caches are filled without it: they are sooner so."""
        await _filled(self._program.watched_by_kopf)
        with suppress(TimeoutError):
            async with asyncio.timeout(KOPF_SECONDS):
                await _filled(self._program.caches)
        operator = await asyncio.to_thread(_operator)
        client = self._program.client
        watched, sweeper = self._program.watched_by_kopf, Sweeper(client.relist)
        for cache in self._program.caches:
            # A gap in our own watches is one in kopf's, which tells of no deletion it missed.
            cache.on_gap(lambda: sweeper.wanted(*watched))
        with ExitStack() as asked:
            for cache in watched:
                asked.enter_context(CACHE_AGE.asks(cache.ages))
            await operator.operate(client.connection, watched, sweeper, self._ending.take_signals)
        self._ending.wanted.set()

    async def _fill(self, cache: Cache[Any]) -> None:
        """List a kind that kopf watches before anybody reads it, however long the server takes."""
        while not cache.synced:
            await self._relist(cache)
            if not cache.synced:
                await asyncio.sleep(1)

    async def _resync(self) -> None:
        caches = self._program.every_cache
        while caches:
            for cache in caches:
                await asyncio.sleep(self._settings.resync_seconds / len(caches))
                await self._relist(cache)

    async def _relist(self, cache: Cache[Any]) -> None:
        try:
            await self._program.client.relist(cache)
        except KubeError as error:
            log.info("list failed", extra={"kind": cache.resource.kind, "why": str(error)})

    async def _control(self, controller: Controller, queue: WorkQueue) -> None:
        with QUEUE_KEYS.asks(lambda: [((controller.name,), len(queue))]):
            await _filled(reads_of(controller) or self._every_cache)
            await self._leading.wait()
            log.info("controller starts", extra={"controller": controller.name})
            async with asyncio.TaskGroup() as group:
                for _ in range(self._settings.workers):
                    worker = work(queue, controller.reconcile, name=controller.name)
                    group.create_task(_named(worker, controller.name))

    async def _in_background(self, background: Callable[[], Awaitable[None]]) -> None:
        await _filled(self._program.every_cache)
        await self._leading.wait()
        await background()


def _waits_for(cache: Cache[Any]) -> str:
    if cache.unserved and not cache.optional:
        return f"{cache.resource.crd} (not served: install the CRDs)"
    return "" if cache.synced else cache.resource.kind


def _operator() -> Any:
    """Load kopf in those programs alone that use it: it weighs 50 MB."""
    return import_module("fleet.kube.operator")


async def _filled(caches: Iterable[Cache[Any]]) -> None:
    """Wait: an empty cache looks like an empty fleet."""
    for cache in caches:
        await cache.filled.wait()


def reads_of(controller: Controller) -> list[Cache[Any]]:
    """Find the caches that a controller reads, one level deep, where it says so."""
    reads: Any = getattr(controller, "reads", ())
    parts = [part for read in reads for part in (read if isinstance(read, tuple) else (read,))]
    return [part for part in parts if isinstance(part, Cache)]
