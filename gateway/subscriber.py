"""A worker's end of the link: it hears what the control process says, and asks again when cut."""

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import cast

import msgspec
from typing_extensions import override

from gateway.link import Frames, Message

RETRY_SECONDS = 0.2
log = logging.getLogger(__name__)


class Subscriber(asyncio.Protocol):
    """Connects for as long as the worker lives; the control process may come and go."""

    def __init__(self, address: str, hear: Callable[[Message], None]) -> None:
        self._address = address
        self._hear = hear
        self._frames = Frames()
        self._transport: asyncio.Transport | None = None
        self._closed = asyncio.Event()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._closed.clear()
            self._frames = Frames()
            try:
                sock = _connected(self._address)
            except OSError as error:
                log.warning("no control process", extra={"why": str(error)})
            else:
                await loop.create_unix_connection(lambda: self, sock=sock)
                await self._closed.wait()
            await asyncio.sleep(RETRY_SECONDS)

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    @override
    def data_received(self, data: bytes) -> None:
        try:
            for message in self._frames.feed(data):
                self._hear(message)
        except msgspec.MsgspecError:
            log.exception("the control process cannot be understood")
            if self._transport:
                self._transport.abort()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._closed.set()


def _connected(name: str) -> socket.socket:
    """Connect to a socket in Linux' abstract namespace: at once, since its owner is alive."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.connect(f"\0{name}")
    except OSError:
        sock.close()
        raise
    return sock
