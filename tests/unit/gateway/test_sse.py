"""A stream of events is passed on whole event by whole event, and its last one is known."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sse import HELD_BYTES, OPENINGS, Events, bare
from tests.unit.gateway.pieces import cut

LINES = st.sampled_from([b"data: {}", b"data: [DONE]", b": ping", b"event: x", b"data: a\\r\\n"])
STREAMS = st.tuples(
    st.sampled_from([b"\n", b"\r\n", b"\r"]), st.lists(st.lists(LINES, min_size=1), max_size=6)
)


@given(STREAMS, st.lists(st.integers(0, 10_000)), st.booleans())
def test_a_stream_comes_out_as_it_went_in_and_only_between_two_events(
    stream: tuple[bytes, list[list[bytes]]], places: list[int], whole: bool
) -> None:
    newline, events = stream
    written = b"".join(newline.join(lines) + 2 * newline for lines in events)
    sent = written if whole else written + b"data: {"
    reader, out = Events(), b""
    for part in cut(sent, places):
        out += reader.feed(part)
        assert out == b"" or out.endswith(2 * newline)
    assert out == written
    assert out + reader.rest() == sent
    assert reader.rest() == b""


def test_an_event_too_long_to_be_held_is_passed_on_in_pieces() -> None:
    reader = Events()
    assert reader.feed(b"data: " + b"x" * HELD_BYTES) == b"data: " + b"x" * HELD_BYTES
    assert reader.feed(b"x\n\ndata: [DO") == b"x\n\n"
    assert reader.feed(b"NE]\n\n") == b"data: [DONE]\n\n"
    assert reader.done


@pytest.mark.parametrize(
    "last",
    [
        b"data: [DONE]\n\n",
        b"data:[DONE]\n\n",
        b"data: {}\n\ndata: [DONE]\n\n",
        b"data: {}\r\n\r\ndata: [DONE]\r\n\r\n",
        b"\n\ndata: [DONE]\n\n\n",
        b'event: message_stop\ndata: {"type": "message_stop"}\n\n',
        b"event: response.completed\r\ndata: {}\r\n\r\n",
        b"event: response.failed\ndata: {}\n\n",
        b"event:response.incomplete\ndata: {}\n\n",
    ],
)
def test_a_stream_is_done_after_its_last_event(last: bytes) -> None:
    reader = Events()
    reader.feed(b"data: {}\n\n")
    assert not reader.done
    assert reader.feed(last) == last
    assert reader.done


@pytest.mark.parametrize(
    "last",
    [
        b"",
        b"data: {}\n\n",
        b'data: {"text": "[DONE]"}\n\n',
        b'data: {"text": "data: [DONE]"}\n\n',
        b"event: message_delta\ndata: {}\n\n",
        b"data: [DONE]\n\ndata: {}\n\n",
        b"data: [DONE",
        b"data: [DONE]",
    ],
)
def test_a_stream_that_was_cut_is_not_done(last: bytes) -> None:
    reader = Events()
    reader.feed(last)
    assert not reader.done


def test_a_writer_may_forget_the_blank_line_at_the_very_end() -> None:
    reader = Events()
    reader.feed(b"data: {}\n\ndata: [DONE]\n")
    assert reader.rest() == b"data: [DONE]\n"
    assert reader.done


def chat(**fields: object) -> bytes:
    choice = {"index": 0, "finish_reason": None, **fields}
    return _data({"object": "chat.completion.chunk", "choices": [choice]})


def _data(fields: object) -> bytes:
    return b"data: " + json.dumps(fields).encode() + b"\n\n"


ROLE = {"role": "assistant", "content": "", "reasoning_content": None}
BARE = (
    b": ping\n\n",
    b"\n\n",
    chat(delta=ROLE),
    chat(delta={}),
    _data({"object": "chat.completion.chunk", "choices": [], "prompt_filter_results": [1]}),
    *(b"event: %b\ndata: {}\n\n" % name for name in OPENINGS),
    b'event: response.created\ndata: {"instructions": [{"content": "Be brief."}]}\n\n',
    b"event:ping\r\ndata: {}\r\n\r\n",
)
TELLING = (
    chat(delta={**ROLE, "content": "Hi"}),
    chat(delta={"tool_calls": [{"index": 0}]}),
    chat(delta={"reasoning_content": "Hm"}),
    chat(delta=ROLE, finish_reason="stop"),
    chat(text="Hi"),
    b"data: [DONE]\n\n",
    b"data: {\n\n",
    _data({"error": {"message": "no"}}),
    _data({"object": "text_completion", "choices": []}),
    b"event: content_block_delta\ndata: {}\n\n",
    b"event: error\ndata: {}\n\n",
    b"retry: 3\n\n",
)


def compact(event: bytes) -> bytes:
    """Write it as engines do that leave out what nobody needs."""
    return event.replace(b": ", b":").replace(b", ", b",")


@pytest.mark.parametrize("event", dict.fromkeys((*BARE, *map(compact, BARE))))
def test_an_opening_shows_nothing(event: bytes) -> None:
    assert bare(event)
    assert bare(BARE[2] + event)
    assert not bare(event + TELLING[0])


@pytest.mark.parametrize("event", dict.fromkeys((*TELLING, *map(compact, TELLING))))
def test_whatever_a_reader_may_show_or_act_upon_is_more_than_an_opening(event: bytes) -> None:
    assert not bare(event)
    assert not bare(BARE[2] + event)
