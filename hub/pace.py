"""How soon a status is written: what will be old in a moment waits, and so does what is large."""

from collections.abc import Callable
from dataclasses import dataclass, field

from fleet.api.objects import Key, Model

UNSETTLED_SECONDS = 0.1
"""While a placement moves from stage to stage, each new status would be old when it is written."""
LARGE_BYTES = 16_384
BYTES_PER_SECOND = 32_768
"""The server, and all who watch, handle each version of an object whole."""
LONGEST_SECONDS = 5.0
"""Between two versions, however large they are."""
LOOK_SECONDS = 1.0
"""Until a large status is made again, to see whether it holds news."""


@dataclass(slots=True)
class _Large:
    """When a large status was made last, and when the next one may be written."""

    made: float
    due: float


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
        now, again = self.monotonic(), large.made + LOOK_SECONDS
        return max(0.0, (min(again, large.due) if now < large.due else again) - now)

    def forget(self, key: Key) -> None:
        self._unsettled.pop(key, None)
        self._large.pop(key, None)

    def _written(self, key: Key, now: float, size: int) -> None:
        self._unsettled.pop(key, None)
        self._large.pop(key, None)
        if size > LARGE_BYTES:
            pause = min(size / BYTES_PER_SECOND, LONGEST_SECONDS)
            self._large[key] = _Large(now, now + pause)


def _size(status: Model) -> int:
    return len(status.model_dump_json(exclude_unset=True, exclude_none=True))
