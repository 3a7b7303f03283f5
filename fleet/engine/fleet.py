"""The fleet as columns of numbers: a decision costs much the same for ten clusters or a thousand.

A `Fleet` is kept up to date cluster by cluster; a decision only reads it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Final

import numpy as np

from fleet.api.cluster import MemberCluster
from fleet.catalog.catalogue import Catalogue
from fleet.catalog.prices import ON_DEMAND
from fleet.engine.columns import Flags, Ints, LabelColumn, PropertyColumn
from fleet.engine.rows import Row, Slot, row_of
from fleet.engine.states import States

COLUMNS: Final = ("order", "names", "nobody", "everybody", "lines", "states", "stocks")
"""What is made anew once a cluster came or went."""
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
        self._start_over()
        for member in members:
            self.put(member)

    def __len__(self) -> int:
        return len(self._rows)

    def put(self, member: MemberCluster) -> tuple[Row | None, Row] | None:
        """Take in a cluster; give what was known and what is, or None where nothing changed."""
        return self.take(row_of(member))

    def take(self, new: Row) -> tuple[Row | None, Row] | None:
        """Do the same with what is known of a cluster, wherever it comes from."""
        old = self._rows.get(new.name)
        if old == new:
            return None
        self._rows[new.name] = new
        if old is None:
            self._start_over()
        else:
            self._update(old, new)
        return old, new

    def remove(self, name: str) -> Row | None:
        row = self._rows.pop(name, None)
        if row:
            self._start_over()
        return row

    def row(self, name: str) -> Row | None:
        return self._rows.get(name)

    @cached_property
    def order(self) -> Mapping[str, int]:
        """The line of each cluster; lines follow the names."""
        return {name: line for line, name in enumerate(self.names)}

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._rows))

    def rows(self) -> list[Row]:
        return [self._rows[name] for name in self.names]

    @cached_property
    def nobody(self) -> Flags:
        return _fixed(np.zeros(len(self), np.bool_))

    @cached_property
    def everybody(self) -> Flags:
        return _fixed(np.ones(len(self), np.bool_))

    @cached_property
    def lines(self) -> Ints:
        return np.arange(len(self))

    @cached_property
    def states(self) -> States:
        return States(self.rows())

    def lines_of(self, names: Iterable[str]) -> list[int]:
        """Find the clusters of these names that there are."""
        return [self.order[name] for name in names if name in self.order]

    def flags(self, names: Iterable[str]) -> Flags | None:
        """Mark the clusters of these names; None where there are none of them."""
        lines = self.lines_of(names)
        if not lines:
            return None
        flags = np.zeros(len(self), np.bool_)
        flags[lines] = True
        return flags

    def without(self, namespace: str) -> Flags:
        """Find the clusters that are known to lack a namespace."""
        return self.states.without(namespace, self.rows())

    def label(self, key: str) -> LabelColumn:
        column = self._labels.get(key)
        if column is None:
            column = LabelColumn(row.labels.get(key) for row in self.rows())
            self._labels[key] = column
        return column

    def property(self, name: str) -> PropertyColumn:
        column = self._properties.get(name)
        if column is None:
            column = PropertyColumn(row.properties.get(name) for row in self.rows())
            self._properties[name] = column
        return column

    @cached_property
    def stocks(self) -> Stocks:
        slots = sorted({slot for row in self._rows.values() for slot in row.stocks})
        stocks = _empty(len(self), tuple(slots))
        for line, row in enumerate(self.rows()):
            self._fill(stocks, line, row)
        return stocks

    def _start_over(self) -> None:
        """Forget every column: clusters come and go far more seldom than they report."""
        self._labels: dict[str, LabelColumn] = {}
        self._properties: dict[str, PropertyColumn] = {}
        for name in COLUMNS:
            vars(self).pop(name, None)

    def _update(self, old: Row, new: Row) -> None:
        line = self.order[new.name]
        if "states" in vars(self):
            self.states.put(line, old, new)
        _put(self._labels, line, old.labels, new.labels)
        _put(self._properties, line, old.properties, new.properties)
        if old.stocks != new.stocks or old.region != new.region:
            self._restock(line, new)

    def _restock(self, line: int, new: Row) -> None:
        stocks: Stocks | None = vars(self).get("stocks")
        if stocks and new.stocks.keys() <= set(stocks.slots):
            self._fill(stocks, line, new)
        else:
            vars(self).pop("stocks", None)

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


def _put(
    columns: Mapping[str, LabelColumn] | Mapping[str, PropertyColumn],
    line: int,
    old: Mapping[str, str],
    new: Mapping[str, str],
) -> None:
    """Enter what changed of one cluster into the columns that are there."""
    if old is new or old == new:
        return
    for name, column in columns.items():
        value = new.get(name)
        if old.get(name) != value:
            column.put(line, value)


def _fixed(flags: Flags) -> Flags:
    flags.flags.writeable = False
    return flags


def _empty(lines: int, slots: tuple[Slot, ...]) -> Stocks:
    def column() -> Ints:
        return np.zeros((lines, len(slots)), np.int64)

    return Stocks(slots, column(), column(), column(), column(), column())
