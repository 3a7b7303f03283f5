"""An API server's answers say what time it has, and our own clock may be wrong."""

import logging
from datetime import UTC, datetime, timedelta

import pytest

from fleet.kube.server_time import ServerTime

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DATE = "Thu, 01 Jan 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("ours", "date", "wrong_by"),
    [
        (0, DATE, 0),
        (4, DATE, 4),
        (-4, DATE, -4),
        (5, DATE, 0),
        (310, DATE, 0),
        (-310, DATE, 0),
        (86_400, DATE, 0),
        (310, "", 310),
        (310, "yesterday", 310),
        (310, "Thu, 01 Jan 2026 13:00:00 +0100", 0),
    ],
)
def test_a_clock_that_is_wrong_by_more_than_seconds_is_put_right(
    ours: int, date: str, wrong_by: int
) -> None:
    time = ServerTime("https://hub", lambda: NOON + timedelta(seconds=ours))
    time.heard(date)
    assert time.now() == NOON + timedelta(seconds=wrong_by)


def test_a_clock_that_is_set_right_is_believed_again_and_each_change_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    wrong = timedelta(seconds=310)
    time = ServerTime("https://hub", lambda: NOON + wrong)
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            time.heard(DATE)
            time.heard("Thu, 01 Jan 2026 12:00:01 GMT")
        wrong = timedelta(seconds=1)
        time.heard(DATE)
    assert time.now() == NOON + wrong
    assert [vars(record)["ahead_seconds"] for record in caplog.records] == [-310, 0]
    assert "set the clocks right" in caplog.messages[0]
