"""An answer's bytes, however they are cut on their way."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.data.reply import HELD_BYTES, Reply
from gateway.data.upstream import Head
from gateway.policy.answers import INTERRUPTED
from tests.gateway_upstream import DONE, event

STREAM = event("one") + b": ping\n\n" + event("two\nlines") + event("three") + DONE
CUTS = st.lists(st.integers(0, len(STREAM)), max_size=6).map(sorted)


def answered(*, stream: bool, length: int | None = None, chunked: bool = True) -> Head:
    head = Head()
    head.status, head.event_stream = 200, stream
    head.length = b"" if length is None else b"%d" % length
    head.encoding = b"chunked" if chunked and length is None else b""
    head.until_close = length is None and not chunked
    return head


def passed(reply: Reply, head: Head, parts: list[bytes], *, complete: bool) -> bytes | None:
    """Give the body that a client has read at the end of these parts; None for a torn one."""
    out = b""
    for number, part in enumerate(parts):
        last = complete and number == len(parts) - 1
        if reply.started:
            out += reply.go_on(part, complete=last)
        elif reply.take(head, part, complete=last):
            out += reply.begin(b"")
    if complete:
        return unframed(out)
    end = reply.cut()
    return None if end is None else unframed(out + end)


def unframed(message: bytes) -> bytes:
    """Read an HTTP message's body as a client does; fails where it is not framed well."""
    head, _, rest = message.partition(b"\r\n\r\n")
    if b"content-length" in head:
        length = int(head.partition(b"content-length: ")[2].split(b"\r\n")[0])
        assert len(rest) == length
        return rest
    if b"transfer-encoding: chunked" not in head:
        return rest
    body = b""
    while True:
        size, _, rest = rest.partition(b"\r\n")
        count = int(size, 16)
        assert rest[count : count + 2] == b"\r\n"
        body, rest = body + rest[:count], rest[count + 2 :]
        if not count:
            assert not rest
            return body


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    return [data[a:b] for a, b in pairwise([0, *cuts, len(data)])]


@given(CUTS, st.sampled_from([None, len(STREAM)]), st.booleans(), st.booleans())
def test_a_stream_is_the_same_however_it_comes(
    cuts: list[int], length: int | None, old: bool, chunked: bool
) -> None:
    head = answered(stream=True, length=length, chunked=chunked)
    assert passed(Reply(old=old), head, split(STREAM, cuts), complete=True) == STREAM


@given(CUTS, st.integers(0, len(STREAM)))
def test_a_stream_that_is_cut_anywhere_ends_between_two_events(cuts: list[int], end: int) -> None:
    reply = Reply(old=False)
    parts = split(STREAM[:end], [cut for cut in cuts if cut <= end])
    body = passed(reply, answered(stream=True), parts, complete=False)
    if not reply.started:
        assert b"\n\n" not in STREAM[:end]
    elif end == len(STREAM):
        assert body == STREAM
    else:
        whole = STREAM[: STREAM.rfind(b"\n\n", 0, end) + 2]
        assert body == whole + INTERRUPTED


@pytest.mark.parametrize(
    ("whole", "tail"),
    [(True, b""), (False, b""), (False, b"data: [DO"), (False, b'data: {"choices')],
)
def test_a_stream_that_ends_with_its_connection_is_whole_if_it_says_so(
    tail: bytes, *, whole: bool
) -> None:
    reply, head = Reply(old=False), answered(stream=True, chunked=False)
    body = event("one") + DONE if whole else event("one")
    assert reply.take(head, body, complete=False)
    broken = [reply.broken]
    out = reply.begin(b"") + reply.go_on(tail, complete=False)
    out += reply.go_on(b"", complete=True)
    assert [*broken, reply.broken] == [False, not whole]
    end = b"" if whole else reply.cut()
    assert end is not None
    assert unframed(out + end) == (body if whole else body + INTERRUPTED)


@pytest.mark.parametrize(
    ("size", "length", "held"),
    [
        (HELD_BYTES, None, True),
        (HELD_BYTES + 1, None, False),
        (HELD_BYTES + 1, 2 * HELD_BYTES, False),
    ],
)
def test_an_answer_is_held_until_it_is_whole_or_too_large(
    size: int, length: int | None, held: bool
) -> None:
    reply, head = Reply(old=False), answered(stream=False, length=length)
    assert reply.take(head, b"x" * size, complete=False) is not held
    assert not reply.started


def test_an_answer_that_is_whole_has_a_length() -> None:
    reply, head = Reply(old=False), answered(stream=False)
    head.lines = [b"x-a", b": ", b"1", b"\r\n"]
    assert reply.take(head, b"ab", complete=True)
    assert reply.begin(b"x-b: 2\r\n") == (
        b"HTTP/1.1 200 OK\r\nx-a: 1\r\nx-b: 2\r\ncontent-length: 2\r\n\r\nab"
    )


@pytest.mark.parametrize(
    ("stream", "old", "length"), [(False, False, None), (True, True, None), (True, False, 900_000)]
)
def test_only_a_stream_in_chunks_can_say_that_it_was_cut(
    length: int | None, *, stream: bool, old: bool
) -> None:
    reply, head = Reply(old=old), answered(stream=stream, length=length)
    assert reply.take(head, event("x" * 2 * HELD_BYTES), complete=False)
    reply.begin(b"")
    assert reply.cut() is None


@pytest.mark.parametrize(("status", "refusal"), [(200, False), (500, False), (503, True)])
def test_a_refusal_is_known_when_it_is_whole(status: int, *, refusal: bool) -> None:
    reply, head = Reply(old=False), answered(stream=True)
    head.status = status
    passed_on = reply.take(head, event("busy"), complete=False)
    assert passed_on is not refusal
    assert not reply.refusal
    reply.take(head, b"", complete=True)
    assert reply.refusal is refusal


def test_a_status_that_nobody_knows_is_passed_on() -> None:
    reply, head = Reply(old=False), answered(stream=False)
    head.status = 599
    reply.take(head, b"", complete=True)
    assert reply.begin(b"").startswith(b"HTTP/1.1 599 \r\n")
