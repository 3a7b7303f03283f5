"""How long ago something was, as a table says it."""

from datetime import datetime
from typing import Final

NOTHING: Final = "-"
"""In a cell for which there is no value."""
UNITS: Final = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def age(since: datetime | None, now: datetime) -> str:
    """Say how long ago, in the largest unit of which there are two, or the smallest."""
    if since is None:
        return NOTHING
    seconds = max(0, int((now - since).total_seconds()))
    for size, unit in UNITS:
        if seconds >= 2 * size or size == 1:
            return f"{seconds // size}{unit}"
    return NOTHING
