"""Speaks to the workers: what is new goes to all, and who comes late hears the last of each."""

import asyncio
import logging
import os
import socket
import struct

from gateway.link import Health, Message, Table, framed

PEER = struct.Struct("3i")
"""pid, uid and gid, as SO_PEERCRED gives them."""
log = logging.getLogger(__name__)


class Broadcast:
    def __init__(self) -> None:
        self._writers: set[asyncio.StreamWriter] = set()
        self._last: dict[type[Message], bytes] = {}

    async def serve(self, sock: socket.socket) -> None:
        server = await asyncio.start_unix_server(self._met, sock=sock)
        async with server:
            await server.serve_forever()

    def tell(self, message: Table | Health) -> None:
        frame = self._last[type(message)] = framed(message)
        for writer in self._writers:
            writer.write(frame)

    async def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if _uid(writer) != os.getuid():
            log.warning("somebody else asked for the routes")
            writer.close()
            return
        for kind in (Table, Health):
            writer.write(self._last.get(kind, b""))
        self._writers.add(writer)
        try:
            await reader.read()
        finally:
            self._writers.discard(writer)
            writer.close()


def _uid(writer: asyncio.StreamWriter) -> int:
    """Tell whose process is at the other end: any on this machine knows the socket's name."""
    sock: socket.socket = writer.get_extra_info("socket")
    credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size)
    uid: int = PEER.unpack(credentials)[1]
    return uid
