"""A request and its answer: retried while nothing is out, ended honestly after."""

import asyncio
import json
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import pytest

from fleet.testing.waiting import until
from gateway.access import AccessLog
from gateway.policy.answers import INTERRUPTED
from gateway.snapshot import Endpoint
from tests.gateway_upstream import (
    CHUNKED,
    DONE,
    JSON,
    STREAM,
    Behaviour,
    End,
    chunk,
    completes,
    event,
    hangs,
    head,
    says,
    turns_away,
    unreachable,
    upstream,
    whole,
)
from tests.unit.gateway.data.gate import (
    KEY,
    MODEL,
    PATH,
    SERVICE,
    chat,
    endpoint,
    gate,
    get,
    raw,
)

OPEN_STREAM = head(200, STREAM, CHUNKED)


async def test_an_answer_comes_through_with_where_it_came_from() -> None:
    async with upstream() as only, gate(only) as gateway:
        answer = await gateway.ask(chat())
    assert answer.status == 200
    assert answer.json["choices"][0]["message"]["content"] == "The fleet says hello."
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-modelfleet-region"] == "r0"
    assert answer.headers["x-modelfleet-attempts"] == "1"


async def test_a_stream_comes_through_event_by_event() -> None:
    rest = asyncio.Event()
    async with upstream(completes(pause_after=rest)) as only, gate(only) as gateway:
        wire = await gateway.connect()
        wire.send(chat(stream=True))
        _, headers = await wire.head()
        first = await wire.chunk()
        rest.set()
        others = await wire.chunks()
    assert headers["content-type"] == "text/event-stream"
    assert b'"The"' in first
    assert first.endswith(b"\n\n")
    assert others.endswith(DONE)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(says(End.CLOSE), id="closed"),
        pytest.param(says(End.RESET), id="reset"),
        pytest.param(says(OPEN_STREAM, End.RESET), id="reset after the head"),
        pytest.param(
            says(OPEN_STREAM, chunk(event("half")[:-5]), End.RESET), id="reset within an event"
        ),
        pytest.param(says(head(200, JSON, "content-length: 9"), b"{", End.CLOSE), id="cut JSON"),
        pytest.param(says(head(200, STREAM), End.CLOSE), id="a stream without an event"),
        pytest.param(says(b"SSH-2.0-OpenSSH\r\n"), id="not HTTP"),
        pytest.param(says(head(101, "upgrade: websocket", "connection: upgrade")), id="upgrade"),
        *(pytest.param(turns_away(status), id=f"{status}") for status in (429, 502, 503, 504)),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_another_endpoint_is_asked_while_nothing_is_out(
    fault: Behaviour, *, stream: bool
) -> None:
    async with upstream(fault) as bad, upstream() as good, gate(bad, good) as gateway:
        answer = await gateway.ask(chat(stream=stream))
        assert answer.status == 200
        assert answer.headers["x-modelfleet-region"] == "r1"
        assert answer.headers["x-modelfleet-attempts"] == "2"
        assert b"hello" in answer.body
        assert b"half" not in answer.body
        assert len(bad.requests) == 1
        assert good.requests[0].body == bad.requests[0].body


async def test_another_endpoint_is_asked_when_nobody_is_there() -> None:
    async with upstream() as bad, upstream() as good, gate(bad, good) as gateway:
        bad.refuse()
        answer = await gateway.ask(chat())
        assert answer.headers["x-modelfleet-region"] == "r1"
        assert not gateway.state().usable(gateway.clock())


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:99999/v1", "http://[::1/v1", "http://a..b/v1", "http:///v1"]
)
async def test_an_address_that_is_none_counts_as_nobody_there(url: str) -> None:
    async with upstream() as good, gate() as gateway:
        gateway.swap([Endpoint("team/0", url), endpoint(good, 1)])
        answer = await gateway.ask(chat())
    assert answer.headers["x-modelfleet-region"] == "r1"


@pytest.mark.parametrize(("attempts", "tried"), [(1, 1), (2, 2), (3, 3)])
async def test_no_more_endpoints_are_asked_than_the_rules_allow(attempts: int, tried: int) -> None:
    async with AsyncExitStack() as stack:
        bad = [await stack.enter_async_context(upstream(turns_away())) for _ in range(4)]
        gateway = await stack.enter_async_context(gate(*bad, attempts=attempts))
        answer = await gateway.ask(chat())
    assert answer.status == 503
    assert answer.headers["x-modelfleet-attempts"] == str(tried)
    assert sum(len(each.requests) for each in bad) == tried


