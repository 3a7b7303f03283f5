"""How long to wait for what."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds, where nothing is learned yet: a long prompt may take minutes to its first token."""

    first_byte_seconds: float = 120.0
    """Then another endpoint is asked, if there is one: nothing is cut for nothing."""
    stall_seconds: float = 120.0
    """Without a byte in the midst of an answer; longer than this nothing is waited for."""
    recheck_seconds: float = 1.0
    """Between two looks for another endpoint once a limit is over."""
    total_seconds: float = 1800.0
    """For a first byte where there is nobody else to ask."""


DEFAULT_RETRY_AFTER = 5.0


def retry_after(value: bytes) -> float:
    """Read the header as seconds; 0 where there is none, a guess where it is a date."""
    if not value:
        return 0.0
    try:
        seconds = float(value)
    except ValueError:
        return DEFAULT_RETRY_AFTER
    return max(0.0, seconds) if math.isfinite(seconds) else DEFAULT_RETRY_AFTER
