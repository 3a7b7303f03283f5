"""What a request will take is learned from those before it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.tokens import A_BYTE, AN_ANSWER, MOST, Expected


@pytest.mark.parametrize(
    ("size", "most", "tokens"),
    [
        (0, 0, AN_ANSWER),
        (4000, 0, 4000 * A_BYTE + AN_ANSWER),
        (4000, 20, 4000 * A_BYTE + 20),
        (4000, 100_000, 4000 * A_BYTE + AN_ANSWER),
        (4000, -1, 4000 * A_BYTE + AN_ANSWER),
        (4000, 10**30, 4000 * A_BYTE + AN_ANSWER),
    ],
)
def test_a_limit_counts_where_it_is_below_what_is_usual(
    size: int, most: int, tokens: float
) -> None:
    assert Expected().of(size, most) == tokens + 1


@pytest.mark.parametrize(
    ("prompt", "answer", "expected"),
    [
        (600, 900, 1501),
        (600, 0, 601),
        (0, 900, 1000 * A_BYTE + 901),
        (0, 0, 1000 * A_BYTE + AN_ANSWER + 1),
        (MOST, MOST, 1000 * A_BYTE + AN_ANSWER + 1),
    ],
    ids=["both", "no answer, as an embedding", "an answer alone", "nothing", "nonsense"],
)
def test_answers_teach_what_prompts_and_answers_have(
    prompt: int, answer: int, expected: float
) -> None:
    known = Expected()
    for _ in range(300):
        known.took(1000, prompt, answer)
    assert known.of(1000, 0) == pytest.approx(expected, rel=0.01)
    known.took(0, prompt, answer)


@given(
    st.lists(st.tuples(st.integers(0, 10**8), st.integers(0, 10**15), st.integers(0, 10**15))),
    st.integers(0, 10**8),
    st.integers(-(10**15), 10**15),
)
def test_whatever_answers_say_a_request_takes_something(
    told: list[tuple[int, int, int]], size: int, most: int
) -> None:
    known = Expected()
    for bytes_, prompt, answer in told:
        known.took(bytes_, prompt, answer)
    assert known.of(size, most) >= 1
