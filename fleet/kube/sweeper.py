"""List a kind again where its watch may have missed that something vanished."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from fleet.kube.cache import Cache
from fleet.kube.errors import KubeError, NotFoundError

SWEEP_SECONDS = 1.0
"""From the first cause to the list: causes come in crowds."""
log = logging.getLogger(__name__)
Relist = Callable[[Cache[Any]], Awaitable[None]]


class Sweeper:
    """List a cache's kind where that is wanted; of several times close together once."""

    def __init__(self, relist: Relist) -> None:
        self._relist = relist
        self._due: dict[int, asyncio.Task[None]] = {}

    def wanted(self, *caches: Cache[Any]) -> None:
        for cache in caches:
            if id(cache) not in self._due:
                self._due[id(cache)] = asyncio.create_task(self._sweep(cache))

    async def listed(self, cache: Cache[Any]) -> bool:
        """List a kind at once, and say whether the server did."""
        try:
            await self._relist(cache)
        except KubeError:
            return False
        return True

    async def _sweep(self, cache: Cache[Any]) -> None:
        """One that is not served is left to those who wait for it."""
        await asyncio.sleep(SWEEP_SECONDS)
        del self._due[id(cache)]
        try:
            await self._relist(cache)
        except NotFoundError:
            return
        except KubeError as error:
            log.warning("list failed", extra={"kind": cache.resource.kind, "why": str(error)})
            self.wanted(cache)
