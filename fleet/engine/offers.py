"""What a share of a demand takes and costs in each cluster: the best kind of instance there."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from fleet.api.binding import Allocation
from fleet.api.placement import Scoring
from fleet.api.snapshot import Demand
from fleet.catalog.prices import SPOT
from fleet.engine.columns import Flags, Ints
from fleet.engine.fit import Misfit, Size, sizes
from fleet.engine.fleet import MICRO, NO_PRICE, Fleet, Stocks
from fleet.engine.market import Market
from fleet.engine.rows import Slot

HEADROOM_GPUS = 20
"""GPUs left over beyond these earn no more."""
NEVER = np.iinfo(np.int64).min
PRICELESS = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Terms:
    """One demand against the kinds of instances of a fleet."""

    demand: Demand
    scoring: Scoring
    stocks: Stocks
    sizes: tuple[Size | Misfit, ...]
    """Of a replica, by kind of instance."""

    @property
    def nodes(self) -> Ints:
        """Nodes of a replica, by kind of instance; 0 where it does not fit."""
        counts = [size.nodes if isinstance(size, Size) else 0 for size in self.sizes]
        return np.array(counts, np.int64)

    @property
    def limit(self) -> int:
        """Millionths of a dollar an hour that the demand may cost on one cluster."""
        limit = self.scoring.limits.usd_per_hour
        return PRICELESS if limit is None else int(limit * MICRO)

    @property
    def possible(self) -> Flags:
        """Where a kind is offered, priced, and holds a replica."""
        offered = (self.stocks.gpus_per_node > 0) & (self.stocks.price != NO_PRICE)
        possible: Flags = offered & (self.nodes > 0)
        return possible


@dataclass(frozen=True, slots=True)
class Quote:
    """The best kind of instance for some replicas of a demand, by cluster."""

    terms: Terms
    replicas: Ints
    found: Flags
    column: Ints
    price_points: Ints
    headroom_points: Ints
    cost: Ints
    """Millionths of a dollar an hour, of what is there already too."""

    @property
    def points(self) -> Ints:
        return self.price_points + self.headroom_points

    def allocation(self, line: int) -> Allocation:
        column = int(self.column[line])
        size, stocks = self.terms.sizes[column], self.terms.stocks
        if isinstance(size, Misfit):
            raise TypeError(size.reason)
        demand, slot = self.terms.demand, stocks.slots[column]
        replicas = int(self.replicas[line])
        micro = int(stocks.price[line, column]) * size.nodes * replicas
        return Allocation(
            kind=demand.kind,
            namespace=demand.namespace,
            name=demand.name,
            instance_type=slot.instance_type,
            capacity_type=slot.capacity_type,
            replicas=replicas,
            nodes_per_replica=size.nodes,
            gpus_per_replica=size.gpus,
            usd_per_hour=Decimal(micro) / MICRO,
        )


def terms_of(demand: Demand, scoring: Scoring, fleet: Fleet) -> Terms:
    slots = fleet.stocks.slots
    names = sorted({slot.instance_type for slot in slots})
    by_type = sizes(demand, [sku for name in names if (sku := fleet.catalogue.sku(name))])
    unknown = Misfit("is not in the catalogue")
    found = (_unwanted(demand, s) or by_type.get(s.instance_type, unknown) for s in slots)
    return Terms(demand, scoring, fleet.stocks, tuple(found))


def _unwanted(demand: Demand, slot: Slot) -> Misfit | None:
    """Spot is taken only where it is named: it may go while it serves."""
    wanted, has = demand.capacity_type, slot.capacity_type
    accepted = has == wanted if wanted else has != SPOT
    return None if accepted else Misfit(f"is {has}")


def quote(terms: Terms, replicas: Ints, market: Market) -> Quote:
    """Choose the kind with the most points in each cluster; of equals the cheaper, then by name."""
    if not terms.sizes:
        return _nothing(terms, replicas)
    stocks, weights = terms.stocks, terms.scoring.weights
    need = np.outer(replicas, terms.nodes)
    cost = stocks.price * need
    found = terms.possible & (market.room >= need) & (cost <= terms.limit)
    marginal = stocks.price * np.maximum(0, need - market.free)
    price = -((weights.price * marginal + MICRO // 2) // MICRO)
    left = np.minimum(HEADROOM_GPUS, (market.room - need) * stocks.gpus_per_node)
    headroom = weights.headroom * left
    column = _best(np.where(found, price + headroom, NEVER), np.where(found, cost, PRICELESS))
    at = np.arange(len(column)), column
    return Quote(terms, replicas, found[at], column, price[at], headroom[at], cost[at])


def _nothing(terms: Terms, replicas: Ints) -> Quote:
    """In a fleet without a GPU."""
    none = np.zeros_like(replicas)
    return Quote(terms, replicas, none > 0, none, none, none, none)


def _best(points: Ints, cost: Ints) -> Ints:
    top = points == points.max(axis=1, keepdims=True)
    best: Ints = np.where(top, cost, PRICELESS).argmin(axis=1)
    return best


def most(terms: Terms, market: Market) -> Ints:
    """Count the replicas that each cluster could take, all of one kind of instance."""
    if not terms.sizes:
        return np.zeros(len(market.free), np.int64)
    nodes = np.maximum(1, terms.nodes)
    by_room = market.room // nodes
    by_price = terms.limit // np.maximum(1, terms.stocks.price * nodes)
    counts = np.where(terms.possible, np.minimum(by_room, by_price), 0)
    top: Ints = counts.max(axis=1)
    return top


def after(market: Market, given: Quote) -> Market:
    """Take what a quote takes off the market, in every cluster, for the demand that comes next."""
    lines = np.flatnonzero(given.found)
    columns = given.column[lines]
    need = given.terms.nodes[columns] * given.replicas[lines]
    free, provisionable = market.free.copy(), market.provisionable.copy()
    used = np.minimum(need, free[lines, columns])
    free[lines, columns] -= used
    provisionable[lines, columns] -= need - used
    return Market(free, provisionable)


def why_not(given: Quote, market: Market, line: int) -> str:
    """Say of each kind of instance in a cluster what keeps the demand from it."""
    terms, replicas = given.terms, int(given.replicas[line])
    offered = [int(column) for column in np.flatnonzero(terms.stocks.gpus_per_node[line])]
    wanted = [column for column in offered if not _is_unwanted(terms.sizes[column])]
    reasons = [_why_not(terms, replicas, market, (line, column)) for column in wanted]
    named = " or ".join((*terms.demand.instance_types, *terms.demand.gpu_models))
    nothing = f"has no {named}" if offered and named else "has no GPU nodes"
    who = terms.demand.model or terms.demand.name
    return f"{who}: {'; '.join(reasons) or nothing}"


def _is_unwanted(size: Size | Misfit) -> bool:
    return isinstance(size, Misfit) and size.unwanted


def _why_not(terms: Terms, replicas: int, market: Market, at: tuple[int, int]) -> str:
    slot, size, price = terms.stocks.slots[at[1]], terms.sizes[at[1]], int(terms.stocks.price[at])
    if isinstance(size, Misfit):
        return f"{slot.instance_type} {size.reason}"
    need, room = size.nodes * replicas, int(market.room[at])
    if price == NO_PRICE:
        return f"{slot.instance_type} has no price"
    if room >= need:
        return f"{slot.instance_type} costs ${usd(price * need)}/h, {usd(terms.limit)} is the limit"
    sold_out = int(terms.stocks.sold_out_until[at]) and not room
    has = "is sold out" if sold_out else f"has {room} of {need} nodes"
    return f"{slot.instance_type} {has}"


def usd(micro: int) -> str:
    return f"{Decimal(micro) / MICRO:.2f}"
