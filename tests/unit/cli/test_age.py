"""How long ago something was, from seconds to days."""

from datetime import UTC, datetime, timedelta

import pytest

from cli.age import age

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "0s"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (7199, "119m"),
        (7200, "2h"),
        (172800, "2d"),
    ],
)
def test_an_age_has_the_largest_unit_that_says_enough(seconds: int, said: str) -> None:
    assert age(NOW - timedelta(seconds=seconds), NOW) == said


def test_what_never_was_has_no_age() -> None:
    assert age(None, NOW) == "-"
