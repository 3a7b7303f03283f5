"""The made-up language is the same every time, and a text can be taken up where it was cut."""

import re

from hypothesis import given
from hypothesis import strategies as st

from cli.local.engine.generation import Wish, generate
from cli.local.engine.words import tokens_of, tokens_of_chat

PROMPTS = st.lists(st.integers(0, 100_000), min_size=1, max_size=20)
CHAT = tokens_of_chat([("system", "Be brief."), ("user", "What is a fleet?")])


def text(prompt: list[int], *, limit: int = 100, seed: int = 0) -> str:
    wish = Wish(prompt=prompt, model="phi", limit=limit, seed=seed)
    return "".join(step.text for step in generate(wish))


def test_the_same_prompt_and_seed_give_the_same_text() -> None:
    assert text(CHAT) == text(CHAT)
    assert text(CHAT) != text(CHAT, seed=1)
    assert text(CHAT) != text(tokens_of_chat([("user", "What is a fleet?")]))


def test_an_answer_says_first_that_no_model_is_behind_it() -> None:
    opening = "This is a local stand-in for phi: it holds no weights and makes sentences up."
    assert text(CHAT).startswith(opening)


def test_the_words_are_sentences() -> None:
    steps = generate(Wish(prompt=CHAT, model="phi", limit=400, ignore_eos=True))
    _, *sentences, _ = "".join(step.text for step in steps).split(". ")
    assert len(sentences) > 20
    assert [one for one in sentences if not re.fullmatch(r"[A-Z]\w+( \w+){3,}", one)] == []


@given(prompt=PROMPTS, cut=st.integers(1, 60), seed=st.integers(-(2**63), 2**63 - 1))
def test_a_text_cut_anywhere_goes_on_as_it_would_have(
    prompt: list[int], cut: int, seed: int
) -> None:
    whole = list(generate(Wish(prompt=prompt, model="phi", limit=80, seed=seed)))
    said = whole[:cut]
    if said[-1].finish_reason:
        return
    ids = [step.token for step in said]
    rest = Wish(prompt=[*prompt, *ids], model="phi", limit=80 - len(said), seed=seed)
    assert list(generate(rest)) == whole[cut:]


def test_a_known_word_is_read_as_the_token_that_says_it() -> None:
    steps = generate(Wish(prompt=tokens_of("word"), model="phi", limit=30))
    said = [step for step in steps if step.text]
    assert tokens_of("".join(step.text for step in said)) == [step.token for step in said]
