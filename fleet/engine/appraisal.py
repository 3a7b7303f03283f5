"""What all demands of a placement take and earn in each cluster."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fleet.api.binding import Allocation
from fleet.api.placement import Scoring
from fleet.api.snapshot import Demand
from fleet.engine.ask import Ask
from fleet.engine.columns import Flags, Ints
from fleet.engine.fleet import Fleet
from fleet.engine.market import Market
from fleet.engine.offers import Quote, after, most, quote, terms_of, why_not


@dataclass(frozen=True, slots=True)
class Appraisal:
    """Every array has one value for each cluster."""

    quotes: tuple[Quote, ...]
    markets: tuple[Market, ...]
    """What each quote found."""
    found: Flags
    """Whether the cluster can take all demands, or one replica at least of a divided one."""
    whole: Flags
    """Whether it can take an even share of a divided demand; else the same as `found`."""
    most: Ints
    """Replicas of a divided demand that it could take."""

    @property
    def points(self) -> Ints:
        total: Ints = np.sum([given.points for given in self.quotes], axis=0)
        return total

    @property
    def cost(self) -> Ints:
        total: Ints = np.sum([given.cost for given in self.quotes], axis=0)
        return total

    def parts(self, line: int) -> Mapping[str, int]:
        price = sum(int(given.price_points[line]) for given in self.quotes)
        headroom = sum(int(given.headroom_points[line]) for given in self.quotes)
        return {"price": price, "headroom": headroom}

    def allocations(self, line: int) -> tuple[Allocation, ...]:
        return tuple(given.allocation(line) for given in self.quotes)

    def why_not(self, line: int) -> str:
        """Say what keeps the first demand that finds no room out of a cluster."""
        pairs = zip(self.quotes, self.markets, strict=True)
        reasons = (why_not(given, market, line) for given, market in pairs if not given.found[line])
        return next(reasons, "")

    def divided(self, shares: Mapping[int, int]) -> "Appraisal":
        """Appraise again with the shares that clusters have got, by their lines."""
        replicas = self.quotes[0].replicas.copy()
        for line, share in shares.items():
            replicas[line] = share
        given = quote(self.quotes[0].terms, replicas, self.markets[0])
        return Appraisal((given,), self.markets, self.found, self.whole, self.most)


def appraise(ask: Ask, fleet: Fleet, market: Market) -> Appraisal | None:
    """Price the demands in every cluster; None where the placement is not scored by them."""
    if ask.scoring is None:
        return None
    if ask.split is not None:
        return _divided(ask.split, ask.scoring, ask.limit or 1, fleet, market)
    return _together(ask.demands, ask.scoring, fleet, market)


def _together(
    demands: Sequence[Demand], scoring: Scoring, fleet: Fleet, market: Market
) -> Appraisal:
    """The largest first: what remains must do for the others."""
    quotes, markets = [], []
    for demand in sorted(demands, key=_weight, reverse=True):
        replicas = np.full(len(fleet), demand.replicas, np.int64)
        given = quote(terms_of(demand, scoring, fleet), replicas, market)
        quotes.append(given)
        markets.append(market)
        market = after(market, given)
    found = np.logical_and.reduce([given.found for given in quotes])
    return Appraisal(tuple(quotes), tuple(markets), found, found, np.zeros(len(fleet), np.int64))


def _weight(demand: Demand) -> tuple[float, str, str, str]:
    return float(demand.weights_gib), demand.kind, demand.namespace, demand.name


def _divided(
    demand: Demand, scoring: Scoring, clusters: int, fleet: Fleet, market: Market
) -> Appraisal:
    terms = terms_of(demand, scoring, fleet)
    even = max(1, demand.replicas // clusters)
    room = most(terms, market)
    given = quote(terms, np.where(room >= even, even, 1), market)
    return Appraisal((given,), (market,), given.found, given.found & (room >= even), room)
