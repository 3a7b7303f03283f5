"""How slowly a request may come in: a client that dribbles holds a place that others need."""

HEAD_SECONDS = 15.0
"""For a whole head, however it comes."""
SILENT_SECONDS = 30.0
"""Without a byte within a body."""
BODY_SECONDS = 30.0
BYTES_PER_SECOND = 8 * 1024
"""What a body has to come by on the whole, after its first seconds: a poor line's speed."""


def deadline(now: float, since: float, *, head: bool, received: int) -> float:
    """Give when a request that began at `since` is given up if nothing more comes."""
    if head:
        return since + HEAD_SECONDS
    return min(now + SILENT_SECONDS, since + BODY_SECONDS + received / BYTES_PER_SECOND)
