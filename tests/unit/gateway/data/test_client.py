"""A client's connection: limits, order, silence, and what it is told when it is turned down."""

import asyncio

import pytest

from fleet.testing.waiting import until
from gateway.body import LARGE
from gateway.data.client import PIPELINED
from tests.gateway_upstream import (
    CHUNKED,
    JSON,
    STREAM,
    End,
    chunk,
    completes,
    event,
    head,
    says,
    upstream,
    whole,
)
from tests.unit.gateway.data.gate import AUTHORIZED, PATH, Wire, ask, chat, gate, get, raw

PAGE = get("/healthz")
OPEN_STREAM = head(200, STREAM, CHUNKED)
MUCH = 4 * 2**20
"""Bytes that no socket's buffers hold."""


async def refused(wire: Wire) -> tuple[int, str]:
    """Read the answer that ends a connection."""
    answer = await wire.answer()
    assert answer.headers["connection"] == "close"
    assert answer.headers["content-type"] == "application/json"
    assert answer.json["error"].keys() == {"message", "type", "param", "code"}
    assert await wire.closed()
    return answer.status, answer.code


@pytest.mark.parametrize(
    "message",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"HELO there\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nno colon\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        raw(PATH, AUTHORIZED, "content-length: 3", "content-length: 4"),
        raw(PATH, AUTHORIZED, "content-length: 3", "content-length: 3"),
        raw(PATH, AUTHORIZED, "content-length: +3"),
        raw(PATH, AUTHORIZED, "transfer-encoding: chunked", "content-length: 3"),
        raw(PATH, AUTHORIZED, "transfer-encoding: gzip, chunked"),
        raw(PATH, AUTHORIZED, "transfer-encoding: xchunked"),
        raw(PATH, AUTHORIZED, "transfer-encoding : chunked"),
        b"POST /v1/x HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /healthz HTTP/1.1\nhost: a\n\n",
        b"GET /healthz HTTP/1.1\r\nhost: a\nx: b\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nx: a\r\n b\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nx: a\rb\r\n\r\n",
        b"GET /healthz\r\n\r\n",
        raw(PATH, AUTHORIZED, "transfer-encoding: chunked") + b"2\nhi\n0\n\n",
        raw(PATH, AUTHORIZED, "content-length: 3", "transfer-encoding: chunked"),
        raw(PATH, AUTHORIZED, "transfer-encoding: chunked") + b"zz\r\n",
        raw("/healthz", "connection: upgrade", "upgrade: websocket", method="GET"),
    ],
)
async def test_what_is_not_http_is_told_so_and_closed(message: bytes) -> None:
    async with upstream() as only, gate(only) as gateway:
        wire = await gateway.connect()
        wire.send(message)
        assert await refused(wire) == (400, "malformed_request")
        assert not only.requests


async def test_what_came_before_nonsense_is_answered_first() -> None:
    async with upstream() as only, gate(only) as gateway:
        wire = await gateway.connect()
        wire.send(chat(), b"nonsense\r\n\r\n", PAGE)
        assert (await wire.answer()).status == 200
        assert await refused(wire) == (400, "malformed_request")


async def test_a_head_that_does_not_end_is_cut_short() -> None:
    async with gate() as gateway:
        wire = await gateway.connect()
        wire.send(b"GET / HTTP/1.1\r\nx-long: ", b"x" * 600_000)
        assert await refused(wire) == (431, "headers_too_large")


async def test_a_body_before_a_head_does_not_count_as_head() -> None:
    large = ask(PATH, model="none", messages=["x" * 100_000])
    async with gate() as gateway:
        gateway.route()
        wire = await gateway.connect()
        await wire.send_whole(large + PAGE[:10])
        assert (await wire.answer()).status == 404
        wire.send(PAGE[10:])
        assert (await wire.answer()).status == 200


@pytest.mark.parametrize(
    "message",
    [
        raw(PATH, AUTHORIZED, "content-length: 1001"),
        raw(PATH, AUTHORIZED, CHUNKED) + chunk(b"x" * 501) * 2,
    ],
    ids=["announced", "in chunks"],
)
async def test_a_body_that_is_too_large_is_refused_before_it_is_read(message: bytes) -> None:
    async with upstream() as only, gate(only, body_bytes=1000) as gateway:
        wire = await gateway.connect()
        wire.send(message)
        assert await refused(wire) == (413, "request_too_large")
        assert not only.requests


