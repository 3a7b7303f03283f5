"""The fleet as columns of numbers: a decision costs much the same for ten clusters or a thousand.

A `Fleet` is kept up to date cluster by cluster; a decision only reads it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from fleet.api.cluster import MemberCluster
from fleet.catalog.catalogue import Catalogue
from fleet.catalog.prices import ON_DEMAND
from fleet.engine import quantity
from fleet.engine.rows import Row, Slot, row_of

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Reals = NDArray[np.float64]
MICRO = 1_000_000
"""Prices are counted in millionths of a dollar: whole numbers add up exactly."""
NO_PRICE = -1


@dataclass(frozen=True, slots=True)
class Stocks:
    """A line for each cluster, in the order of names; a column for each kind of instance."""

    slots: tuple[Slot, ...]
    gpus_per_node: Ints
    """0 where the cluster does not offer the kind."""
    free: Ints
    provisionable: Ints
    sold_out_until: Ints
    """Seconds since 1970; 0 where it is sold."""
    price: Ints
    """Millionths of a dollar an hour for a node, or NO_PRICE."""


class Fleet:
    def __init__(self, catalogue: Catalogue, members: Iterable[MemberCluster] = ()) -> None:
        self.catalogue = catalogue
        self._rows: dict[str, Row] = {}
        self._order: dict[str, int] = {}
        self._stocks: Stocks | None = None
        self._labels: dict[str, NDArray[np.object_]] = {}
        self._properties: dict[str, Reals] = {}
        for member in members:
            self.put(member)

    def __len__(self) -> int:
        return len(self._rows)

    def put(self, member: MemberCluster) -> tuple[Row | None, Row] | None:
        """Take in a cluster; give what was known and what is, or None where nothing changed."""
        old, new = self._rows.get(member.name), row_of(member)
        if old == new:
            return None
        self._rows[new.name] = new
        if old is None:
            self._start_over()
        elif self._stocks is not None:
            self._update(self._stocks, old, new)
        return old, new

    def remove(self, name: str) -> Row | None:
        row = self._rows.pop(name, None)
        if row:
            self._start_over()
        return row

    def row(self, name: str) -> Row | None:
        return self._rows.get(name)

    @property
    def order(self) -> Mapping[str, int]:
        """The line of each cluster; lines follow the names."""
        if len(self._order) != len(self._rows):
            self._order = {name: line for line, name in enumerate(sorted(self._rows))}
        return self._order

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.order)

    def rows(self) -> Iterator[Row]:
        return (self._rows[name] for name in self.order)

    def flags(self, test: Callable[[Row], bool]) -> Flags:
        return np.fromiter(map(test, self.rows()), np.bool_, len(self))

    def label(self, key: str) -> NDArray[np.object_]:
        """The values of a label, None where a cluster has none."""
        if key not in self._labels:
            values = [row.labels.get(key) for row in self.rows()]
            column = np.empty(len(values), np.object_)
            column[:] = values
            self._labels[key] = column
        return self._labels[key]

    def quantities(self, name: str) -> Reals:
        """The values of a property, NaN where a cluster has none that is a quantity."""
        if name not in self._properties:
            values = (_number(row.properties.get(name)) for row in self.rows())
            self._properties[name] = np.fromiter(values, np.float64, len(self))
        return self._properties[name]

    @property
    def stocks(self) -> Stocks:
        if self._stocks is None:
            slots = sorted({slot for row in self._rows.values() for slot in row.stocks})
            self._stocks = _empty(len(self), tuple(slots))
            for line, row in enumerate(self.rows()):
                self._fill(self._stocks, line, row)
        return self._stocks

    def _start_over(self) -> None:
        self._order, self._stocks = {}, None
        self._labels, self._properties = {}, {}

    def _update(self, stocks: Stocks, old: Row, new: Row) -> None:
        if old.labels != new.labels:
            self._labels = {}
        if old.properties != new.properties:
            self._properties = {}
        if not new.stocks.keys() <= set(stocks.slots):
            self._stocks = None
        elif old.stocks != new.stocks or old.region != new.region:
            self._fill(stocks, self.order[new.name], new)

    def _fill(self, stocks: Stocks, line: int, row: Row) -> None:
        for column, slot in enumerate(stocks.slots):
            stock, at = row.stocks.get(slot), (line, column)
            price = price_of(self.catalogue, slot, row.region) if stock else None
            until = stock.sold_out_until if stock else None
            stocks.gpus_per_node[at] = stock.gpus_per_node if stock else 0
            stocks.free[at] = stock.free if stock else 0
            stocks.provisionable[at] = stock.provisionable if stock else 0
            stocks.sold_out_until[at] = int(until.timestamp()) if until else 0
            stocks.price[at] = NO_PRICE if price is None else int(price * MICRO)


def price_of(catalogue: Catalogue, slot: Slot, region: str) -> Decimal | None:
    """US dollars an hour for one instance.

    Where the region's price is not known, the dearest of all regions stands for it: a cluster with
    unknown prices is usable and never wins by them. Spot without a price costs what on-demand does.
    """
    for capacity_type in dict.fromkeys((slot.capacity_type, ON_DEMAND)):
        price = catalogue.price(slot.instance_type, region, capacity_type)
        if price is not None:
            return price
    elsewhere = catalogue.prices.by_capacity.get(ON_DEMAND, {}).get(slot.instance_type, {})
    return max(elsewhere.values(), default=None)


def _number(text: str | None) -> float:
    value = quantity.parse(text) if text else None
    return float("nan") if value is None else float(value)


def _empty(lines: int, slots: tuple[Slot, ...]) -> Stocks:
    def column() -> Ints:
        return np.zeros((lines, len(slots)), np.int64)

    return Stocks(slots, column(), column(), column(), column(), column())
