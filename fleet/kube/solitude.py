"""Work that goes on only while nobody else does it, and is cut short when somebody comes."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Protocol

from fleet.kube.errors import TransientError

log = logging.getLogger(__name__)


class Watchful(Protocol):
    """Knows whether somebody else is there."""

    async def alone(self) -> None:
        """Wait until nobody is, as far as can be known."""

    def while_alone(self) -> AbstractAsyncContextManager[None]:
        """Cut the block short when somebody comes: TransientError."""
        ...


class Solitude:
    """Whether nobody else does our work; not known until it has been settled once."""

    def __init__(self, without: str) -> None:
        self._without = without
        """Who else might do it, for the log."""
        self._found = ""
        self._alone = asyncio.Event()
        self._running: set[asyncio.Timeout] = set()
        self._why = ""
        self._listeners: list[Callable[[], None]] = []

    @property
    def found(self) -> str:
        """Who is there and what is to be done; nothing while nobody is."""
        return self._found

    @property
    def waiting(self) -> str:
        """What a program waits for that stands aside."""
        return f"the end of {self._found}" if self._found else ""

    def on_change(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)

    async def alone(self) -> None:
        """Wait until nobody is there, as far as can be known."""
        await self._alone.wait()

    @asynccontextmanager
    async def while_alone(self) -> AsyncIterator[None]:
        """Cut the block short when somebody comes: TransientError."""
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

    def settle(self, found: str) -> None:
        """Stop what runs where somebody was found, or let it begin; tell when that is new."""
        if found:
            self._end(found)
        if found != self._found:
            self._found = found
            self._tell()
        if not found:
            self._alone.set()

    def _end(self, why: str) -> None:
        self._why = why
        self._alone.clear()
        for limit in self._running:
            with suppress(RuntimeError):
                limit.reschedule(0.0)

    def _tell(self) -> None:
        if self._found:
            log.warning("stands aside", extra={"why": self._found})
        else:
            log.info("goes on alone", extra={"without": self._without})
        for listener in self._listeners:
            listener()
