"""A worker's end of the link: it hears what the control process says, and asks again when cut."""

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import cast

import msgspec
from typing_extensions import override

from gateway.link import (
    Ask,
    Count,
    Counted,
    Frames,
    Health,
    Message,
    Page,
    Reply,
    Table,
    Topic,
    framed,
    to_worker,
)
from gateway.metrics import Report

RETRY_SECONDS = 0.2
PAGE_SECONDS = 2.0
"""For the control process to hear all workers, one of which may be busy."""
log = logging.getLogger(__name__)


class Subscriber(asyncio.Protocol):
    """Connects for as long as the worker lives; the control process may come and go."""

    def __init__(
        self, address: str, hear: Callable[[Table | Health], None], report: Callable[[], Report]
    ) -> None:
        self._address = address
        self._hear, self._report = hear, report
        self._frames = Frames(to_worker)
        self._transport: asyncio.Transport | None = None
        self._closed = asyncio.Event()
        self._pages: dict[int, asyncio.Future[bytes]] = {}
        self._asked = 0

    async def run(self) -> None:
        try:
            await self._stay_connected()
        finally:
            if self._transport:
                self._transport.close()

    async def _stay_connected(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._closed.clear()
            self._frames = Frames(to_worker)
            try:
                sock = _connected(self._address)
            except OSError as error:
                log.warning("no control process", extra={"why": str(error)})
            else:
                await loop.create_unix_connection(lambda: self, sock=sock)
                await self._closed.wait()
            await asyncio.sleep(RETRY_SECONDS)

    async def page(self, topic: Topic, seconds: float = PAGE_SECONDS) -> bytes:
        """Ask for what all workers have counted; TimeoutError where nobody gathers it."""
        self._asked += 1
        number = self._asked
        self._pages[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(seconds):
                self._say(Ask(number, topic))
                return await self._pages[number]
        finally:
            del self._pages[number]

    def farewell(self) -> None:
        """Tell the last of what was counted here."""
        self._say(Counted(0, self._report()))

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    @override
    def data_received(self, data: bytes) -> None:
        try:
            for message in self._frames.feed(data):
                self._take(message)
        except msgspec.MsgspecError:
            log.exception("the control process cannot be understood")
            if self._transport:
                self._transport.abort()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._closed.set()

    def _take(self, message: Message) -> None:
        match message:
            case Table() | Health():
                self._hear(message)
            case Count(number):
                self._say(Counted(number, self._report()))
            case Page(number, body):
                if (waiting := self._pages.get(number)) and not waiting.done():
                    waiting.set_result(body)

    def _say(self, reply: Reply) -> None:
        if self._transport:
            self._transport.write(framed(reply))


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
