"""Speaks to the workers: what is new goes to all, and who comes late hears the last of each."""

import asyncio
import logging
import os
import socket
import struct
from typing import cast

import msgspec
from typing_extensions import override

from gateway.control.census import Census
from gateway.link import (
    Ask,
    Count,
    Counted,
    Frames,
    Health,
    Message,
    Page,
    Table,
    Topic,
    framed,
    to_control,
)

PEER = struct.Struct("3i")
"""pid, uid and gid, as SO_PEERCRED gives them."""
log = logging.getLogger(__name__)


class Broadcast:
    def __init__(self) -> None:
        self._listeners: set[asyncio.Transport] = set()
        self._last: dict[type[Message], bytes] = {}
        self.census = Census(self._count)
        self._answering: set[asyncio.Task[None]] = set()

    @property
    def routed(self) -> bool:
        """Whether there are routes for workers to hear."""
        return Table in self._last

    async def serve(self, sock: socket.socket) -> None:
        """Take in workers until cancelled."""
        loop = asyncio.get_running_loop()
        server = await loop.create_unix_server(lambda: _Listener(self), sock=sock)
        try:
            await loop.create_future()
        finally:
            server.close()
            for listener in tuple(self._listeners):
                listener.abort()

    def tell(self, message: Table | Health) -> None:
        frame = self._last[type(message)] = framed(message)
        for listener in self._listeners:
            listener.write(frame)

    def joined(self, listener: asyncio.Transport) -> None:
        for kind in (Table, Health):
            listener.write(self._last.get(kind, b""))
        self._listeners.add(listener)
        self.census.joined(listener)

    def left(self, listener: asyncio.Transport) -> None:
        self._listeners.discard(listener)
        self.census.left(listener)

    def heard(self, listener: asyncio.Transport, reply: Ask | Counted) -> None:
        """Take in what a worker says."""
        match reply:
            case Counted(number, report):
                self.census.counted(listener, number, report)
            case Ask(number, topic):
                task = asyncio.create_task(self._answer(listener, number, topic))
                self._answering.add(task)
                task.add_done_callback(self._answering.discard)

    async def _answer(self, listener: asyncio.Transport, number: int, topic: Topic) -> None:
        body = await self.census.page(topic)
        if listener in self._listeners:
            listener.write(framed(Page(number, body)))

    def _count(self, message: Count) -> None:
        frame = framed(message)
        for listener in self._listeners:
            listener.write(frame)


class _Listener(asyncio.Protocol):
    """The connection of one worker."""

    def __init__(self, broadcast: Broadcast) -> None:
        self._broadcast = broadcast
        self._transport: asyncio.Transport | None = None
        self._frames = Frames(to_control)

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        listener = cast("asyncio.Transport", transport)
        if _uid(listener) != os.getuid():
            log.warning("somebody else asked for the routes")
            listener.abort()
            return
        self._transport = listener
        self._broadcast.joined(listener)

    @override
    def data_received(self, data: bytes) -> None:
        if self._transport is None:
            return
        try:
            for reply in self._frames.feed(data):
                self._broadcast.heard(self._transport, reply)
        except msgspec.MsgspecError:
            log.exception("a worker cannot be understood")
            self._transport.abort()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport:
            self._broadcast.left(self._transport)


def _uid(transport: asyncio.Transport) -> int:
    """Tell whose process is at the other end: any on this machine knows the socket's name."""
    sock: socket.socket = transport.get_extra_info("socket")
    credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size)
    uid: int = PEER.unpack(credentials)[1]
    return uid
