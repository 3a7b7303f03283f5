"""Whether an API server answers: who waits for it is woken as soon as it does again."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from fleet.runtime import clock

AWAY_SECONDS = 3.0
"""Without an answer, after which the next one is news: one connection that breaks is none."""


class Answering:
    def __init__(self, elapsed: Callable[[], float] = clock.elapsed) -> None:
        self._elapsed = elapsed
        self._last = elapsed()
        self._lost = False
        self._back = asyncio.Event()

    def lose(self) -> None:
        """Take note of a request that was not answered."""
        self._lost = True

    def hear(self, *, well: bool) -> None:
        """Take note of an answer; one of a server that is not well is none."""
        if not well:
            self.lose()
            return
        before, self._last = self._last, self._elapsed()
        if self._lost and self._last >= before + AWAY_SECONDS:
            self._back.set()
            self._back = asyncio.Event()
        self._lost = False

    async def wait(self, seconds: float) -> None:
        """Wait so long, or until a server that was away answers."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._back.wait(), seconds)
