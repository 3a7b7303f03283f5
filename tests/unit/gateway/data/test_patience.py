"""How long an answer is waited for follows from the answers before it."""

import asyncio
from typing import Any

import pytest

from fleet.testing.waiting import until
from gateway.policy.answers import INTERRUPTED
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
    upstream,
)
from tests.unit.gateway.data.gate import Gate, chat, gate

OPEN = head(200, STREAM, CHUNKED)
ROLE = (
    b'data: {"object": "chat.completion.chunk", "choices": [{"index": 0, '
    b'"delta": {"role": "assistant", "content": ""}, "finish_reason": null}]}\n\n'
)


async def learn(gateway: Gate, *, stream: bool = False, pause: float = 0.0) -> None:
    """Have ten requests answered, an even number: the first endpoint is next."""
    for _ in range(10):
        answer = await gateway.ask(chat(stream=stream))
        assert answer.status == 200
        gateway.pass_time(pause)


@pytest.mark.parametrize("stream", [False, True])
async def test_who_is_much_slower_than_usual_is_left_for_another(*, stream: bool) -> None:
    async with upstream() as one, upstream() as two, gate(one, two) as gateway:
        await learn(gateway, stream=stream)
        one.behaviour = hangs()
        wire = await gateway.connect()
        wire.send(chat(stream=stream))
        await until(lambda: len(one.requests) == 6)
        gateway.pass_time(0.9)
        assert len(two.requests) == 5
        gateway.pass_time(0.2)
        answer = await wire.answer()
        assert (answer.status, answer.headers["x-modelfleet-region"]) == (200, "r1")
        assert not gateway.state().usable(gateway.clock())


async def test_a_whole_answer_that_stops_half_way_is_asked_for_elsewhere() -> None:
    half = says(head(200, "content-length: 9"), b"half", End.SILENCE)
    async with upstream() as one, upstream() as two, gate(one, two) as gateway:
        await learn(gateway)
        one.behaviour = half
        wire = await gateway.connect()
        wire.send(chat())
        await until(lambda: len(one.requests) == 6)
        exchange: Any = next(iter(gateway.plane.active))
        await until(lambda: exchange.deadline > gateway.clock() + 4)
        gateway.pass_time(4.9)
        assert len(two.requests) == 5
        gateway.pass_time(0.2)
        answer = await wire.answer()
        assert (answer.status, answer.headers["x-modelfleet-region"]) == (200, "r1")


async def test_other_kinds_of_requests_are_waited_for_as_before() -> None:
    go = asyncio.Event()
    async with upstream() as one, upstream() as two, gate(one, two) as gateway:
        await learn(gateway)
        one.behaviour = two.behaviour = completes(pause_after=go)
        fields: tuple[dict[str, Any], ...] = (
            {"stream": True},
            {"max_tokens": 5000},
            {"user": "x" * 9000},
        )
        wires = [await gateway.connect() for _ in fields]
        for wire, each in zip(wires, fields, strict=True):
            wire.send(chat(**each))
        await until(lambda: len(gateway.plane.active) == 3)
        gateway.pass_time(100)
        go.set()
        for wire in wires:
            assert (await wire.answer()).headers["x-modelfleet-attempts"] == "1"


async def test_when_everybody_is_slow_all_at_once_nobody_is_lost() -> None:
    go = asyncio.Event()
    async with upstream() as one, upstream() as two, gate(one, two) as gateway:
        await learn(gateway)
        one.behaviour = two.behaviour = completes(pause_after=go)
        wires = [await gateway.connect() for _ in range(20)]
        for wire in wires:
            wire.send(chat())
        await until(lambda: len(one.requests) + len(two.requests) >= 30)
        for _ in range(20):
            gateway.pass_time(0.25)
            await asyncio.sleep(0)
        go.set()
        assert [(await wire.answer()).status for wire in wires] == [200] * 20
        again = await gateway.ask(chat())
        assert (again.status, again.headers["x-modelfleet-attempts"]) == (200, "1")


async def _learn_pauses(gateway: Gate, *upstreams: Upstream) -> None:
    go = asyncio.Event()
    for each in upstreams:
        each.behaviour = completes(pause_after=go)
    for _ in range(20):
        wire = await gateway.connect()
        wire.send(chat(stream=True))
        await wire.head()
        await wire.chunk()
        gateway.pass_time(0.1)
        go.set()
        assert (await wire.chunks()).endswith(DONE)
        go.clear()


@pytest.mark.parametrize("others", [False, True], ids=["alone", "beside another"])
async def test_a_stream_that_stands_still_is_cut_early_where_another_could_do_better(
    *, others: bool
) -> None:
    stuck = says(OPEN, chunk(event("one")), End.SILENCE)
    async with upstream() as one, upstream() as two, gate(one) as gateway:
        if others:
            gateway.route(one, two)
        await _learn_pauses(gateway, one, two)
        one.behaviour = two.behaviour = stuck
        wire = await gateway.connect()
        wire.send(chat(stream=True))
        await wire.head()
        await wire.chunk()
        gateway.pass_time(4.9)
        assert gateway.plane.active
        gateway.pass_time(0.2)
        if not others:
            gateway.pass_time(114)
            assert gateway.plane.active
            gateway.pass_time(2)
        assert await wire.chunk() == INTERRUPTED
        assert await wire.chunk() == b""


@pytest.mark.parametrize(
    "fault",
    [
        says(OPEN, chunk(ROLE), End.CLOSE),
        says(OPEN, chunk(b": ping\n\n"), chunk(ROLE), chunk(ROLE[:30]), End.RESET),
        says(OPEN, chunk(b"event: message_start\ndata: {}\n\n"), End.RESET),
    ],
    ids=["role", "role and a half", "message"],
)
async def test_a_stream_that_breaks_before_its_first_word_is_asked_for_again(
    fault: Behaviour,
) -> None:
    async with upstream(fault) as one, upstream() as two, gate(one, two) as gateway:
        answer = await gateway.ask(chat(stream=True))
    assert answer.headers["x-modelfleet-attempts"] == "2"
    assert answer.body.endswith(DONE)
    assert ROLE not in answer.body


async def test_an_opening_is_passed_on_with_the_first_word() -> None:
    go = asyncio.Event()
    fault = says(OPEN, chunk(ROLE), go, chunk(event("one")), chunk(DONE), b"0\r\n\r\n")
    async with upstream(fault) as only, gate(only) as gateway:
        wire = await gateway.connect()
        wire.send(chat(stream=True))
        await until(lambda: only.requests)
        go.set()
        answer = await wire.answer()
    assert answer.body == ROLE + event("one") + DONE
