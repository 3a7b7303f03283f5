"""Stands before an upstream and cuts its streams after so many events."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

EVENT = b"data:"
READ_BYTES = 4096


class Cutter:
    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port, self._path = parts.hostname, parts.port, parts.path
        self.after = 0
        """Events that come through; 0 is all."""
        self.cuts = 0
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self._path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._host, self._port)
        asks = asyncio.create_task(_pipe(reader, back))
        seen = 0
        with suppress(OSError):
            while data := await there.read(READ_BYTES):
                at = self._end(data, seen)
                seen += data.count(EVENT)
                writer.write(data[:at])
                await writer.drain()
                if at < len(data):
                    self.cuts += 1
                    break
        for each in (writer, back):
            each.close()
        asks.cancel()

    def _end(self, data: bytes, seen: int) -> int:
        """Give where the event begins that is one too many."""
        at = -1
        for _ in range(self.after + 1 - seen if self.after else 0):
            at = data.find(EVENT, at + 1)
            if at < 0:
                return len(data)
        return max(at, 0) if self.after else len(data)


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(READ_BYTES):
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def cutting(url: str) -> AsyncIterator[Cutter]:
    made = Cutter(url)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
