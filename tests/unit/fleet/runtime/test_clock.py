"""The clock tells the time as the Kubernetes API keeps it."""

from datetime import UTC, timedelta

from fleet.runtime import clock


def test_now_is_in_utc_and_to_the_second() -> None:
    before, now = clock.now(), clock.now()
    assert now.tzinfo is UTC
    assert now.microsecond == 0
    assert timedelta(0) <= now - before < timedelta(hours=1)


def test_a_precise_time_differs_from_what_the_api_keeps_by_less_than_a_second() -> None:
    kept, precise = clock.now(), clock.precisely()
    assert precise.tzinfo is UTC
    assert timedelta(0) <= precise - kept < timedelta(hours=1)
    assert any(clock.precisely().microsecond for _ in range(3))
