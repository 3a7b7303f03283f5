"""Answers say how many tokens they took, in the ways of three APIs."""

import json

import pytest

from gateway.sse import Events
from gateway.usage import LOOKED_AT, near_end, of_answer
from tests.gateway_upstream import DONE, event

OPENAI = {"prompt_tokens": 7, "total_tokens": 10, "completion_tokens": 3}
NEWER = {"input_tokens": 5, "input_tokens_details": {"cached_tokens": 9}, "output_tokens": 2}
LONG = "x" * LOOKED_AT


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"text": "hi", "usage": OPENAI}, (7, 3)),
        ({"text": LONG, "usage": OPENAI, "more": None}, (7, 3)),
        ({"usage": NEWER}, (5, 2)),
        ({"text": LONG, "usage": NEWER}, (5, 2)),
        ({"text": 'say "usage": {"prompt_tokens": 9}'}, (0, 0)),
        ({"text": LONG + '"usage": {"prompt_tokens": 9}'}, (0, 0)),
        ({"usage": OPENAI, "text": LONG}, (0, 0)),
        ({"usage": None}, (0, 0)),
        ({"usage": {"prompt_tokens": "7"}}, (0, 0)),
        ({"usage": {"prompt_tokens": 8, "completion_tokens": None}}, (8, 0)),
        ([], (0, 0)),
    ],
)
def test_a_whole_answer_tells_its_tokens(body: object, expected: tuple[int, int]) -> None:
    usage = of_answer(json.dumps(body).encode())
    assert (usage.prompt, usage.answer) == expected


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'"usage"', b'"usage":{"prompt_tokens":}'])
def test_what_is_no_answer_tells_none(body: bytes) -> None:
    assert of_answer(body) == near_end(body)
    assert (of_answer(body).prompt, of_answer(body).answer) == (0, 0)


def test_a_stream_that_tells_nothing_has_a_token_for_each_event() -> None:
    events = Events()
    for part in (event("") + event("one"), event("two"), event("three") + DONE):
        events.feed(part)
    assert (events.usage.prompt, events.usage.answer) == (0, 3)


def test_a_stream_tells_its_tokens_near_its_end() -> None:
    events = Events()
    last = b"data: " + json.dumps({"choices": [], "usage": OPENAI}).encode() + b"\n\n"
    events.feed(event("one") + last + DONE)
    assert (events.usage.prompt, events.usage.answer) == (7, 3)
