"""What may be waited for follows from what was waited for."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.learning import SAMPLES, STREAM, WHOLE, Learned, Learning, kind
from gateway.policy.timing import Limits

LIMITS = Limits(first_byte_seconds=120, stall_seconds=60)


def learned(waits: Sequence[float]) -> Learned:
    made = Learned(120, 1)
    for wait in waits:
        made.took(wait)
    return made


@pytest.mark.parametrize(
    ("waits", "limit"),
    [
        ([], 120),
        ([0.05] * 7, 120),
        ([0.05] * 8, 1),
        ([0.05] * 7 + [3], 24),
        ([0.5] * 8, 4),
        ([20.0] * 8, 160),
        ([0.05] * 99 + [3], 1),
        ([0.05] * 98 + [3] * 2, 24),
        ([3] * 50 + [0.05] * 99, 1),
        ([3] * 50 + [0.05] * 98, 24),
    ],
)
def test_the_limit_is_eight_times_what_one_in_a_hundred_exceeds(
    waits: list[float], limit: float
) -> None:
    assert learned(waits).limit == pytest.approx(limit)


def test_limits_that_cut_grow_until_they_no_longer_do() -> None:
    made = learned([0.05] * SAMPLES)
    limits = []
    for _ in range(6):
        made.cut()
        limits.append(made.limit)
    assert limits[:2] == [1, 16]
    assert limits == sorted(limits)
    assert limits[-1] > 1000


@given(st.lists(st.floats(0, 1000), max_size=3 * SAMPLES))
def test_the_limit_depends_on_the_last_waits_alone(waits: list[float]) -> None:
    last = waits[-SAMPLES:]
    assert learned([7.0] * 300 + waits).limit == learned(([7.0] * 300 + waits)[-SAMPLES:]).limit
    if len(last) >= 8:
        assert learned(last).limit >= 1
        assert learned(last).limit <= max(1, 8 * max(last))


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [(0, WHOLE), (-5, WHOLE), (1, 1), (100, 3), (255, 3), (256, 4), (10**30, 12)],
)
def test_answers_that_take_about_as_long_are_of_one_kind(tokens: int, expected: int) -> None:
    assert kind(tokens) == expected


def test_models_and_lengths_of_prompts_are_learned_apart() -> None:
    learning = Learning()
    known = [
        learning.of(model, size, kind, LIMITS)
        for model in ("a", "b")
        for size in (0, 1024, 10_000_000)
        for kind in (STREAM, WHOLE)
    ]
    assert len(set(map(id, known))) == 12
    assert learning.of("a", 1023, STREAM, LIMITS) is known[0]
    assert (known[0].first.limit, known[0].pause.limit) == (120, 60)
    learning.keep_only({"b"})
    assert learning.of("a", 0, STREAM, LIMITS) is not known[0]
    assert learning.of("b", 0, STREAM, LIMITS) is known[6]
