"""A status that is old in a moment waits for a moment, and a large one as its size says."""

import pytest

from fleet.api.cluster import InternalMemberClusterStatus
from fleet.api.objects import Key
from hub.pace import (
    LARGE_BYTES,
    LONGEST_LOOK_SECONDS,
    LONGEST_SECONDS,
    MADE_PER_SECOND,
    SHORTEST_SECONDS,
    UNSETTLED_SECONDS,
    WRITTEN_PER_SECOND,
    StatusPace,
)

A, B = Key("demo", "a"), Key("demo", "b")
SMALL = InternalMemberClusterStatus(region="centralus")
LARGE = InternalMemberClusterStatus(region="x" * LARGE_BYTES)


class Watch:
    def __init__(self) -> None:
        self.seconds = 100.0
        self.pace = StatusPace(monotonic=lambda: self.seconds)


def test_a_settled_status_is_written_at_once() -> None:
    watch = Watch()
    assert watch.pace.wait(A, SMALL) == 0
    assert watch.pace.wait(A, SMALL) == 0


def test_an_unsettled_status_waits_once_however_often_it_changes() -> None:
    watch = Watch()
    assert watch.pace.wait(A, SMALL, settled=False) == pytest.approx(UNSETTLED_SECONDS)
    watch.seconds += 0.75 * UNSETTLED_SECONDS
    assert 0 < watch.pace.wait(A, SMALL, settled=False) < UNSETTLED_SECONDS / 2
    watch.seconds += UNSETTLED_SECONDS
    assert watch.pace.wait(A, SMALL, settled=False) == 0
    assert watch.pace.wait(A, SMALL, settled=False) == pytest.approx(UNSETTLED_SECONDS)


def test_a_status_that_came_true_by_itself_lets_the_next_wait_anew() -> None:
    watch = Watch()
    watch.pace.wait(A, SMALL, settled=False)
    assert watch.pace.wait(A, None) == 0
    watch.seconds += 2 * UNSETTLED_SECONDS
    assert watch.pace.wait(A, SMALL, settled=False) == pytest.approx(UNSETTLED_SECONDS)


@pytest.mark.parametrize(
    ("size", "seconds"),
    [
        (LARGE_BYTES, SHORTEST_SECONDS),
        (3 * WRITTEN_PER_SECOND, 3.0),
        (100 * WRITTEN_PER_SECOND, LONGEST_SECONDS),
    ],
)
def test_after_a_large_status_the_next_waits_as_long_as_its_size_says(
    size: int, seconds: float
) -> None:
    watch, status = Watch(), InternalMemberClusterStatus(region="x" * size)
    assert watch.pace.wait(A, status) == 0
    watch.seconds += seconds / 4
    assert watch.pace.wait(A, status) == pytest.approx(seconds * 3 / 4, rel=0.01)
    watch.seconds += seconds
    assert watch.pace.wait(A, status) == 0


def test_no_size_holds_news_back() -> None:
    watch = Watch()
    watch.pace.wait(A, LARGE)
    assert watch.pace.wait(A, LARGE, news=True) == 0
    assert watch.pace.wait(A, LARGE) == SHORTEST_SECONDS


def test_objects_do_not_wait_for_each_other() -> None:
    watch = Watch()
    assert watch.pace.wait(A, LARGE) == 0
    assert watch.pace.wait(B, LARGE) == 0


def test_what_is_forgotten_begins_anew() -> None:
    watch = Watch()
    watch.pace.wait(A, LARGE)
    watch.pace.wait(A, SMALL, settled=False)
    watch.pace.forget(A)
    assert watch.pace.wait(A, LARGE) == 0


@pytest.mark.parametrize(
    ("size", "seconds"),
    [(MADE_PER_SECOND // 2, 0.5), (100 * MADE_PER_SECOND, LONGEST_LOOK_SECONDS)],
)
def test_a_large_status_is_not_made_more_often_than_its_size_says(
    size: int, seconds: float
) -> None:
    watch, status = Watch(), InternalMemberClusterStatus(region="x" * size)
    watch.pace.wait(A, SMALL)
    assert watch.pace.rest(A) == 0
    watch.pace.wait(A, status)
    for _ in range(3):
        assert watch.pace.rest(A) == pytest.approx(seconds, rel=0.01)
        assert watch.pace.rest(B) == 0
        watch.seconds += seconds * 1.01
        assert watch.pace.rest(A) == 0
        watch.pace.wait(A, status)
