"""A second endpoint is asked beside a slow first one, and the first answer is the answer."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from fleet.testing.waiting import until
from gateway.snapshot import Endpoint
from tests.gateway_upstream import (
    CHUNKED,
    DONE,
    STREAM,
    Behaviour,
    End,
    Upstream,
    chunk,
    completes,
    event,
    hangs,
    head,
    says,
    turns_away,
    unreachable,
    upstream,
)
from tests.unit.gateway.data.gate import Gate, Wire, chat, endpoint, gate

SOON, LATE = 0.02, 600
OPEN = head(200, STREAM, CHUNKED)


async def asked(gateway: Gate, endpoints: Sequence[Endpoint], **fields: object) -> Wire:
    gateway.swap(endpoints, hedge=SOON)
    wire = await gateway.connect()
    wire.send(chat(stream=bool(fields.get("stream"))))
    return wire


def both(one: Upstream, two: Upstream) -> list[Endpoint]:
    return [endpoint(one, 0), endpoint(two, 1)]


@pytest.mark.parametrize("stream", [False, True])
async def test_the_second_answers_for_a_first_that_does_not(*, stream: bool) -> None:
    async with upstream(hangs()) as one, upstream() as two, gate() as gateway:
        answer = await (await asked(gateway, both(one, two), stream=stream)).answer()
        assert (answer.status, answer.headers["x-modelfleet-region"]) == (200, "r1")
        assert answer.headers["x-modelfleet-attempts"] == "2"
        assert answer.body.endswith(DONE) is stream
        await until(lambda: one.abandoned == 1)
        assert gateway.state().usable(gateway.clock())
        assert (await gateway.ask(chat())).status == 200


async def test_a_first_that_answers_after_all_sends_the_second_away() -> None:
    go = asyncio.Event()
    async with (
        upstream(completes(pause_after=go)) as one,
        upstream(hangs()) as two,
        gate() as gateway,
    ):
        wire = await asked(gateway, both(one, two))
        await until(lambda: two.requests)
        go.set()
        answer = await wire.answer()
        assert (answer.status, answer.headers["x-modelfleet-region"]) == (200, "r0")
        assert answer.headers["x-modelfleet-attempts"] == "2"
        await until(lambda: two.abandoned == 1)


async def test_a_quick_first_is_asked_alone() -> None:
    async with upstream() as one, upstream() as two, gate() as gateway:
        gateway.swap(both(one, two), hedge=LATE)
        assert (await gateway.ask(chat())).status == 200
        assert not two.requests


@pytest.mark.parametrize(
    "fault",
    [
        says(End.RESET),
        turns_away(),
        says(OPEN, End.RESET),
        says(OPEN, chunk(event("one")[:9]), End.CLOSE),
    ],
    ids=["reset", "busy", "open", "half"],
)
async def test_a_second_that_fails_leaves_it_to_the_first(fault: Behaviour) -> None:
    go = asyncio.Event()
    async with (
        upstream(completes(pause_after=go)) as one,
        upstream(fault) as two,
        gate() as gateway,
    ):
        wire = await asked(gateway, both(one, two))
        await until(lambda: two.requests and gateway.state(1).in_flight == 0)
        go.set()
        answer = await wire.answer()
        assert (answer.status, answer.headers["x-modelfleet-region"]) == (200, "r0")


async def test_a_first_that_fails_leaves_it_to_the_second() -> None:
    fail, go = asyncio.Event(), asyncio.Event()
    async with (
        upstream(says(fail, End.RESET)) as one,
        upstream(completes(pause_after=go)) as two,
        gate() as gateway,
    ):
        wire = await asked(gateway, both(one, two))
        await until(lambda: two.requests)
        fail.set()
        await until(lambda: gateway.state().in_flight == 0)
        go.set()
        answer = await wire.answer()
        assert (answer.status, answer.headers["x-modelfleet-region"]) == (200, "r1")
        assert len(two.requests) == 1


async def test_a_first_that_fails_while_the_second_is_dialled_waits_for_that() -> None:
    fail = asyncio.Event()
    with unreachable() as url:
        async with upstream(says(fail, End.RESET)) as one, gate(connect_seconds=0.2) as gateway:
            wire = await asked(gateway, [endpoint(one, 0), Endpoint("team/1", url)])
            await until(lambda: gateway.state(1).in_flight == 1)
            fail.set()
            assert (await wire.answer()).status == 503


async def test_a_client_that_leaves_takes_both_with_it() -> None:
    async with upstream(hangs()) as one, upstream(hangs()) as two, gate() as gateway:
        wire = await asked(gateway, both(one, two))
        await until(lambda: two.requests)
        await wire.leave()
        await until(lambda: one.abandoned == two.abandoned == 1)


async def test_without_another_endpoint_the_first_goes_on() -> None:
    go = asyncio.Event()
    async with upstream(completes(pause_after=go)) as only, gate() as gateway:
        wire = await asked(gateway, [endpoint(only, 0)])
        await until(lambda: only.requests)
        due: Any = next(iter(gateway.plane.active))
        await until(lambda: due._timer.when() < asyncio.get_running_loop().time())
        go.set()
        answer = await wire.answer()
        assert (answer.status, answer.headers["x-modelfleet-attempts"]) == (200, "1")
