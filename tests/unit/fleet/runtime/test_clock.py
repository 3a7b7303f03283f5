"""The clock tells the time as the Kubernetes API keeps it."""

from datetime import UTC, timedelta

from fleet.runtime import clock


def test_now_is_in_utc_and_to_the_second() -> None:
    before, now = clock.now(), clock.now()
    assert now.tzinfo is UTC
    assert now.microsecond == 0
    assert timedelta(0) <= now - before < timedelta(hours=1)
