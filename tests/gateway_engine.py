"""`python -m tests.gateway_engine PORT SECONDS`: an upstream as a process, to be killed or stopped.

It answers a request after SECONDS. SIGUSR1 makes it hang on every POST, SIGUSR2 answer it with 503;
its health goes on being good.
"""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fleet.testing.apiserver import free_port
from fleet.testing.waiting import until
from tests.gateway_upstream import (
    Behaviour,
    Call,
    Upstream,
    completes,
    hangs,
    turns_away,
)


class Engine:
    """What the process does."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._posts: Behaviour = completes()

    async def __call__(self, call: Call) -> None:
        if call.request.method != "POST":
            await completes()(call)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(self._seconds):
                await call.wait(asyncio.Event())
        await self._posts(call)

    def behave(self, posts: Behaviour) -> None:
        self._posts = posts


async def _serve(port: int, seconds: float) -> None:
    loop, engine = asyncio.get_running_loop(), Engine(seconds)
    upstream = Upstream(port=port)
    upstream.behaviour = engine
    loop.add_signal_handler(signal.SIGUSR1, engine.behave, hangs())
    loop.add_signal_handler(signal.SIGUSR2, engine.behave, turns_away())
    await upstream.listen()
    await loop.create_future()


class Process:
    """One such process, seen from a test."""

    def __init__(self, port: int, process: asyncio.subprocess.Process) -> None:
        self.port, self._process = port, process

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def tell(self, number: int) -> None:
        self._process.send_signal(number)

    async def end(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


@asynccontextmanager
async def engine(seconds: float = 0.0) -> AsyncIterator[Process]:
    port = free_port()
    arguments = ("-m", "tests.gateway_engine", str(port), str(seconds))
    made = Process(port, await asyncio.create_subprocess_exec(sys.executable, *arguments))

    async def listens() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    try:
        await until(listens)
        yield made
    finally:
        await made.end()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2])))