async def test_a_client_that_is_still_sending_reads_why_it_is_refused() -> None:
    async with gate(body_bytes=1000) as gateway:
        wire = await gateway.connect()
        wire.send(raw(PATH, AUTHORIZED, "content-length: 8000000"), b"x" * 8_000_000)
        assert await refused(wire) == (413, "request_too_large")


async def test_a_body_that_is_too_large_waits_for_the_answers_before_it() -> None:
    go = asyncio.Event()
    async with upstream(completes(pause_after=go)) as only, gate(only, body_bytes=1000) as gateway:
        wire = await gateway.connect()
        wire.send(chat(), raw(PATH, AUTHORIZED, CHUNKED), chunk(b"x" * 501) * 2, b"0\r\n\r\n")
        await until(lambda: only.requests)
        go.set()
        assert (await wire.answer()).status == 200
        assert await refused(wire) == (413, "request_too_large")


@pytest.mark.parametrize("cut", [1, 7, 1000])
async def test_a_body_in_chunks_goes_on_whole(cut: int) -> None:
    body = chat().partition(b"\r\n\r\n")[2]
    parts = [chunk(body[at : at + cut]) for at in range(0, len(body), cut)]
    async with upstream() as only, gate(only) as gateway:
        wire = await gateway.connect()
        wire.send(raw(PATH, AUTHORIZED, CHUNKED), *parts, b"0\r\n\r\n")
        assert (await wire.answer()).status == 200
        assert only.requests[0].body == body
        assert only.requests[0].headers["content-length"] == str(len(body))
        assert "transfer-encoding" not in only.requests[0].headers


async def test_who_asks_for_leave_to_send_gets_it() -> None:
    headers, _, body = chat("expect: 100-continue").partition(b"\r\n\r\n")
    async with upstream() as only, gate(only) as gateway:
        wire = await gateway.connect()
        wire.send(headers, b"\r\n\r\n")
        assert await wire.head() == (100, {})
        assert not only.requests
        wire.send(body)
        assert (await wire.answer()).status == 200
        assert "expect" not in only.requests[0].headers


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (("expect: 100-continue",), (401, "invalid_api_key")),
        (("expect: 100-continue", "content-length: 1001", AUTHORIZED), (413, "request_too_large")),
        (("expect: the-unexpected", AUTHORIZED), (417, "expectation_failed")),
    ],
)
async def test_who_asks_for_leave_to_send_may_be_refused_it(
    lines: tuple[str, ...], reason: tuple[int, str]
) -> None:
    async with gate(body_bytes=1000) as gateway:
        wire = await gateway.connect()
        wire.send(raw(PATH, *lines))
        assert await refused(wire) == reason


async def test_requests_that_come_at_once_are_answered_in_their_order() -> None:
    async with upstream() as only, gate(only) as gateway:
        wire = await gateway.connect()
        wire.send(chat(), PAGE, chat(model="none"), chat(), PAGE)
        answers = [await wire.answer() for _ in range(5)]
    assert [answer.status for answer in answers] == [200, 200, 404, 200, 200]
    assert [answer.body == b"ok\n" for answer in answers] == [False, True, False, False, True]


async def test_a_great_many_requests_that_come_at_once_are_all_answered() -> None:
    many = 5000
    async with upstream() as only, gate(only) as gateway:
        wire = await gateway.connect()
        wire.send(chat(), PAGE * many)
        assert (await wire.answer()).status == 200
        for _ in range(many):
            assert (await wire.answer()).status == 200


