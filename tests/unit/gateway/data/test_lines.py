"""When every endpoint is full a request waits for a place, by priority and not for ever."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fleet.testing.waiting import until
from gateway.snapshot import Queue
from tests.gateway_upstream import Upstream, completes, upstream
from tests.unit.gateway.data.gate import SERVICE, Gate, Wire, chat, endpoint, gate


@asynccontextmanager
async def full(length: int = 9) -> AsyncIterator[tuple[Gate, Upstream, asyncio.Event, Wire]]:
    """Run a gateway whose only endpoint has one place, which is taken until the gate opens."""
    go = asyncio.Event()
    async with upstream(completes(pause_after=go)) as only, gate() as gateway:
        gateway.swap([endpoint(only, places=1)], queue=Queue(length, 30))
        first = await gateway.connect()
        first.send(chat(user="first"))
        await until(lambda: only.requests)
        yield gateway, only, go, first


async def waits(gateway: Gate, user: str, priority: str = "normal") -> Wire:
    before = gateway.plane.lines.waiting(SERVICE)
    wire = await gateway.connect()
    wire.send(chat(f"x-modelfleet-priority: {priority}", user=user))
    await until(lambda: gateway.plane.lines.waiting(SERVICE) > before)
    return wire


def users(only: Upstream) -> list[str]:
    return [each.json["user"] for each in only.requests]


async def test_requests_wait_for_a_place_and_the_urgent_go_first() -> None:
    async with full() as (gateway, only, go, first):
        wires = [first]
        for user, priority in (("a", "normal"), ("b", "low"), ("c", "high"), ("d", "normal")):
            wires.append(await waits(gateway, user, priority))
        gateway.pass_time(20)
        assert users(only) == ["first"]
        go.set()
        assert [(await wire.answer()).status for wire in wires] == [200] * 5
        assert users(only) == ["first", "c", "a", "d", "b"]
        assert not gateway.plane.lines.by_service


async def test_a_line_that_is_full_sends_the_least_urgent_away() -> None:
    async with full(length=1) as (gateway, only, go, first):
        low = await waits(gateway, "low", "low")
        gateway.pass_time(3)
        high = await gateway.connect()
        high.send(chat("x-modelfleet-priority: high", user="high"))
        refused = await low.answer()
        assert (refused.status, refused.code) == (429, "queue_full")
        assert refused.headers["retry-after"] == "3"
        late = await gateway.ask(chat(user="late"))
        assert (late.status, late.headers["retry-after"]) == (429, "1")
        go.set()
        assert [(await wire.answer()).status for wire in (first, high)] == [200, 200]
        assert users(only) == ["first", "high"]


async def test_nobody_waits_longer_than_it_may() -> None:
    async with full() as (gateway, only, go, first):
        wire = await waits(gateway, "late")
        gateway.pass_time(29)
        assert gateway.plane.lines.waiting(SERVICE) == 1
        gateway.pass_time(2)
        answer = await wire.answer()
        assert (answer.status, answer.code) == (503, "queue_timeout")
        assert not gateway.plane.lines.by_service
        go.set()
        assert (await first.answer()).status == 200
        assert users(only) == ["first"]


async def test_a_client_that_leaves_leaves_the_line() -> None:
    async with full() as (gateway, only, go, first):
        gone, stays = await waits(gateway, "gone"), await waits(gateway, "stays")
        await gone.leave()
        await until(lambda: gateway.plane.lines.waiting(SERVICE) == 1)
        await first.leave()
        go.set()
        assert (await stays.answer()).status == 200
        assert users(only) == ["first", "stays"]


async def test_a_place_that_comes_with_new_routes_is_taken() -> None:
    async with full() as (gateway, only, go, first), upstream() as other:
        wire = await waits(gateway, "waits")
        gateway.swap([endpoint(only, places=1), endpoint(other, 1)])
        gateway.pass_time(0.1)
        assert (await wire.answer()).headers["x-modelfleet-region"] == "r1"
        go.set()
        assert (await first.answer()).status == 200
