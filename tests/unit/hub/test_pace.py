"""A status that is old in a moment waits for a moment, and a large one for a second."""

import pytest

from fleet.api.cluster import InternalMemberClusterStatus
from fleet.api.objects import Key
from hub.pace import LARGE_BYTES, LARGE_SECONDS, UNSETTLED_SECONDS, StatusPace

A, B = Key("demo", "a"), Key("demo", "b")
SMALL = InternalMemberClusterStatus(region="centralus")
LARGE = InternalMemberClusterStatus(region="x" * LARGE_BYTES)


class Watch:
    def __init__(self) -> None:
        self.seconds = 100.0
        self.pace = StatusPace(monotonic=lambda: self.seconds)


def test_a_settled_status_is_written_at_once() -> None:
    watch = Watch()
    assert watch.pace.wait(A, SMALL, settled=True) == 0
    assert watch.pace.wait(A, SMALL, settled=True) == 0


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
    assert watch.pace.wait(A, None, settled=True) == 0
    watch.seconds += 2 * UNSETTLED_SECONDS
    assert watch.pace.wait(A, SMALL, settled=False) == pytest.approx(UNSETTLED_SECONDS)


def test_a_large_status_is_written_once_a_second() -> None:
    watch = Watch()
    assert watch.pace.wait(A, LARGE, settled=True) == 0
    watch.seconds += 0.25
    assert watch.pace.wait(A, LARGE, settled=True) == LARGE_SECONDS - 0.25
    assert watch.pace.wait(A, SMALL, settled=True) == 0
    watch.seconds += LARGE_SECONDS
    assert watch.pace.wait(A, LARGE, settled=True) == 0


def test_objects_do_not_wait_for_each_other() -> None:
    watch = Watch()
    assert watch.pace.wait(A, LARGE, settled=True) == 0
    assert watch.pace.wait(B, LARGE, settled=True) == 0


def test_what_is_forgotten_begins_anew() -> None:
    watch = Watch()
    watch.pace.wait(A, LARGE, settled=True)
    watch.pace.wait(A, SMALL, settled=False)
    watch.pace.forget(A)
    assert watch.pace.wait(A, LARGE, settled=True) == 0


def test_after_a_large_status_the_next_need_not_be_made_for_a_second() -> None:
    watch = Watch()
    assert watch.pace.rest(A) == 0
    watch.pace.wait(A, SMALL, settled=True)
    assert watch.pace.rest(A) == 0
    watch.pace.wait(A, LARGE, settled=True)
    watch.seconds += 0.25
    assert watch.pace.rest(A) == pytest.approx(LARGE_SECONDS - 0.25)
    assert watch.pace.rest(B) == 0
    watch.seconds += LARGE_SECONDS
    assert watch.pace.rest(A) == 0
