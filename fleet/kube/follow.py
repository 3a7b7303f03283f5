"""Keep a cache as the server is: list, watch, go on after a cut, list again after a gap."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from fleet.api.keys import Key
from fleet.kube import wire
from fleet.kube.answers import read_status, refusal
from fleet.kube.cache import Address, Cache
from fleet.kube.errors import (
    ExpiredError,
    KubeError,
    NotFoundError,
    NotPermittedError,
    TransientError,
    reason,
)
from fleet.kube.serve import INSTALL
from fleet.kube.verbs import PAGE, Selection, Verbs
from fleet.runtime.gauges import CACHE_AGE

REMIND = 20
"""Failures after which the same reason is said again."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds."""

    watch: float = 300.0
    """After which the server ends a watch; it goes on at once from where it was."""
    overdue: float = 15.0
    """After that end a watch is dead in which nothing ever came: of a kind that nobody has written
    since the server began there are no bookmarks. A machine that is gone the kernel notices."""
    silence: float = 75.0
    """After which a watch is dead in which something came: bookmarks then come every 60."""
    first_retry: float = 0.1
    longest_retry: float = 30.0
    """Between tries while the server does not answer; each wait doubles, and one that gets an
    answer again ends those of all others."""
    unserved: float = 2.0
    """Between looks at a kind that must be there and is not."""
    optional: float = 15.0
    """Between looks at a kind that may be missing."""
    steady: float = 5.0
    """A watch that lasted so long was a good one: the next failure is the first again."""


def selection(cache: Cache[Any]) -> Selection:
    return Selection(
        namespace=cache.namespace,
        label_selector=cache.label_selector,
        metadata_only=cache.metadata_only,
        field_selector=cache.field_selector,
    )


async def relist(verbs: Verbs, cache: Cache[Any]) -> int:
    """Put in all that there is, take out what is gone, and give the version of the list."""
    for limit in (PAGE, 0):
        try:
            return await _relist_in_pages(verbs, cache, limit)
        except NotFoundError:
            missed(cache)
            raise
        except ExpiredError:
            if not limit:
                raise
    raise AssertionError("unreachable")


def missed(cache: Cache[Any]) -> None:
    """Name a kind that the server does not serve, once until it does."""
    if cache.miss() and not (cache.optional and not cache.version):
        why = f"not served: {cache.resource.crd}"
        log.warning("a kind is missing", extra=_fields(cache) | {"why": why, "way_out": INSTALL})


async def _relist_in_pages(verbs: Verbs, cache: Cache[Any], limit: int) -> int:
    known, version = cache.version, 0
    listed = set[Address]()
    async for page in verbs.pages(cache.resource, selection(cache), limit=limit):
        version = version or int(page.metadata.resource_version)
        if version < known:
            log.warning("the server's history starts anew", extra=_fields(cache))
            cache.start_over()
            known = 0
        for item in page.items or ():
            raw = bytes(item)
            meta = wire.shell(raw).metadata
            cache.take(meta, raw, as_of=version)
            listed.add((meta.namespace, meta.name))
    cache.sweep(listed, version)
    cache.fill()
    cache.alive()
    return version


