"""The link between the control process and its workers: news reach all, and late ones too."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial

import msgspec
import pytest

from fleet.testing.waiting import until
from gateway.control.broadcast import Broadcast
from gateway.control.census import Census
from gateway.link import Health, Message, Table, Topic
from gateway.metrics import Counts, Report
from gateway.snapshot import Service, Snapshot
from gateway.subscriber import Subscriber
from gateway.supervisor import link

METRICS = Topic.METRICS
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
    subscriber = Subscriber(name(speaker), heard.append, lambda: Report(Counts(), {}))
    async with running(asyncio.create_task(subscriber.run())):
        yield heard


@asynccontextmanager
async def working(speaker: socket.socket, *codes: str) -> AsyncIterator[Subscriber]:
    """A worker that has answered with these codes."""
    counts = Counts()
    for code in codes:
        counts.answered("phi", "eu", code, 1)
    subscriber = Subscriber(name(speaker), lambda _: None, lambda: Report(counts, {}))
    async with running(asyncio.create_task(subscriber.run())):
        yield subscriber


def answered(page: bytes) -> dict[str, str]:
    """Read the requests by code."""
    lines = [line for line in page.decode().splitlines() if "requests_total{" in line]
    return {line.split('code="')[1].split('"')[0]: line.split()[-1] for line in lines}


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


async def test_any_worker_gives_the_sum_of_all(speaker: socket.socket) -> None:
    broadcast = Broadcast()
    async with (
        speaking(broadcast, speaker),
        working(speaker, "200", "200") as one,
        working(speaker, "200", "503") as two,
    ):
        await until(lambda: broadcast.census.workers == 2)
        status = await one.page(Topic.STATUS)
        pages = await asyncio.gather(one.page(METRICS), two.page(METRICS), broadcast.census.page())
    assert [answered(page) for page in pages] == [{"200": "3", "503": "1"}] * 3
    assert b"modelfleet_gateway_workers 2\n" in pages[0]
    assert msgspec.json.decode(status)["workers"] == 2
    speaker.close()


async def test_what_a_worker_counted_stays_when_it_ends(speaker: socket.socket) -> None:
    broadcast = Broadcast()
    async with speaking(broadcast, speaker), working(speaker, "200") as one:
        async with working(speaker, "200", "502") as two:
            await until(lambda: broadcast.census.workers == 2)
            two.farewell()
        await until(lambda: broadcast.census.workers == 1)
        assert answered(await one.page(METRICS)) == {"200": "2", "502": "1"}
    speaker.close()


async def test_a_worker_that_hangs_is_counted_as_it_was_last(speaker: socket.socket) -> None:
    broadcast = Broadcast()
    broadcast.census = Census(broadcast._count, patience=0.05)
    async with speaking(broadcast, speaker), working(speaker, "200") as one:
        with socket.socket(socket.AF_UNIX) as hanging:
            hanging.connect(speaker.getsockname())
            await until(lambda: broadcast.census.workers == 2)
            assert answered(await one.page(METRICS)) == {"200": "1"}
        await until(lambda: broadcast.census.workers == 1)
    speaker.close()


async def test_without_a_control_process_nobody_knows_the_sum(speaker: socket.socket) -> None:
    speaker.setblocking(False)
    async with working(speaker) as worker:
        deaf, _ = await asyncio.get_running_loop().sock_accept(speaker)
        with pytest.raises(TimeoutError):
            await worker.page(METRICS, seconds=0.05)
        deaf.close()
    speaker.close()