@pytest.mark.parametrize(
    ("lines", "seconds"), [(("retry-after: 17",), "17"), ((), "1")], ids=["kept", "computed"]
)
async def test_when_all_turn_away_the_last_word_is_passed_on_with_a_time_to_come_again(
    lines: tuple[str, ...], seconds: str
) -> None:
    async with (
        upstream(turns_away(503)) as one,
        upstream(turns_away(429, *lines)) as two,
        gate(one, two) as gateway,
    ):
        answer = await gateway.ask(chat())
    assert answer.status == 429
    assert answer.json == {"error": {"message": "busy"}}
    assert answer.headers["retry-after"] == seconds


async def test_an_endpoint_is_left_alone_for_as_long_as_it_asked() -> None:
    async with (
        upstream(turns_away(503, "retry-after: 30")) as busy,
        upstream() as good,
        gate(busy, good) as gateway,
    ):
        for seconds in (0, 29):
            gateway.pass_time(seconds)
            assert (await gateway.ask(chat())).headers["x-modelfleet-region"] == "r1"
        assert len(busy.requests) == 1
        assert not gateway.state().usable(gateway.clock())
        gateway.pass_time(2)
        assert gateway.state().usable(gateway.clock())


async def test_without_anybody_there_the_answer_says_when_to_come_again() -> None:
    async with upstream() as one, upstream() as two, gate(one, two) as gateway:
        one.refuse()
        two.refuse()
        first = await gateway.ask(chat())
        second = await gateway.ask(chat())
    assert (first.status, first.code) == (503, "no_ready_endpoint")
    assert first.json["error"]["message"] == "No endpoint could be reached after 2 tries."
    assert first.headers["retry-after"] == "1"
    assert (second.status, second.code) == (503, "no_ready_endpoint")
    assert second.json["error"]["type"] == "server_error"
    assert SERVICE in second.json["error"]["message"]
    assert second.headers["retry-after"] == "1"


async def test_a_service_without_endpoints_is_not_ready() -> None:
    async with gate() as gateway:
        gateway.route()
        answer = await gateway.ask(chat())
    assert (answer.status, answer.code) == (503, "no_ready_endpoint")


async def test_an_answer_that_nobody_finishes_is_a_bad_gateway() -> None:
    async with upstream(says(End.RESET)) as only, gate(only) as gateway:
        answer = await gateway.ask(chat())
    assert (answer.status, answer.code) == (502, "upstream_failed")
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize("status", [200, 400, 404, 422, 500, 501])
async def test_what_is_not_for_another_endpoint_to_mend_is_passed_on(status: int) -> None:
    said = whole(status, b'{"detail": "as it is"}', JSON, "x-request-id: 7")
    async with upstream(says(said)) as one, upstream() as two, gate(one, two) as gateway:
        answer = await gateway.ask(chat())
    assert (answer.status, answer.body) == (status, b'{"detail": "as it is"}')
    assert answer.headers["x-request-id"] == "7"
    assert "retry-after" not in answer.headers
    assert not two.requests


@pytest.mark.parametrize("how", [End.CLOSE, End.RESET])
async def test_a_stream_that_is_cut_ends_in_an_error_that_its_reader_can_see(how: End) -> None:
    fault = says(OPEN_STREAM, chunk(event("one")), chunk(event("two") + b'data: {"ha'), how)
    async with upstream(fault) as bad, upstream() as good, gate(bad, good) as gateway:
        wire = await gateway.connect()
        answer = await wire.ask(chat(stream=True))
        assert answer.whole
        assert answer.body == event("one") + event("two") + INTERRUPTED
        assert not good.requests
        bad.refuse()
        assert (await wire.ask(chat())).status == 200


async def test_a_stream_that_lost_only_its_last_chunk_is_whole() -> None:
    fault = says(OPEN_STREAM, chunk(event("one")), chunk(DONE), End.RESET)
    async with upstream(fault) as only, gate(only) as gateway:
        answer = await gateway.ask(chat(stream=True))
    assert answer.whole
    assert answer.body == event("one") + DONE


@pytest.mark.parametrize(
    "framing", [CHUNKED, f"content-length: {len(event('one') * 2 + DONE)}", "x-none: 1"]
)
async def test_a_stream_may_be_framed_in_any_way(framing: str) -> None:
    gates = [asyncio.Event(), asyncio.Event()]
    frame = chunk if framing == CHUNKED else bytes
    last = b"0\r\n\r\n" if framing == CHUNKED else b""
    fault = says(
        head(200, STREAM, framing),
        frame(event("one")),
        gates[0],
        frame(event("one")),
        gates[1],
        frame(DONE) + last,
        *([End.CLOSE] if framing == "x-none: 1" else []),
    )
    async with upstream(fault) as one, upstream() as two, gate(one, two) as gateway:
        wire = await gateway.connect()
        wire.send(chat(stream=True))
        await until(lambda: one.requests)
        for opened in gates:
            await until(lambda: gateway.plane.metrics.first_byte)
            opened.set()
        answer = await wire.answer()
    assert answer.whole
    assert answer.body == event("one") * 2 + DONE
    assert not two.requests


