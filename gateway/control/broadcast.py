"""Speaks to the workers: what is new goes to all, and who comes late hears the last of each."""

import asyncio
import logging
import os
import socket
import struct
from typing import cast

from typing_extensions import override

from gateway.link import Health, Message, Table, framed

PEER = struct.Struct("3i")
"""pid, uid and gid, as SO_PEERCRED gives them."""
log = logging.getLogger(__name__)


class Broadcast:
    def __init__(self) -> None:
        self._listeners: set[asyncio.Transport] = set()
        self._last: dict[type[Message], bytes] = {}

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

    def left(self, listener: asyncio.Transport) -> None:
        self._listeners.discard(listener)


class _Listener(asyncio.Protocol):
    """The connection of one worker, which says nothing."""

    def __init__(self, broadcast: Broadcast) -> None:
        self._broadcast = broadcast
        self._transport: asyncio.Transport | None = None

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
    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport:
            self._broadcast.left(self._transport)


def _uid(transport: asyncio.Transport) -> int:
    """Tell whose process is at the other end: any on this machine knows the socket's name."""
    sock: socket.socket = transport.get_extra_info("socket")
    credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size)
    uid: int = PEER.unpack(credentials)[1]
    return uid
