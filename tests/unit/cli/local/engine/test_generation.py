"""A text ends by itself, at its limit, or before a stop string."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.local.engine.generation import Wish, generate
from cli.local.engine.words import EOS, tokens_of_chat

PROMPT = tokens_of_chat([("user", "hello")])
TEXT = "".join(step.text for step in generate(Wish(prompt=PROMPT, model="phi", limit=999)))


@pytest.mark.parametrize(
    ("stops", "end"),
    [
        ((), None),
        (("local",), "local"),
        (("stand-in for",), "stand-in for"),
        (("weights", "a local"), "a local"),
        (("no such words",), None),
    ],
)
def test_the_text_ends_before_the_first_stop_string(
    stops: tuple[str, ...], end: str | None
) -> None:
    steps = list(generate(Wish(prompt=PROMPT, model="phi", limit=999, stops=stops)))
    said = "".join(step.text for step in steps)
    assert said == (TEXT.partition(end)[0] if end else TEXT)
    assert (steps[-1].finish_reason, steps[-1].stop_reason) == ("stop", end)


@given(stop=st.text(alphabet="ailnost -", min_size=1, max_size=6))
def test_no_part_of_a_stop_string_is_ever_said(stop: str) -> None:
    steps = generate(Wish(prompt=PROMPT, model="phi", limit=999, stops=(stop,)))
    assert "".join(step.text for step in steps) == TEXT.partition(stop)[0]


def test_a_limit_is_a_reason_of_its_own_and_loses_no_text() -> None:
    wish = Wish(prompt=PROMPT, model="phi", limit=3, stops=(" a local",))
    steps = list(generate(wish))
    assert "".join(step.text for step in steps) == "This is a"
    assert [step.finish_reason for step in steps] == [None, None, "length"]


def test_a_text_goes_on_where_its_end_is_to_be_ignored() -> None:
    natural = len(list(generate(Wish(prompt=PROMPT, model="phi", limit=999))))
    ignoring = list(generate(Wish(prompt=PROMPT, model="phi", limit=999, ignore_eos=True)))
    atleast = list(generate(Wish(prompt=PROMPT, model="phi", limit=999, least=natural + 5)))
    assert (len(ignoring), ignoring[-1].finish_reason) == (999, "length")
    assert len(atleast) >= natural + 5
    assert EOS not in [step.token for step in ignoring]
