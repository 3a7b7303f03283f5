"""One label or property of all clusters, kept up to date cluster by cluster."""

from collections.abc import Iterable
from decimal import Decimal
from math import nan

import numpy as np
from numpy.typing import NDArray

from fleet.engine.quantity import NOTHING, Number, number

Codes = NDArray[np.int64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]
Reals = NDArray[np.float64]
ABSENT = 0
"""The code of a cluster without the label."""


class LabelColumn:
    """A label's values as small numbers: equal values have the same."""

    def __init__(self, values: Iterable[str | None]) -> None:
        self.known: dict[str, int] = {}
        """Code of each value, of those too that no cluster has any more."""
        self.size = 1
        """Codes that were given, with that of absence."""
        self.uses: dict[int, int] = {}
        """Clusters that have a value, by its code: for those that some have."""
        self.codes: Codes = np.fromiter(map(self._code, values), np.int64)
        self._flags: dict[str | None, Flags] = {}
        """The clusters that have a value, for those that were asked for."""

    def put(self, line: int, value: str | None) -> None:
        self._leave(int(self.codes[line]))
        self.codes[line] = self._code(value)
        for asked, flags in self._flags.items():
            flags[line] = asked == value

    def equal(self, value: str | None) -> Flags:
        """Find the clusters that have a value, or with None those that have none."""
        flags = self._flags.get(value)
        if flags is None:
            code = ABSENT if value is None else self.known.get(value, -1)
            flags = self._flags[value] = self.codes == code
        return flags

    def _code(self, value: str | None) -> int:
        if value is None:
            return ABSENT
        code = self.known.setdefault(value, self.size)
        self.size = max(self.size, code + 1)
        self.uses[code] = self.uses.get(code, 0) + 1
        return code

    def _leave(self, code: int) -> None:
        if code != ABSENT:
            self.uses[code] -= 1
            if not self.uses[code]:
                del self.uses[code]


class PropertyColumn:
    """A property's values as numbers, NaN where a cluster has none that is a quantity."""

    def __init__(self, texts: Iterable[str | None]) -> None:
        self._numbers = [_number(text) for text in texts]
        self.near: Reals = np.array([each.near for each in self._numbers], np.float64)
        """The binary numbers next to the values."""
        self.shown: Reals = np.array([each.shown for each in self._numbers], np.float64)
        """The same as Go approximates them."""
        self.inexact = sum(not each.exact for each in self._numbers)
        self.lacking = sum(each is NOTHING for each in self._numbers)
        """Clusters without the property."""
        self._extremes: tuple[float, float] | None = None
        self._places: Reals | None = None

    def put(self, line: int, text: str | None) -> None:
        old, new = self._numbers[line], _number(text)
        self._numbers[line] = new
        self.near[line], self.shown[line] = new.near, new.shown
        self.inexact += old.exact - new.exact
        self.lacking += (new is NOTHING) - (old is NOTHING)
        self._extremes = self._places = None

    def value(self, line: int) -> Decimal:
        return self._numbers[line].value

    @property
    def known(self) -> Flags:
        found: Flags = self.near == self.near
        return found

    @property
    def extremes(self) -> tuple[float, float]:
        """The least and the greatest; NaN where there is none."""
        if self._extremes is None:
            least, most = (each.reduce(self.shown, initial=nan) for each in (np.fmin, np.fmax))
            self._extremes = float(least), float(most)
        return self._extremes

    @property
    def places(self) -> Reals:
        """Where each lies between the least and the greatest, from 0 to 1.

        All are 0 where nothing differs, as they are where nothing is known.
        """
        if self._places is None:
            least, most = self.extremes
            places = np.zeros(len(self.shown))
            if most > least:
                np.divide(self.shown - least, most - least, out=places)
            self._places = places
        return self._places


def _number(text: str | None) -> Number:
    return NOTHING if text is None else number(text)
