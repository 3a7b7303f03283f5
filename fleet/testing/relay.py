"""A TCP relay to a server, that a test may cut, freeze, slow down and mend."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Relay:
    def __init__(self, port: int) -> None:
        self._target = port
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._refusing = False
        self.port = 0
        self.connections = 0
        self.delay_seconds = 0.0
        """By which each piece that comes is late on its way."""

    def cut(self) -> None:
        """Break all connections, and let no new one through."""
        self._refusing = True
        for writer in self._writers:
            writer.transport.abort()

    def freeze(self) -> None:
        """Keep connections open, and bring nothing through any more."""
        self._flowing.clear()

    def mend(self) -> None:
        self._refusing = False
        self._flowing.set()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        self._hold(writer)
        if self._refusing:
            writer.transport.abort()
        else:
            with suppress(OSError):
                await self._connect(reader, writer)
        await self._let_go(writer)

    async def ended(self) -> None:
        """Wait until no connection is left."""
        self.cut()
        self._flowing.set()
        await self._idle.wait()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        self.connections += 1
        self._hold(far_writer)
        await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer))
        await self._let_go(far_writer)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                await self._flowing.wait()
                if self.delay_seconds:
                    await asyncio.sleep(self.delay_seconds)
                writer.write(data)
                await writer.drain()
        writer.close()

    def _hold(self, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self._idle.clear()

    async def _let_go(self, writer: asyncio.StreamWriter) -> None:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        self._writers.discard(writer)
        if not self._writers:
            self._idle.set()


@asynccontextmanager
async def relay(port: int) -> AsyncIterator[Relay]:
    """Relay a free port of loopback to another."""
    made = Relay(port)
    server = await asyncio.start_server(made.accept, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await made.ended()
