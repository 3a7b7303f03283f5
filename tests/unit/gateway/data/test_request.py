"""A client's bytes become the same requests, however they are cut on their way."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.data.request import HEAD_BYTES, MalformedError, Request, RequestReader
from gateway.policy import answers
from tests.gateway_upstream import CHUNKED, chunk
from tests.unit.gateway.data.gate import raw

BODY = b'{"model": "llama"}'
MESSAGES = (
    raw("/v1/a?x=1", "authorization: Bearer k", "X-A: 1", "x-b:", body=BODY),
    raw("/v1/b", CHUNKED, "x-modelfleet-service: s/t") + chunk(BODY[:5]) + chunk(BODY[5:]),
    b"0\r\nx-late: 1\r\n\r\n",
    raw("/healthz", "connection: keep-alive", method="GET").replace(b"HTTP/1.1", b"HTTP/1.0"),
    raw("/v1/models", "connection: close", method="GET"),
)
BYTES = b"".join(MESSAGES)


class Desk:
    """Takes what a reader gives out."""

    def __init__(self, body_bytes: int = 100) -> None:
        self.headed: list[Request] = []
        self.ready: list[Request] = []
        self.refusal: answers.Answer | None = None
        self.reader = RequestReader(
            admit=lambda _: self.refusal,
            headed=self.headed.append,
            ready=self.ready.append,
            body_bytes=body_bytes,
        )


@given(st.lists(st.integers(0, len(BYTES)), max_size=8).map(sorted))
def test_requests_are_the_same_however_they_come(cuts: list[int]) -> None:
    desk = Desk()
    for start, end in pairwise([0, *cuts, len(BYTES)]):
        if start < end:
            desk.reader.feed(BYTES[start:end])
    first, second, third, fourth = desk.ready
    assert not desk.reader.busy
    assert not desk.headed
    assert (first.method, first.target, first.path) == (b"POST", b"/v1/a?x=1", b"/v1/a")
    assert b"".join(first.lines) == b"X-A: 1\r\nx-b: \r\n"
    assert [request.body for request in desk.ready] == [BODY, BODY, b"", b""]
    assert first.authorization == b"Bearer k"
    assert (second.service, second.lines) == (b"s/t", [])
    assert (third.old, third.keep_alive) == (True, True)
    assert (fourth.old, fourth.keep_alive) == (False, False)
    assert first.keep_alive


@given(st.integers(1, len(MESSAGES[0]) - 1))
def test_a_request_that_has_begun_keeps_its_reader_busy(end: int) -> None:
    desk = Desk()
    desk.reader.feed(MESSAGES[0][:end])
    assert desk.reader.busy is (b"/" in MESSAGES[0][:end])
    assert not desk.ready


@pytest.mark.parametrize(
    ("length", "fits"), [(0, True), (99, True), (100, True), (101, False), (10**18, False)]
)
def test_a_length_is_judged_before_its_body_comes(length: int, *, fits: bool) -> None:
    desk = Desk()
    desk.reader.feed(raw("/v1/a", f"content-length: {length}"))
    assert [request.refusal for request in desk.headed] == ([] if fits else [answers.TOO_LARGE])


def test_a_body_of_a_refused_request_is_not_kept() -> None:
    desk = Desk()
    desk.refusal = answers.UNAUTHORIZED
    desk.reader.feed(raw("/v1/a", body=BODY))
    assert [request.refusal for request in desk.headed] == [answers.UNAUTHORIZED]
    assert [request.body for request in desk.ready] == [b""]


def test_chunks_are_counted_for_each_request_anew() -> None:
    desk = Desk(body_bytes=30)
    message = raw("/v1/b", CHUNKED) + chunk(BODY) + b"0\r\n\r\n"
    desk.reader.feed(message * 3)
    assert [request.body for request in desk.ready] == [BODY] * 3
    assert not desk.headed


@pytest.mark.parametrize(
    "first", [b"GET / HTTP/1.1\r\n", b"GET /", b"GET / HTTP/1.1\r\nx-a: 1\r\n"]
)
def test_a_head_may_be_long_but_not_longer(first: bytes) -> None:
    desk = Desk()
    desk.reader.feed(first)
    part = b"x" * (HEAD_BYTES // 2)
    desk.reader.feed(part)
    desk.reader.feed(part)
    with pytest.raises(MalformedError) as caught:
        desk.reader.feed(b"x")
    assert caught.value.answer is answers.HEAD_TOO_LARGE


def test_a_body_as_long_as_it_likes_is_no_head() -> None:
    desk = Desk(body_bytes=10 * HEAD_BYTES)
    body = b"x" * 9 * HEAD_BYTES
    message = raw("/v1/a", body=body)
    desk.reader.feed(message + message[:20])
    desk.reader.feed(message[20:])
    assert [request.body for request in desk.ready] == [body, body]
