"""Which names are written most like one that nobody has."""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

LETTERS = 128
"""Of a name that are compared; a client may send megabytes."""
CLOSE = 0.5
"""Share of pairs of letters that two names must have in common (Dice's coefficient)."""
SHOWN = 3


class Names:
    """Compares by pairs of letters, found by an index: a fleet has thousands of names."""

    def __init__(self, names: Iterable[str]) -> None:
        self._sizes: dict[str, int] = {}
        self._by_pair: dict[str, list[str]] = {}
        for name in sorted(set(names)):
            pairs = _pairs(name)
            self._sizes[name] = len(pairs)
            for pair in pairs:
                self._by_pair.setdefault(pair, []).append(name)

    def nearest(self, name: str) -> tuple[str, ...]:
        """Give the few names that are close, the closest first."""
        pairs = _pairs(name)
        common = Counter(found for pair in pairs for found in self._by_pair.get(pair, ()))
        close = sorted(
            (-likeness, found)
            for found, number in common.items()
            if (likeness := 2 * number / (len(pairs) + self._sizes[found])) >= CLOSE
        )
        return tuple(found for _, found in close[:SHOWN])


def _pairs(name: str) -> frozenset[str]:
    letters = f" {name[:LETTERS].casefold()} "
    return frozenset(first + second for first, second in pairwise(letters))
