"""Requests carry credentials that are renewed once refused; waits that are asked for are kept."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from fleet.kube.answering import Answering
from fleet.kube.errors import ForbiddenError, NotFoundError, NotServedError, TransientError
from fleet.kube.transport import Request, Timeouts
from fleet.runtime.metrics import exposition
from tests.unit.fleet.kube.stage import Answer, always, staged, status, transport

GET = Request("GET", "/api/v1/pods", {"limit": "1"})
WELL = always(lambda: web.Response(body=b"{}"))


@dataclass
class Renewable:
    """A credential that others come after."""

    tokens: list[str]
    renewals: int = 0
    used: list[str] = field(default_factory=list)

    def header(self) -> str:
        return f"Bearer {self.tokens[0]}"

    def renew(self) -> None:
        self.renewals += 1
        if len(self.tokens) > 1:
            self.tokens.pop(0)


def for_token(token: str) -> Answer:
    async def answered(request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {token}":
            return status(401)
        return web.Response(body=b"welcome")

    return answered


async def test_a_request_says_what_it_is_and_who_asks() -> None:
    patch = Request("PATCH", "/api/v1/x", {"force": "true"}, b"[]", "application/json-patch+json")
    async with staged(WELL) as stage, transport(stage.url, Renewable(["abc"])) as line:
        assert await line.send(GET) == b"{}"
        await line.send(patch)
        assert stage.paths() == ["/api/v1/pods?limit=1", "/api/v1/x?force=true"]
        assert stage.said("Authorization") == ["Bearer abc"] * 2
        assert stage.said("Accept") == ["application/json"] * 2
        assert stage.said("Accept-Encoding") == ["identity"] * 2
        assert stage.said("Content-Type")[1] == "application/json-patch+json"
    async with staged(WELL) as stage, transport(stage.url) as line:
        await line.send(GET)
        assert "Authorization" not in stage.asked[0].headers


@pytest.mark.parametrize("code", [200, 404])
async def test_every_answer_tells_what_time_the_server_has(code: int) -> None:
    dated = always(
        lambda: status(code, headers={"Date": "Thu, 01 Jan 2099 12:00:00 GMT"}),
    )
    async with staged(dated) as stage, transport(stage.url) as line:
        with suppress(NotFoundError):
            await line.send(GET)
        assert line.time.now() - datetime(2099, 1, 1, 12, tzinfo=UTC) < timedelta(minutes=1)
        assert line.time.now().year == 2099


async def test_a_server_that_is_back_wakes_who_waits_for_it() -> None:
    times = iter((0.0, 1.0, 60.0))
    async with staged(WELL) as stage, transport(stage.url) as line:
        line.answering = Answering(lambda: next(times))
        await line.send(GET)
        line.answering.lose()
        waiting = asyncio.create_task(line.answering.wait(600))
        await asyncio.sleep(0)
        await line.send(GET)
        await asyncio.wait_for(waiting, 10)


async def test_credentials_that_are_refused_are_renewed_and_tried_once_more() -> None:
    credentials = Renewable(["old", "new"])
    async with staged(for_token("new")) as stage, transport(stage.url, credentials) as line:
        assert await line.send(GET) == b"welcome"
        assert stage.said("Authorization") == ["Bearer old", "Bearer new"]


async def test_credentials_that_stay_the_same_are_not_tried_again() -> None:
    credentials = Renewable(["old"])
    async with staged(for_token("new")) as stage, transport(stage.url, credentials) as line:
        with pytest.raises(ForbiddenError):
            await line.send(GET)
        assert len(stage.asked) == 1


async def test_many_that_are_refused_at_once_renew_once() -> None:
    credentials = Renewable(["old", "new", "newer"])
    async with staged(for_token("new")) as stage, transport(stage.url, credentials) as line:
        answers = await asyncio.gather(*(line.send(GET) for _ in range(8)))
        assert answers == [b"welcome"] * 8
        assert credentials.renewals == 1


async def test_a_watch_is_opened_with_renewed_credentials_too() -> None:
    credentials = Renewable(["old", "new"])
    async with staged(for_token("new")) as stage, transport(stage.url, credentials) as line:
        async with line.stream(GET) as lines:
            assert [each async for each in lines] == []
        assert stage.said("Authorization") == ["Bearer old", "Bearer new"]


async def test_a_server_that_asks_for_a_moment_gets_it() -> None:
    busy = always(lambda: status(429, headers={"Retry-After": "1"}))
    async with staged(busy, WELL) as stage, transport(stage.url) as line:
        assert await line.send(GET) == b"{}"
        assert len(stage.asked) == 2


@pytest.mark.parametrize(
    ("header", "details", "seconds"),
    [
        ("6", {}, 6.0),
        ("", {"details": {"retryAfterSeconds": 60}}, 60.0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", {}, 0.0),
        ("", {}, 0.0),
    ],
)
async def test_who_is_to_wait_for_long_hears_of_it(
    header: str, details: dict[str, object], seconds: float
) -> None:
    busy = always(lambda: status(503, headers={"Retry-After": header}, **details))
    async with staged(busy) as stage, transport(stage.url) as line:
        with pytest.raises(TransientError) as caught:
            await line.send(GET)
        assert (caught.value.retry_after, len(stage.asked)) == (seconds, 1)


async def _cut(request: web.BaseRequest) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def _hang(_: web.BaseRequest) -> web.StreamResponse:
    await asyncio.sleep(3600)
    return web.Response()


async def _half(request: web.BaseRequest) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "100"})
    await response.prepare(request)
    await response.write(b"half")
    return await _cut(request)


@pytest.mark.parametrize("broken", [_cut, _hang, _half])
async def test_a_connection_that_breaks_is_a_passing_failure_that_names_the_server(
    broken: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
) -> None:
    impatient = Timeouts(request=0.2)
    async with staged(broken) as stage, transport(stage.url, timeouts=impatient) as line:
        with pytest.raises(TransientError, match=f"^{stage.url}: ."):
            await line.send(GET)


async def test_a_refusal_is_counted_and_named() -> None:
    refused = Request("OPTIONS", "/nowhere", {})
    unserved = always(lambda: web.Response(status=404, body=b"404 page not found"))
    async with staged(unserved) as stage, transport(stage.url) as line:
        with pytest.raises(NotServedError, match="serves no /nowhere"):
            await line.send(refused)
    assert b'modelfleet_kube_requests_total{code="404",verb="OPTIONS"} ' in exposition()


async def test_a_proxys_page_is_a_passing_failure_too() -> None:
    page = always(lambda: web.Response(status=502, body=b"<html>Bad Gateway</html>"))
    async with staged(page) as stage, transport(stage.url) as line:
        with pytest.raises(TransientError, match="Bad Gateway"):
            await line.send(GET)


def in_pieces(*pieces: bytes) -> Answer:
    async def answered(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
            await asyncio.sleep(0)
        await response.write_eof()
        return response

    return answered


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        ((b"one\ntwo\n",), [b"one", b"two"]),
        ((b"o", b"n", b"e\nt", b"wo\n"), [b"one", b"two"]),
        ((b"one\n", b"cut o"), [b"one"]),
        ((b"\n\none\n",), [b"", b"", b"one"]),
        ((b"a" * 300_000, b"\nb\n"), [b"a" * 300_000, b"b"]),
        ((), []),
    ],
)
async def test_a_watch_gives_whole_lines_of_any_length(
    pieces: tuple[bytes, ...], lines: list[bytes]
) -> None:
    async with (
        staged(in_pieces(*pieces)) as stage,
        transport(stage.url) as line,
        line.stream(GET) as found,
    ):
        assert [each async for each in found] == lines


async def test_a_watch_that_is_not_opened_in_time_is_given_up() -> None:
    impatient = Timeouts(request=0.2)
    async with staged(_hang) as stage, transport(stage.url, timeouts=impatient) as line:
        with pytest.raises(TransientError, match=f"^{stage.url}: ."):
            async with line.stream(GET):
                pytest.fail("nothing was answered")


async def test_a_watch_may_be_silent_for_longer_than_a_request_may_take() -> None:
    async def late(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await asyncio.sleep(0.4)
        await response.write(b"one\n")
        await response.write_eof()
        return response

    impatient = Timeouts(request=0.2)
    async with (
        staged(late) as stage,
        transport(stage.url, timeouts=impatient) as line,
        line.stream(GET) as lines,
    ):
        assert [each async for each in lines] == [b"one"]
