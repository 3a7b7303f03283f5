"""Work that goes on only while nobody else does it, and is cut short when somebody comes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Protocol

from fleet.kube.errors import TransientError


class Watchful(Protocol):
    """Knows whether somebody else is there."""

    async def alone(self) -> None:
        """Wait until nobody is, as far as can be known."""

    def while_alone(self) -> AbstractAsyncContextManager[None]:
        """Cut the block short when somebody comes: TransientError."""
        ...


class Solitude:
    """Not alone until somebody says so."""

    def __init__(self) -> None:
        self._alone = asyncio.Event()
        self._running: set[asyncio.Timeout] = set()
        self._why = ""

    async def alone(self) -> None:
        await self._alone.wait()

    @asynccontextmanager
    async def while_alone(self) -> AsyncIterator[None]:
        if not self._alone.is_set():
            raise TransientError(f"stands aside: {self._why}")
        limit = asyncio.timeout(None)
        try:
            async with limit:
                self._running.add(limit)
                yield
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise TransientError(f"stands aside: {self._why}") from error
        finally:
            self._running.discard(limit)

    def end(self, why: str) -> None:
        """Stop what runs, and let nothing begin."""
        self._why = why
        self._alone.clear()
        for limit in self._running:
            with suppress(RuntimeError):
                limit.reschedule(0.0)

    def begin(self) -> None:
        self._alone.set()
