"""Replicas are divided evenly, the rest to the cheaper, no more than there is room."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.engine.shares import divide, redivide


@pytest.mark.parametrize(
    ("replicas", "room", "shares"),
    [
        (6, [9, 9, 9], [2, 2, 2]),
        (7, [9, 9, 9], [3, 2, 2]),
        (8, [9, 9, 9], [3, 3, 2]),
        (7, [1, 9, 2], [1, 4, 2]),
        (7, [1, 1, 1], [1, 1, 1]),
        (1, [9, 9], [1, 0]),
        (0, [9, 9], [0, 0]),
        (3, [], []),
    ],
)
def test_each_gets_an_even_share_as_far_as_there_is_room(
    replicas: int, room: list[int], shares: list[int]
) -> None:
    assert divide(replicas, room, [0] * len(room)) == shares


@pytest.mark.parametrize(
    ("replicas", "held", "shares"),
    [
        (6, [4, 0], [4, 2]),
        (6, [3, 2], [3, 3]),
        (4, [4, 0], [2, 2]),
        (4, [3, 0], [3, 1]),
        (4, [2, 2], [2, 2]),
        (2, [4, 0], [1, 1]),
        (2, [3, 1], [1, 1]),
    ],
)
def test_what_is_served_stays_if_then_everybody_gets_a_share(
    replicas: int, held: list[int], shares: list[int]
) -> None:
    assert redivide(replicas, [9] * len(held), held) == shares


@given(
    places=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=6),
    replicas=st.integers(0, 30),
)
def test_no_replica_is_lost_none_too_many_and_none_without_room(
    places: list[tuple[int, int]], replicas: int
) -> None:
    room = [max(pair) for pair in places]
    held = [min(pair) for pair in places]
    shares = redivide(replicas, room, held)
    assert sum(shares) == min(replicas, sum(room))
    assert all(0 <= share <= most for share, most in zip(shares, room, strict=True))


@given(room=st.lists(st.integers(0, 9), min_size=1, max_size=6), replicas=st.integers(0, 30))
def test_nobody_has_two_more_than_another_who_has_room(room: list[int], replicas: int) -> None:
    shares = divide(replicas, room, [0] * len(room))
    least = min((s for s, most in zip(shares, room, strict=True) if s < most), default=replicas)
    assert all(share <= least + 1 for share in shares)
