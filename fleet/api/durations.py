"""Lengths of time as users write them: `90s`, `1h30m`."""

import re
from datetime import timedelta
from typing import Final

PATTERN: Final = r"^(?:(?:0|[1-9][0-9]*)(\.[0-9]+)?(?:s|m|h))+$"
_PART: Final = re.compile(r"([0-9.]+)([smh])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours"}


def duration(text: str) -> timedelta:
    """Read what PATTERN lets pass; none is no time at all."""
    parts = (timedelta(**{_UNITS[unit]: float(n)}) for n, unit in _PART.findall(text))
    return sum(parts, timedelta())


def read(text: str) -> timedelta:
    """Read what a user typed; ValueError says what it should look like."""
    if not re.fullmatch(PATTERN, text):
        raise ValueError(f"`{text}` is no length of time such as 5m or 90s")
    return duration(text)
