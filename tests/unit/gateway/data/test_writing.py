"""Whether what is written is on its way before anything else is read."""

import asyncio
import socket

import uvloop

from gateway.data.writing import at_once


async def _written(data: bytes) -> bytes:
    ours, theirs = socket.socketpair()
    with theirs:
        ours.setblocking(False)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
        at_once(transport).write(data)
        try:
            return theirs.recv(len(data), socket.MSG_DONTWAIT)
        finally:
            transport.close()


def test_what_is_written_has_gone_out_before_the_loop_goes_on() -> None:
    assert uvloop.run(_written(b"data: token")) == b"data: token"
