"""How long an answer may be waited for: learned from those before it, for each kind of request."""

from collections import deque
from collections.abc import Container
from functools import lru_cache
from typing import Final, NamedTuple

from gateway.policy.timing import Limits
from gateway.policy.tokens import Expected

SAMPLES = 100
LEAST = 8
"""Samples below which nothing is known."""
FACTOR = 8.0
"""Times the wait that one in a hundred exceeds: what takes longer is not slow but stuck."""
FIRST_FLOOR = 1.0
PAUSE_FLOOR = 5.0
"""More than before the first byte: an answer that is out already cannot be asked for again."""
STREAM, WHOLE = -1, 0
"""Kinds of answers; a whole one whose length is limited is of a kind above."""
KINDS = 12
UNIT = 1024
"""Bytes of the shortest prompts, and tokens of the shortest limits times 16."""


def magnitude(number: int) -> int:
    """Sort numbers by powers of four."""
    return (number.bit_length() + 1) >> 1


def kind(tokens: int) -> int:
    """Tell which whole answers take about as long, by the most that they may be."""
    return min(KINDS, magnitude(tokens >> 4) + 1) if tokens > 0 else WHOLE


class Wanted(NamedTuple):
    """What answer a request asks for."""

    kind: int
    most: int = 0
    """Tokens that it may have; 0 where nobody said."""


@lru_cache(maxsize=1024)
def streamed(most: int) -> Wanted:
    return Wanted(STREAM, most)


@lru_cache(maxsize=1024)
def whole(most: int) -> Wanted:
    return Wanted(kind(most), most)


ANY: Final = whole(0)


class Learned:
    """The last waits, and the limit that follows: eight times their 99th percentile."""

    __slots__ = ("_floor", "_second", "_waits", "limit")

    def __init__(self, unknown: float, floor: float) -> None:
        self.limit = unknown
        self._floor = floor
        self._waits: deque[float] = deque(maxlen=SAMPLES)
        self._second = 0.0
        """The second longest, on which the limit rests: others come and go without a change."""

    def took(self, seconds: float) -> None:
        waits, second = self._waits, self._second
        rests = len(waits) < SAMPLES or waits[0] >= second
        waits.append(seconds)
        if rests or seconds > second:
            self._learn()

    def cut(self) -> None:
        """Learn that it takes longer: nobody knows how long, hence twice what was allowed."""
        self.took(2 * self.limit)

    def _learn(self) -> None:
        ranked = sorted(self._waits)
        self._second = ranked[-2:][0]
        if len(ranked) >= LEAST:
            highest = ranked[-1] if len(ranked) < SAMPLES else self._second
            self.limit = max(self._floor, FACTOR * highest)


class Patience:
    """For one kind of request of one model."""

    __slots__ = ("expected", "first", "pause")

    def __init__(self, limits: Limits) -> None:
        self.expected = Expected()
        self.first = Learned(limits.first_byte_seconds, FIRST_FLOOR)
        """Until the first byte of content."""
        self.pause = Learned(limits.stall_seconds, PAUSE_FLOOR)
        """The longest pause within a stream."""


class Learning:
    """By model, length of the prompt and kind of the answer."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int, int], Patience] = {}

    def of(self, model: str, size: int, kind: int, limits: Limits) -> Patience:
        """Give what is known of such a request, whose body has `size` bytes."""
        key = (model, magnitude(size // UNIT), kind)
        patience = self._known.get(key)
        if patience is None:
            patience = self._known[key] = Patience(limits)
        return patience

    def keep_only(self, models: Container[str]) -> None:
        self._known = {key: value for key, value in self._known.items() if key[0] in models}