async def test_a_stream_that_ends_with_its_connection_but_without_its_last_event_is_cut() -> None:
    fault = says(head(200, STREAM), event("one"), event("two"), End.CLOSE)
    async with upstream(fault) as bad, upstream() as good, gate(bad, good) as gateway:
        answer = await gateway.ask(chat(stream=True))
    assert answer.body == event("one") + event("two") + INTERRUPTED
    assert not good.requests


@pytest.mark.parametrize("framing", [CHUNKED, f"content-length: {3 * 2**20}"])
async def test_a_long_answer_that_is_cut_tears_its_client_s_connection(framing: str) -> None:
    part = b"x" * (2 * 2**20)
    said = chunk(part) if framing == CHUNKED else part
    fault = says(head(200, JSON, framing), said, End.CLOSE)
    async with upstream(fault) as bad, upstream() as good, gate(bad, good) as gateway:
        answer = await gateway.ask(chat())
    assert not answer.whole
    assert not good.requests


async def test_a_body_without_a_length_ends_with_its_connection() -> None:
    async with upstream(says(head(200, JSON), b'{"a": 1}', End.CLOSE)) as only, gate(only) as gate_:
        answer = await gate_.ask(chat())
    assert answer.json == {"a": 1}
    assert answer.headers["content-length"] == "8"


async def test_interim_heads_are_not_the_answer() -> None:
    said = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + whole(200, b"{}", JSON)
    async with upstream(says(said)) as only, gate(only) as gateway:
        answer = await gateway.ask(chat())
    assert (answer.status, answer.body) == (200, b"{}")
    assert "link" not in answer.headers


async def test_an_old_client_gets_a_stream_that_ends_with_its_connection() -> None:
    old = chat(stream=True).replace(b"HTTP/1.1", b"HTTP/1.0")
    async with upstream() as only, gate(only) as gateway:
        answer = await gateway.ask(old)
    assert "transfer-encoding" not in answer.headers
    assert answer.headers["connection"] == "close"
    assert answer.body.endswith(DONE)


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(hangs(), id="before the answer"),
        pytest.param(says(OPEN_STREAM, chunk(event("one")), End.SILENCE), id="within the answer"),
    ],
)
async def test_a_client_that_leaves_takes_its_request_with_it(behaviour: Behaviour) -> None:
    async with upstream(behaviour) as one, upstream() as two, gate(one, two) as gateway:
        wire = await gateway.connect()
        wire.send(chat(stream=True))
        await until(lambda: one.requests)
        assert gateway.state().in_flight == 1
        await wire.leave()
        await until(lambda: one.abandoned == 1)
        assert not gateway.plane.active
        assert gateway.state().in_flight == 0
        assert gateway.state().usable(gateway.clock())
        assert not two.requests


async def test_a_client_that_leaves_while_an_upstream_is_dialled_leaves_nothing() -> None:
    with unreachable() as url:
        async with gate() as gateway:
            gateway.swap([Endpoint("team/0", url)])
            wire = await gateway.connect()
            wire.send(chat())
            await until(lambda: gateway.plane.active)
            await wire.leave()
            await until(lambda: not gateway.plane.active)
            assert gateway.state().in_flight == 0
            assert gateway.state().usable(gateway.clock())


async def test_a_machine_that_does_not_answer_is_left_for_another() -> None:
    with unreachable() as url:
        async with upstream() as good, gate(connect_seconds=0.05) as gateway:
            gateway.swap([Endpoint("team/0", url), endpoint(good, 1)])
            answer = await gateway.ask(chat())
            assert answer.headers["x-modelfleet-region"] == "r1"
            assert not gateway.state().usable(gateway.clock())


async def test_who_says_nothing_in_time_is_left_for_another() -> None:
    async with upstream(hangs()) as one, upstream() as two, gate(one, two) as gateway:
        wire = await gateway.connect()
        wire.send(chat())
        await until(lambda: one.requests)
        gateway.pass_time(119)
        assert not two.requests
        gateway.pass_time(2)
        answer = await wire.answer()
        assert answer.headers["x-modelfleet-region"] == "r1"
        await until(lambda: one.abandoned == 1)
        assert not gateway.state().usable(gateway.clock())


async def test_a_slow_answer_is_waited_for_when_there_is_nobody_else() -> None:
    go = asyncio.Event()
    async with upstream(completes(pause_after=go)) as only, gate(only) as gateway:
        wire = await gateway.connect()
        wire.send(chat())
        await until(lambda: only.requests)
        for _ in range(10):
            gateway.pass_time(130)
        go.set()
        assert (await wire.answer()).status == 200


