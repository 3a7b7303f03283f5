"""What each cluster still has for one placement."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from fleet.engine.ask import Ask
from fleet.engine.columns import Ints
from fleet.engine.fleet import Fleet
from fleet.engine.ledger import Pending
from fleet.engine.rows import Owner, Slot


@dataclass(frozen=True, slots=True)
class Market:
    """Whole nodes by cluster and kind of instance."""

    free: Ints
    """That are there: using them costs nothing more."""
    provisionable: Ints

    @property
    def room(self) -> Ints:
        return self.free + self.provisionable


def market_of(ask: Ask, fleet: Fleet, pending: Iterable[Pending]) -> Market:
    """Take off what is sold out or promised to others; give back what is the placement's own."""
    stocks = fleet.stocks
    sold_out = stocks.sold_out_until > int(ask.now.timestamp())
    market = Market(stocks.free.copy(), np.where(sold_out, 0, stocks.provisionable))
    own = (Pending(*held) for held in _held(ask, fleet))
    for at, nodes in _places(own, fleet):
        market.free[at] += nodes
    for at, nodes in _places(pending, fleet):
        _take(market, at, nodes)
    return market


def _places(found: Iterable[Pending], fleet: Fleet) -> Iterator[tuple[tuple[int, int], int]]:
    columns = {slot: column for column, slot in enumerate(fleet.stocks.slots)}
    for nodes in found:
        line, column = fleet.order.get(nodes.cluster), columns.get(nodes.slot)
        if line is not None and column is not None:
            yield (line, column), nodes.nodes


def _held(ask: Ask, fleet: Fleet) -> Iterator[tuple[str, Slot, int]]:
    """List the nodes that the placement's workloads hold already."""
    for holding in ask.holdings:
        row = fleet.row(holding.cluster)
        for allocation in holding.allocations:
            slot = Slot(allocation.instance_type, allocation.capacity_type)
            if row and slot in row.stocks:
                gpus = row.held(slot, Owner.of(allocation))
                yield row.name, slot, gpus // max(1, row.stocks[slot].gpus_per_node)


def _take(market: Market, at: tuple[int, int], nodes: int) -> None:
    free = min(nodes, int(market.free[at]))
    market.free[at] -= free
    market.provisionable[at] = max(0, int(market.provisionable[at]) - (nodes - free))
