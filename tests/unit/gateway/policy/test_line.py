"""Who waits for a place is served by priority, then in the order of coming."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.line import Line, Priority, priority

PRIORITIES = st.lists(st.sampled_from(Priority), max_size=20)


def drained(line: Line[int]) -> list[int]:
    order = []
    while (first := line.first) is not None:
        order.append(first)
        line.leave(first)
    return order


@given(PRIORITIES)
def test_the_higher_goes_first_and_of_equals_the_one_that_came_first(given: list[Priority]) -> None:
    line = Line[int]()
    for number, each in enumerate(given):
        assert line.join(number, each, 100) is None
    assert drained(line) == sorted(range(len(given)), key=lambda number: -given[number])


@given(PRIORITIES, st.integers(0, 5))
def test_a_full_line_sends_the_last_of_the_lowest_away(given: list[Priority], length: int) -> None:
    line, gone = Line[int](), set[int]()
    for number, each in enumerate(given):
        out = line.join(number, each, length)
        assert (out is None) is (number < length)
        gone |= set() if out is None else {out}
    best = sorted(range(len(given)), key=lambda number: -given[number])
    assert drained(line) == best[:length]
    assert gone == set(best[length:])


def test_one_that_leaves_is_not_served() -> None:
    line = Line[int]()
    for number in range(3):
        line.join(number, Priority.NORMAL, 9)
    line.leave(0)
    line.leave(7)
    assert drained(line) == [1, 2]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"high", Priority.HIGH),
        (b" Low ", Priority.LOW),
        (b"normal", Priority.NORMAL),
        (b"", Priority.NORMAL),
        (b"9", Priority.NORMAL),
    ],
)
def test_a_priority_has_a_name(value: bytes, expected: Priority) -> None:
    assert priority(value) is expected