async def test_nobody_waits_for_ever() -> None:
    async with upstream(hangs()) as only, gate(only) as gateway:
        wire = await gateway.connect()
        wire.send(chat())
        await until(lambda: only.requests)
        gateway.pass_time(1801)
        answer = await wire.answer()
    assert (answer.status, answer.code) == (504, "upstream_timeout")
    assert int(answer.headers["retry-after"]) >= 1


async def test_a_stream_that_stalls_is_cut() -> None:
    fault = says(OPEN_STREAM, chunk(event("one")), End.SILENCE)
    async with upstream(fault) as only, gate(only) as gateway:
        wire = await gateway.connect()
        wire.send(chat(stream=True))
        await wire.head()
        assert await wire.chunk() == event("one")
        gateway.pass_time(119)
        gateway.pass_time(2)
        assert await wire.chunk() == INTERRUPTED
        assert await wire.chunk() == b""
        await until(lambda: only.abandoned == 1)


async def test_what_waits_for_an_endpoint_that_a_probe_finds_gone_goes_elsewhere() -> None:
    async with upstream(hangs()) as one, upstream() as two, gate(one, two) as gateway:
        wire = await gateway.connect()
        wire.send(chat())
        await until(lambda: one.requests)
        gateway.plane.probed({"team/0": False}, gateway.clock())
        assert (await wire.answer()).headers["x-modelfleet-region"] == "r1"


async def test_an_answer_under_way_outlives_a_probe_that_finds_its_endpoint_gone() -> None:
    go = asyncio.Event()
    async with (
        upstream(completes(pause_after=go)) as one,
        upstream() as two,
        gate(one, two) as gateway,
    ):
        wire = await gateway.connect()
        wire.send(chat(stream=True))
        await wire.head()
        await wire.chunk()
        gateway.plane.probed({"team/0": False}, gateway.clock())
        go.set()
        assert (await wire.chunks()).endswith(DONE)
        assert not two.requests


async def test_a_probe_that_finds_the_only_endpoint_gone_takes_nobody_s_hope() -> None:
    go = asyncio.Event()
    async with upstream(completes(pause_after=go)) as only, gate(only) as gateway:
        wire = await gateway.connect()
        wire.send(chat())
        await until(lambda: only.requests)
        gateway.plane.probed({"team/0": False}, gateway.clock())
        go.set()
        assert (await wire.answer()).status == 200


async def test_an_endpoint_is_not_asked_twice_for_one_request() -> None:
    async with (
        upstream(says(End.RESET)) as one,
        upstream(turns_away()) as two,
        gate(one, two) as gateway,
    ):
        answer = await gateway.ask(chat())
    assert answer.status == 503
    assert (len(one.requests), len(two.requests)) == (1, 1)


async def test_simultaneous_requests_spread_over_the_endpoints() -> None:
    async with upstream(hangs()) as one, upstream(hangs()) as two, gate(one, two) as gateway:
        wires = [await gateway.connect() for _ in range(10)]
        for wire in wires:
            wire.send(chat())
        await until(lambda: len(one.requests) + len(two.requests) == 10)
    assert (len(one.requests), len(two.requests)) == (5, 5)


async def test_a_line_is_written_for_each_request_and_holds_no_secret() -> None:
    written = list[bytes]()
    noon = datetime(2030, 1, 1, 12, tzinfo=UTC)
    async with upstream() as one, gate(one) as gateway:
        gateway.plane.access = AccessLog(written.append, lambda: noon)
        await gateway.ask(chat(stream=True))
        await gateway.ask(chat(model="none"))
        await gateway.ask(raw(PATH, "authorization: Bearer other"))
        await gateway.ask(b"nonsense\r\n\r\n")
        await gateway.ask(get("/v1/models"))
        assert not written
        gateway.plane.tick()
    streamed, refused, *others = map(json.loads, b"".join(written).splitlines())
    assert [(each["status"], each["path"], each.get("code")) for each in others] == [
        ("401", PATH, "invalid_api_key"),
        ("400", "", "malformed_request"),
        ("200", "/v1/models", None),
    ]
    assert refused == {
        "time": "2030-01-01T12:00:00.000+00:00",
        "path": PATH,
        "status": "404",
        "seconds": 0.0,
        "code": "model_not_found",
    }
    assert streamed.pop("requestBytes") > 0
    assert streamed == {
        "time": refused["time"],
        "path": PATH,
        "status": "200",
        "seconds": 0.0,
        "model": MODEL,
        "region": "r0",
        "upstream": "team/0",
        "attempts": 1,
        "stream": True,
        "firstSeconds": 0.0,
        "answerTokens": 4,
    }
    assert KEY.encode() not in b"".join(written)
