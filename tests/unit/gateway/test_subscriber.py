"""The link between the control process and its workers: news reach all, and late ones too."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial

import pytest

from fleet.testing.waiting import until
from gateway.control.broadcast import Broadcast
from gateway.link import Health, Message, Table
from gateway.snapshot import Service, Snapshot
from gateway.subscriber import Subscriber
from gateway.supervisor import link

OLD = Table(Snapshot())
NEW = Table(Snapshot((Service("team/llama", ("llama",)),)))
UP, DOWN = Health(1.0, {"team/0": True}), Health(2.0, {"team/0": False})


@pytest.fixture
def speaker() -> socket.socket:
    """The socket that outlives both sides, as the supervisor's does."""
    return link()


def name(speaker: socket.socket) -> str:
    address: bytes = speaker.getsockname()
    return address.decode().lstrip("\0")


@asynccontextmanager
async def running(*tasks: "asyncio.Task[None]") -> AsyncIterator[None]:
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@asynccontextmanager
async def speaking(broadcast: Broadcast, speaker: socket.socket) -> AsyncIterator[None]:
    """Speak as one control process does, which takes only its own descriptor with it."""
    async with running(asyncio.create_task(broadcast.serve(speaker.dup()))):
        yield


@asynccontextmanager
async def hearing(speaker: socket.socket) -> AsyncIterator[list[Message]]:
    heard: list[Message] = []
    async with running(asyncio.create_task(Subscriber(name(speaker), heard.append).run())):
        yield heard


def _has(heard: Sequence[Message], number: int) -> bool:
    return len(heard) == number


async def test_everybody_hears_what_is_new(speaker: socket.socket) -> None:
    broadcast = Broadcast()
    async with (
        speaking(broadcast, speaker),
        hearing(speaker) as one,
        hearing(speaker) as two,
    ):
        await until(lambda: len(broadcast._listeners) == 2)
        for message in (OLD, UP, NEW):
            broadcast.tell(message)
        await until(lambda: one == two == [OLD, UP, NEW])
    speaker.close()


async def test_who_comes_late_hears_the_last_of_each_routes_first(speaker: socket.socket) -> None:
    broadcast = Broadcast()
    for message in (DOWN, OLD, NEW, UP):
        broadcast.tell(message)
    async with speaking(broadcast, speaker), hearing(speaker) as heard:
        await until(lambda: heard == [NEW, UP])
    speaker.close()


async def test_who_comes_before_there_is_anything_waits(speaker: socket.socket) -> None:
    async with hearing(speaker) as heard:
        broadcast = Broadcast()
        async with speaking(broadcast, speaker):
            await until(lambda: broadcast._listeners)
            assert not heard
            broadcast.tell(NEW)
            await until(lambda: heard == [NEW])
    speaker.close()


async def test_a_control_process_may_end_and_another_come(speaker: socket.socket) -> None:
    async with hearing(speaker) as heard:
        for number, message in enumerate((OLD, NEW), 1):
            broadcast = Broadcast()
            broadcast.tell(message)
            async with speaking(broadcast, speaker):
                await until(partial(_has, heard, number))
        assert heard == [OLD, NEW]
    speaker.close()


async def test_a_worker_that_is_gone_is_forgotten(speaker: socket.socket) -> None:
    broadcast = Broadcast()
    async with speaking(broadcast, speaker):
        with socket.socket(socket.AF_UNIX) as worker:
            worker.connect(speaker.getsockname())
            await until(lambda: len(broadcast._listeners) == 1)
        await until(lambda: not broadcast._listeners)
        broadcast.tell(OLD)
    speaker.close()


@pytest.mark.parametrize("said", [b"\x00\x00\x00\x02\xc1\xc1", b"\x00\x00\x00\x01\x00"])
async def test_nonsense_is_asked_for_again(speaker: socket.socket, said: bytes) -> None:
    speaker.setblocking(False)
    loop = asyncio.get_running_loop()
    async with hearing(speaker) as heard:
        liar, _ = await loop.sock_accept(speaker)
        liar.send(said)
        assert await loop.sock_recv(liar, 1) == b""
        liar.close()
        broadcast = Broadcast()
        broadcast.tell(NEW)
        async with speaking(broadcast, speaker):
            await until(lambda: heard == [NEW])
    speaker.close()


async def test_without_a_supervisor_a_worker_goes_on_asking(
    speaker: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    address = speaker.getsockname()
    async with hearing(speaker) as heard:
        await asyncio.sleep(0)
        speaker.close()
        await until(lambda: "no control process" in caplog.text)
        with socket.socket(socket.AF_UNIX) as again:
            again.bind(address)
            again.listen()
            broadcast = Broadcast()
            broadcast.tell(NEW)
            async with speaking(broadcast, again):
                await until(lambda: heard == [NEW])
