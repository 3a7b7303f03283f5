"""Who waits for a place, and who is next."""

from collections import deque
from enum import IntEnum
from typing import Generic, TypeVar

T = TypeVar("T")


class Priority(IntEnum):
    """The higher is served first, and is the last to be sent away."""

    LOW = 0
    NORMAL = 1
    HIGH = 2


NAMES = {b"low": Priority.LOW, b"normal": Priority.NORMAL, b"high": Priority.HIGH}


def priority(value: bytes) -> Priority:
    """Read what a client asks for; what nobody knows is normal."""
    return NAMES.get(value.strip().lower(), Priority.NORMAL)


class Line(Generic[T]):
    """One for a service: by priority, then in the order of coming."""

    def __init__(self) -> None:
        self._levels: tuple[deque[T], ...] = tuple(deque() for _ in Priority)

    def __len__(self) -> int:
        return sum(map(len, self._levels))

    def join(self, waiter: T, priority: Priority, length: int) -> T | None:
        """Let one wait; gives who has to go when that makes more than `length`, maybe itself."""
        self._levels[priority].append(waiter)
        if len(self) <= length:
            return None
        return next(level.pop() for level in self._levels if level)

    @property
    def first(self) -> T | None:
        """Who is next."""
        return next((level[0] for level in reversed(self._levels) if level), None)

    def leave(self, waiter: T) -> None:
        for level in self._levels:
            if waiter in level:
                level.remove(waiter)
