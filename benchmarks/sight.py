"""When a watch first saw what somebody waits for."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from fleet.kube.cache import Cache


class Sight:
    """A watch that tells when it first saw what somebody waits for."""

    def __init__(self, cache: Cache[Any]) -> None:
        self.cache = cache
        self._waiting: list[tuple[Callable[[Any], bool], asyncio.Future[float]]] = []
        cache.on_change(self._look)

    def expect(self, wanted: Callable[[Any], bool]) -> "asyncio.Future[float]":
        """Begin to wait, before the cause is written."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((wanted, future))
        return future

    def _look(self, resource: Any) -> None:
        now = time.perf_counter()
        for entry in list(self._waiting):
            wanted, future = entry
            if not future.done() and wanted(resource):
                future.set_result(now)
                self._waiting.remove(entry)