async def test_who_asks_more_than_is_answered_is_not_read_any_further() -> None:
    go = asyncio.Event()
    async with upstream(completes(pause_after=go)) as only, gate(only) as gateway:
        wire = await gateway.connect()
        wire.send(chat() * (PIPELINED + 1))
        connection = await gateway.connection()
        await until(lambda: len(connection._pending) == PIPELINED)
        wire.send(PAGE * (MUCH // len(PAGE)))
        await until(lambda: only.requests)
        assert len(connection._pending) == PIPELINED
        go.set()
        for _ in range(PIPELINED + 1):
            assert b"hello" in (await wire.answer()).body
        assert (await wire.answer()).body == b"ok\n"


async def test_who_does_not_read_its_answers_is_not_read_any_further() -> None:
    async with gate() as gateway:
        wire = await gateway.connect()
        wire.send(PAGE * (MUCH // len(PAGE)))
        connection = await gateway.connection()
        await until(lambda: connection._full)
        assert connection._transport is not None
        assert connection._transport.get_write_buffer_size() < 2**20


async def test_who_reads_its_answers_late_gets_them_all() -> None:
    many = 5000
    async with gate() as gateway:
        wire = await gateway.connect()
        wire.send(PAGE * many)
        connection = await gateway.connection()
        await until(lambda: connection._full)
        for _ in range(many):
            answer = await wire.answer()
            assert answer.body == b"ok\n"


@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
async def test_a_connection_ends_when_its_client_says_so(version: str) -> None:
    line = () if version == "HTTP/1.0" else ("connection: close",)
    async with gate() as gateway:
        wire = await gateway.connect()
        answer = await wire.ask(get("/healthz", *line).replace(b"HTTP/1.1", version.encode()))
        assert answer.headers["connection"] == "close"
        assert await wire.closed()


async def test_a_connection_outlives_its_requests() -> None:
    async with upstream() as only, gate(only) as gateway:
        wire = await gateway.connect()
        for message in (chat(), chat(stream=True), chat(model="none"), PAGE):
            answer = await wire.ask(message)
            assert answer.headers.get("connection") != "close"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/v1/models", "/metrics", "/-/load"])
async def test_a_head_request_gets_what_a_get_would_without_the_body(path: str) -> None:
    async with gate() as gateway:
        gateway.route()
        wire = await gateway.connect()
        got = await wire.ask(get(path))
        wire.send(get(path, method="HEAD"))
        status, headers = await wire.head()
        assert (status, headers) == (got.status, got.headers)
        assert (await wire.ask(PAGE)).body == b"ok\n"


@pytest.mark.parametrize(
    ("sent", "seconds", "status"),
    [
        (b"", 16, None),
        (PAGE, 76, None),
        (b"GET / HT", 16, 408),
        (raw(PATH, AUTHORIZED, "content-length: 9"), 31, 408),
    ],
    ids=["nothing", "nothing more", "half a head", "no body"],
)
async def test_silence_ends_a_connection(sent: bytes, seconds: float, status: int | None) -> None:
    async with gate() as gateway:
        wire = await gateway.connect()
        if sent == PAGE:
            await wire.ask(PAGE)
        elif sent:
            wire.send(sent)
            connection = await gateway.connection()
            await until(lambda: connection._reader.busy)
        await gateway.connection()
        gateway.pass_time(seconds - 2)
        assert gateway.intake.connections
        gateway.pass_time(2)
        if status:
            assert await refused(wire) == (status, "request_timeout")
        else:
            assert await wire.closed()


async def test_a_head_and_a_body_that_dribble_are_cut_by_a_deadline() -> None:
    body = raw(PATH, AUTHORIZED, "content-length: 9000")
    for first, most in ((b"GET / HTTP/1.1\r\nx-a:", 15), (body, 31)):
        async with gate() as gateway:
            wire = await gateway.connect()
            wire.send(first)
            connection = await gateway.connection()
            await until(lambda: connection._reader.busy)  # noqa: B023
            for _ in range(most // 5):
                gateway.pass_time(5)
                wire.send(b"x")
            gateway.pass_time(5)
            assert await refused(wire) == (408, "request_timeout")


async def test_a_client_that_was_refused_and_stays_is_closed_after_a_while() -> None:
    async with gate() as gateway:
        wire = await gateway.connect()
        wire.send(b"nonsense\r\n\r\n")
        await wire.answer()
        assert len(gateway.intake.connections) == 1
        gateway.pass_time(3)
        await until(lambda: not gateway.intake.connections)


async def test_the_time_of_an_answer_is_not_silence() -> None:
    go = asyncio.Event()
    async with upstream(completes(pause_after=go)) as only, gate(only) as gateway:
        wire = await gateway.connect()
        wire.send(chat())
        await until(lambda: only.requests)
        gateway.pass_time(100)
        go.set()
        assert (await wire.answer()).status == 200
        gateway.pass_time(70)
        assert (await wire.ask(PAGE)).status == 200


async def test_a_drained_gateway_ends_what_it_began_and_takes_nothing_new() -> None:
    go = asyncio.Event()
    async with upstream(completes(pause_after=go)) as only, gate(only) as gateway:
        busy, idle = await gateway.connect(), await gateway.connect()
        await idle.ask(PAGE)
        busy.send(chat(stream=True))
        _, headers = await busy.head()
        assert "connection" not in headers
        gateway.intake.drain(1)
        assert (await idle.ask(get("/readyz"))).status == 503
        assert await idle.closed()
        gateway.pass_time(2)
        go.set()
        assert (await busy.chunks()).endswith(b"[DONE]\n\n")
        assert await busy.closed()
        await gateway.intake.empty()


async def test_a_drained_gateway_closes_who_asks_nothing_more() -> None:
    async with gate() as gateway:
        wire, mute = await gateway.connect(), await gateway.connect()
        await wire.ask(PAGE)
        await until(lambda: len(gateway.intake.connections) == 2)
        gateway.intake.drain(1)
        gateway.pass_time(1.5)
        assert await wire.closed()
        late = await gateway.connect()
        await until(lambda: len(gateway.intake.connections) == 2)
        gateway.pass_time(2)
        assert await mute.closed()
        assert (await late.ask(PAGE)).status == 200
        assert await late.closed()
        mute_too = await gateway.connect()
        await until(lambda: gateway.intake.connections)
        gateway.pass_time(3.5)
        assert await mute_too.closed()


@pytest.mark.parametrize("large", ["", "x" * LARGE], ids=["", "with a large body"])
async def test_a_client_that_reads_slowly_holds_its_upstream_back(large: str) -> None:
    part = b"x" * (MUCH // 16)
    fault = says(head(200, JSON, f"content-length: {MUCH}"), *[part] * 16)
    async with upstream(fault) as only, gate(only) as gateway:
        wire = await gateway.connect()
        wire.send(chat(user=large))
        connection = await gateway.connection()
        await until(lambda: connection._full)
        assert connection._transport is not None
        assert connection._transport.get_write_buffer_size() < MUCH // 2
        assert only.open == 1
        answer = await wire.answer()
        assert answer.whole
        assert len(answer.body) == MUCH


async def test_a_client_that_reads_nothing_is_let_go_and_its_endpoint_is_not_blamed() -> None:
    fault = says(head(200, JSON, f"content-length: {2 * MUCH}"), b"x" * MUCH, End.SILENCE)
    async with upstream(fault) as only, gate(only) as gateway:
        wire = await gateway.connect()
        wire.send(chat())
        connection = await gateway.connection()
        await until(lambda: connection._full)
        gateway.pass_time(121)
        await until(lambda: not gateway.intake.connections)
        await until(lambda: only.abandoned == 1)
        assert not gateway.plane.metrics.errors
        assert not (await wire.answer()).whole


async def test_a_client_that_leaves_without_having_read_takes_its_request_with_it() -> None:
    fault = says(head(200, JSON, f"content-length: {2 * MUCH}"), b"x" * MUCH, End.SILENCE)
    async with upstream(fault) as only, gate(only) as gateway:
        wire = await gateway.connect()
        wire.send(chat())
        connection = await gateway.connection()
        await until(lambda: connection._full)
        await wire.leave()
        await until(lambda: only.abandoned == 1)


@pytest.mark.parametrize(("line", "seconds"), [("connection: close", 121), ("accept: */*", 76)])
async def test_a_whole_answer_that_nobody_fetches_is_dropped_in_the_end(
    line: str, seconds: float
) -> None:
    body = b"x" * (MUCH // 2)
    async with upstream(says(whole(200, body, JSON))) as only, gate(only) as gateway:
        wire = await gateway.connect()
        wire.send(chat(line))
        connection = await gateway.connection()
        await until(lambda: connection._full)
        connection.resume_writing()
        await until(lambda: not gateway.plane.active)
        connection.pause_writing()
        gateway.pass_time(seconds - 2)
        assert gateway.intake.connections
        gateway.pass_time(2)
        await until(lambda: not gateway.intake.connections)


async def test_a_slow_client_that_reads_on_has_its_time_anew() -> None:
    fault = says(
        OPEN_STREAM, chunk(b"data: " + b"x" * MUCH + b"\n\n"), chunk(event("last")), End.SILENCE
    )
    async with upstream(fault) as only, gate(only) as gateway:
        wire = await gateway.connect()
        wire.send(chat(stream=True))
        connection = await gateway.connection()
        await until(lambda: connection._full)
        gateway.pass_time(100)
        await wire.head()
        while b"last" not in await wire.chunk():
            pass
        gateway.pass_time(100)
        assert gateway.plane.active
        assert only.abandoned == 0
