"""What makes requests alike, so that an engine which has the beginning cached gets the rest."""

from gateway.policy.narrow import digest

PROMPTS = (b'"messages"', b'"prompt"', b'"input"', b'"system"')


def prefix(body: bytes, size: int) -> int:
    """Give the key of a prompt's head: the next turn of a conversation begins as the last one."""
    starts = [at for at in map(body.find, PROMPTS) if at >= 0]
    return digest(body[min(starts) : min(starts) + size]) if starts else 0


def session(value: bytes) -> int:
    """Give the key of what a client calls its session."""
    return digest(value) if value else 0


def passed(value: bytes) -> int:
    """Read the key that another gateway found."""
    try:
        return int(value, 16) & ((1 << 64) - 1)
    except ValueError:
        return 0
