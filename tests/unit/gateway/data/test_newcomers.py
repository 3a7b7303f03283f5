"""Who goes before streams under way, and what is left to the loop."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from typing_extensions import override

from gateway.data.newcomers import Newcomers
from gateway.data.pool import Origin
from gateway.data.upstream import Head, UpstreamConnection

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
RESET = struct.pack("ii", 1, 0)


def part(said: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(said), said)


@dataclass
class Scene:
    """A stream under way, and what happens to it and to others, in its order."""

    newcomers: Newcomers = field(default_factory=Newcomers)
    told: list[str] = field(default_factory=list)
    stream: UpstreamConnection = field(init=False)
    ends: list[asyncio.Transport | socket.socket] = field(default_factory=list)

    def __post_init__(self) -> None:
        origin = Origin("http://engine", lambda: 0.0, self.newcomers)
        self.stream = UpstreamConnection(origin)

    async def pair(self, protocol: asyncio.Protocol) -> tuple[asyncio.Transport, socket.socket]:
        """Give a connection in this loop, and its other end."""
        listener = socket.create_server(("127.0.0.1", 0))
        with listener:
            theirs = socket.create_connection(listener.getsockname())
            ours, _ = listener.accept()
        ours.setblocking(False)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(lambda: protocol, sock=ours)
        self.ends += transport, theirs
        return transport, theirs

    async def newcomer(self) -> tuple["Someone", socket.socket]:
        someone = Someone(self)
        someone.transport, theirs = await self.pair(someone)
        self.newcomers.join(someone.transport, someone)
        return someone, theirs

    def received(self, head: Head, data: bytes, *, complete: bool) -> None:
        assert head.event_stream
        self.told.append("end" if complete else data.decode())

    def lost(self, *, stale: bool) -> None:
        self.told.append("lost, stale" if stale else "lost")


class Someone(asyncio.Protocol):
    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.transport = asyncio.Transport()

    @override
    def data_received(self, data: bytes) -> None:
        if data == b"fault":
            raise ValueError(data)
        self.scene.told.append(data.decode())

    @override
    def eof_received(self) -> None:
        self.scene.told.append("eof")

    def torn(self) -> None:
        self.scene.told.append("torn")


@asynccontextmanager
async def streaming() -> AsyncIterator[tuple[Scene, socket.socket]]:
    """Begin a stream; its other end is the engine's."""
    scene = Scene()
    _, engine = await scene.pair(scene.stream)
    scene.stream.send(scene, b"POST / HTTP/1.1\r\n\r\n", b"")
    scene.stream.data_received(HEAD + part(b"first"))
    scene.stream.flow()
    try:
        yield scene, engine
    finally:
        for each in scene.ends:
            each.close()
        await asyncio.sleep(0)
        scene.newcomers.close()


async def test_a_newcomer_is_served_before_the_next_part_of_a_stream() -> None:
    async with streaming() as (scene, _):
        _, theirs = await scene.newcomer()
        theirs.send(b"request")
        scene.stream.data_received(part(b"second"))
        scene.stream.data_received(part(b"third"))
        assert scene.told == ["first", "second", "request", "third"]
        # The loop finds it read.
        await asyncio.sleep(0.01)
        assert scene.told == ["first", "second", "request", "third"]


async def test_a_stream_is_no_newcomer_until_it_has_ended() -> None:
    async with streaming() as (scene, engine):
        engine.send(part(b"second"))
        scene.newcomers.look()
        assert scene.told == ["first"]
        await asyncio.sleep(0.01)
        engine.send(b"0\r\n\r\n")
        await asyncio.sleep(0.01)
        assert scene.told == ["first", "second", "end"]
        scene.stream.send(scene, b"POST / HTTP/1.1\r\n\r\n", b"")
        engine.send(HEAD + part(b"next"))
        scene.newcomers.look()
        assert scene.told[3:] == ["next"]


async def test_who_reads_nothing_more_is_left_alone() -> None:
    async with streaming() as (scene, _):
        someone, theirs = await scene.newcomer()
        scene.newcomers.leave(someone.transport)
        theirs.send(b"request")
        scene.newcomers.look()
        assert scene.told == ["first"]


async def test_an_end_is_told_by_the_loop() -> None:
    async with streaming() as (scene, _):
        _, theirs = await scene.newcomer()
        theirs.shutdown(socket.SHUT_WR)
        scene.newcomers.look()
        assert scene.told == ["first"]
        await asyncio.sleep(0.01)
        assert scene.told == ["first", "eof"]


async def test_a_reset_is_told_by_the_loop() -> None:
    async with streaming() as (scene, _):
        _, theirs = await scene.newcomer()
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        theirs.close()
        scene.newcomers.look()
        assert scene.told == ["first"]


async def test_a_fault_ends_the_newcomer_and_not_the_stream() -> None:
    async with streaming() as (scene, _):
        faults: list[dict[str, Any]] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: faults.append(context))
        _, theirs = await scene.newcomer()
        theirs.send(b"fault")
        scene.stream.data_received(part(b"second"))
        assert scene.told == ["first", "second", "torn"]
        assert isinstance(faults[0]["exception"], ValueError)


async def test_what_is_encrypted_is_read_by_its_transport() -> None:
    class Encrypted(asyncio.Transport):
        @override
        def get_extra_info(self, name: str, default: Any = None) -> Any:
            return object()

    newcomers, encrypted = Newcomers(), Encrypted()
    newcomers.join(encrypted, Someone(Scene()))
    newcomers.leave(encrypted)
    newcomers.look()
