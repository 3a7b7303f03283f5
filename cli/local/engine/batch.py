"""Which requests run together and which wait, as in a continuous batch."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Batch:
    """Lets `size` requests run at a time, first come first served, and counts their tokens."""

    def __init__(self, size: int, cache_tokens: int) -> None:
        self._size = self._first_size = size
        self._longest: int | None = None
        """Of the queue; any where it is None."""
        self._cache_tokens = cache_tokens
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._empty = asyncio.Event()
        self._empty.set()
        self.running = 0
        self.tokens = 0
        """Of all running requests, prompts included."""

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def cache_usage(self) -> float:
        return min(1.0, self.tokens / self._cache_tokens)

    def limit(self, running: int | None, waiting: int | None) -> None:
        """Let so many run, or as many as at first, and so many wait; what runs already does."""
        self._size, self._longest = running or self._first_size, waiting
        while self.running < self._size and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                self.running += 1
                turn.set_result(None)

    @property
    def crowded(self) -> bool:
        """Whether one more would have to wait where no more may."""
        full = self.running >= self._size
        return self._longest is not None and full and self.waiting >= self._longest

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold a place; one that is given up, for whatever reason, goes to the next."""
        if self.running >= self._size:
            await self._wait()
        else:
            self._empty.clear()
            self.running += 1
        try:
            yield
        finally:
            self._leave()

    async def empty(self) -> None:
        """Wait until nothing runs."""
        await self._empty.wait()

    async def _wait(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave()
            elif turn in self._waiting:
                self._waiting.remove(turn)
            raise

    def _leave(self) -> None:
        """Hand the place on, or free it."""
        while self._waiting and self.running <= self._size:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self.running -= 1
        if self.running == 0:
            self._empty.set()
