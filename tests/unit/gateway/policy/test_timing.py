"""An upstream's Retry-After is read as seconds, whatever it holds."""

import pytest

from gateway.policy.timing import DEFAULT_RETRY_AFTER, retry_after


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"", 0),
        (b"7", 7),
        (b" 1.5 ", 1.5),
        (b"0", 0),
        (b"-3", 0),
        (b"inf", DEFAULT_RETRY_AFTER),
        (b"nan", DEFAULT_RETRY_AFTER),
        (b"soon", DEFAULT_RETRY_AFTER),
        (b"Fri, 07 Aug 2026 23:59:59 GMT", DEFAULT_RETRY_AFTER),
    ],
)
def test_retry_after_is_read(value: bytes, seconds: float) -> None:
    assert retry_after(value) == seconds
