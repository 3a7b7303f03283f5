"""A client may be slow, but not hold its place for ever."""

import pytest

from gateway.policy.sending import deadline


@pytest.mark.parametrize(
    ("now", "head", "received", "expected"),
    [
        (100, True, 0, 115),
        (114, True, 0, 115),
        (100, False, 0, 130),
        (129, False, 20, 130),
        (110, False, 8192 * 60, 140),
        (150, False, 8192 * 60, 180),
        (189, False, 8192 * 60, 190),
    ],
    ids=["head", "late head", "body", "dribble", "fast", "steady", "stalled"],
)
def test_a_request_is_given_up_when_it_comes_too_slowly(
    now: float, head: bool, received: int, expected: float
) -> None:
    assert deadline(now, 100, head=head, received=received) == pytest.approx(expected, abs=0.01)
