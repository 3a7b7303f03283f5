"""What a rollout's times say of the members and of what was between them."""

import pytest

from benchmarks.members import Span
from benchmarks.rollout_times import gaps, own, slots


@pytest.mark.parametrize(("clusters", "expected"), [(1, 1), (3, 1), (5, 2), (15, 7)])
def test_half_of_a_stage_is_rounded_down_but_one_at_least(clusters: int, expected: int) -> None:
    assert slots(clusters, 50) == expected


def test_members_alone_follow_upon_each_other_in_as_many_slots() -> None:
    four = [Span(10, 12), Span(10, 11), Span(13, 14), Span(14, 17)]
    assert own([four, [Span(20, 25)], []], 50) == 2 + 3 + 5


def test_a_gap_is_from_a_free_slot_and_in_a_new_stage_from_the_end_of_the_last() -> None:
    four = [Span(10, 12), Span(10, 11), Span(13, 14), Span(14, 17)]
    two = [Span(18, 19), Span(21, 22)]
    assert list(gaps([four, [], two], 50)) == [13 - 11, 14 - 12, 18 - 17, 21 - 19]