class Follower:
    """One watch of one kind, for ever."""

    def __init__(
        self,
        verbs: Verbs,
        cache: Cache[Any],
        *,
        pace: Pace | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._verbs, self._cache = verbs, cache
        self._pace, self._chance = pace or Pace(), chance
        self._version: int | None = None
        self._failures = 0
        self._why = ""

    async def run(self) -> None:
        with CACHE_AGE.asks(self._cache.ages):
            await self._follow()

    async def _follow(self) -> None:
        while True:
            try:
                await self._list_and_watch()
            except ExpiredError as error:
                self._version = None
                await self._wait_after(error)
            except NotFoundError as error:
                await self._wait_unserved(error)
            except (KubeError, msgspec.DecodeError) as error:
                await self._wait_after(error)

    async def _list_and_watch(self) -> None:
        if self._why:
            await self._check_history()
        if self._version is None:
            returns = self._cache.unserved and self._cache.optional
            self._version = await relist(self._verbs, self._cache)
            if returns:
                self._cache.gap()
        loop = asyncio.get_running_loop()
        seconds = round(self._pace.watch * (1 + self._chance() / 5))
        opened = loop.time()
        async with self._verbs.watch(
            self._cache.resource, selection(self._cache), self._version, seconds=seconds
        ) as lines:
            self._well()
            self._cache.alive()
            try:
                await self._take_until_dead(lines, seconds)
            finally:
                self._lasted(loop.time() - opened)
        if loop.time() - opened < self._too_short:
            raise TransientError("the watch ended as soon as it began")

    @property
    def _too_short(self) -> float:
        """Seconds: a server that opens a watch and ends it so soon is not well."""
        return min(1.0, self._pace.watch / 2)

    def _lasted(self, seconds: float) -> None:
        """Wait after a watch no longer than it was open: who is cut often is not left blind."""
        if seconds >= self._pace.steady:
            self._failures = 0
        elif seconds >= self._too_short:
            doublings = int(max(seconds / self._pace.first_retry, 1)).bit_length() - 1
            self._failures = min(self._failures, doublings)

    async def _check_history(self) -> None:
        """Notice a server that was made anew: it would let us watch from its future, in silence."""
        resource, selected, last = self._cache.resource, selection(self._cache), self._version
        if last is not None and not await self._verbs.reached(resource, selected, last):
            self._version = None

    def _well(self) -> None:
        """Say that the watch is there again where it was lost; for a while nothing was seen."""
        if self._why:
            log.info("watching again", extra=_fields(self._cache))
            self._why = ""
            self._cache.gap()

    async def _take_until_dead(self, lines: AsyncIterator[bytes], seconds: float) -> None:
        """A frozen server or proxy keeps the connection, and says nothing more for ever."""
        try:
            async with asyncio.timeout(seconds + self._pace.overdue) as patience:
                await self._take_all(lines, patience)
        except TimeoutError as error:
            self._verbs.transport.answering.lose()
            raise TransientError("the watch has gone silent") from error

    async def _take_all(self, lines: AsyncIterator[bytes], patience: asyncio.Timeout) -> None:
        loop = asyncio.get_running_loop()
        async for line in lines:
            if line:
                self._take(wire.watch_event(line))
                self._cache.alive()
                patience.reschedule(loop.time() + self._pace.silence)

    def _take(self, event: wire.WatchEvent) -> None:
        body = bytes(event.object)
        if event.type == "ERROR":
            raise refusal(read_status(500, body))
        meta = wire.shell(body).metadata
        if meta.version < (self._version or 0):
            raise ExpiredError("the server's history starts anew")
        if event.type == "DELETED":
            self._cache.remove(Key(meta.namespace, meta.name), version=meta.version)
        elif event.type != "BOOKMARK":
            self._cache.take(meta, body)
        self._version = meta.version

    async def _wait_after(self, error: Exception) -> None:
        """Try again, later each time; what is wrong is said when it changes, and now and then."""
        said = reason(error)
        why = said["why"]
        if isinstance(error, NotPermittedError):
            self._cache.refuse(why)
        if why != self._why or self._failures % REMIND == 0:
            passing = self._failures == 0 and isinstance(error, TransientError | ExpiredError)
            level = logging.INFO if passing else logging.WARNING
            log.log(level, "watch lost", extra=_fields(self._cache) | said)
        self._why = why
        self._cache.lost()
        delay = min(
            self._pace.first_retry * 2.0 ** min(self._failures, REMIND), self._pace.longest_retry
        )
        self._failures += 1
        delay *= 1 - self._chance() / 2
        after = error.retry_after if isinstance(error, TransientError) else 0.0
        await asyncio.sleep(after)
        await self._verbs.transport.answering.wait(max(delay - after, 0.0))

    async def _wait_unserved(self, error: NotFoundError) -> None:
        self._version = None
        missed(self._cache)
        if not self._cache.optional:
            self._why = str(error)
            self._cache.lost()
            await asyncio.sleep(self._pace.unserved)
            return
        self._cache.sweep((), self._cache.version)
        self._cache.fill()
        self._cache.miss()
        self._cache.alive()
        await asyncio.sleep(self._pace.optional)


def _fields(cache: Cache[Any]) -> dict[str, str]:
    return {"kind": cache.resource.kind, "namespace": cache.namespace}
