"""How soon a status is written: what will be old in a moment waits, and so does what is large."""

from collections.abc import Callable
from dataclasses import dataclass, field

from fleet.api.objects import Key, Model

UNSETTLED_SECONDS = 0.5
"""While a placement moves from stage to stage, each new status would be old when it is written: a
member has most things applied by then."""
LARGE_BYTES = 8_192
WRITTEN_PER_SECOND, MADE_PER_SECOND = 16_384, 131_072
"""Bytes of one large status: the server, and all who watch, handle each version of an object whole;
to make it, and see whether it holds news, costs less."""
SHORTEST_SECONDS, LONGEST_SECONDS = 1.0, 5.0
"""Between two versions of a large status, whatever its size."""
LONGEST_LOOK_SECONDS = 1.0
"""Until a large status is made again, whatever its size."""


@dataclass(slots=True)
class _Large:
    """A status that was large when it was written last."""

    size: int
    made: float
    due: float
    """When the next may be written."""

    @property
    def again(self) -> float:
        """When the next is to be made."""
        return self.made + min(self.size / MADE_PER_SECOND, LONGEST_LOOK_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusPace:
    monotonic: Callable[[], float]
    _unsettled: dict[Key, float] = field(default_factory=dict)
    _large: dict[Key, _Large] = field(default_factory=dict)

    def wait(
        self, key: Key, status: Model | None, *, settled: bool = True, news: bool = False
    ) -> float:
        """Give the seconds to wait; at 0 it is taken as written.

        What people and programs wait for is `news`, which no size holds back.
        """
        now, large = self.monotonic(), self._large.get(key)
        if large:
            large.made = now
        if status is None:
            self._unsettled.pop(key, None)
            return 0.0
        due = now if settled else self._unsettled.setdefault(key, now) + UNSETTLED_SECONDS
        if large and not news:
            due = max(due, large.due)
        if due <= now:
            self._written(key, now, _size(status))
        return max(0.0, due - now)

    def rest(self, key: Key) -> float:
        """Give the seconds in which none is to be made: it would not be written."""
        large = self._large.get(key)
        if large is None:
            return 0.0
        return max(0.0, large.again - self.monotonic())

    def forget(self, key: Key) -> None:
        self._unsettled.pop(key, None)
        self._large.pop(key, None)

    def _written(self, key: Key, now: float, size: int) -> None:
        self._unsettled.pop(key, None)
        self._large.pop(key, None)
        if size > LARGE_BYTES:
            pause = min(max(size / WRITTEN_PER_SECOND, SHORTEST_SECONDS), LONGEST_SECONDS)
            self._large[key] = _Large(size, now, now + pause)


def _size(status: Model) -> int:
    return len(status.model_dump_json(exclude_unset=True, exclude_none=True))
