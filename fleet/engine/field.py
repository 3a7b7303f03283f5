"""All clusters as a placement sees them: who is filtered out, and how the others compare."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import repeat
from typing import NamedTuple

import numpy as np

from fleet.api.placement import PlacementType
from fleet.engine.appraisal import Appraisal, appraise
from fleet.engine.ask import Ask
from fleet.engine.columns import Flags, Ints
from fleet.engine.filters import Filter, filters
from fleet.engine.fleet import Fleet
from fleet.engine.ledger import Pending
from fleet.engine.market import market_of
from fleet.engine.picking import Candidates, Pick, merits, pick
from fleet.engine.scorers import AFFINITY, KEPT, SCORERS, Scorer
from fleet.engine.topology import Spread, spread
from fleet.engine.verdicts import NOTHING, Ranked, Rejected, Score, Verdict


class Field(NamedTuple):
    ask: Ask
    fleet: Fleet
    screens: Sequence[tuple[Filter, Flags]]
    """The filters that reject some clusters, in their order, each with those."""
    appraisal: Appraisal | None
    eligible: Flags
    """The clusters that no filter rejects and that have room."""
    levels: Mapping[str, Ints]
    """What clusters earn by the scorers that tell them apart, the highest first."""

    def may_take(self, cluster: str) -> bool:
        """Whether no filter rejects a cluster, and it has room."""
        line = self.fleet.order.get(cluster)
        return line is not None and bool(self.eligible[line])

    def fits(self, cluster: str) -> bool:
        """Whether a cluster could take the demands, whatever else is said of it."""
        line = self.fleet.order.get(cluster)
        return line is not None and (self.appraisal is None or bool(self.appraisal.found[line]))

    def best(self, taken: Collection[str], balance: Spread | None = None) -> list[str]:
        """Order the eligible clusters beside those taken, the best first."""
        merit, open_to = self._merit(), self._open(taken)
        if balance is None:
            picks = pick(Candidates(self.fleet, merit, open_to), (), len(self.fleet))
            return [self.fleet.names[line] for line, _ in picks]
        lines = np.flatnonzero(open_to & ~balance.violates)
        order = np.lexsort((merit[lines], balance.score[lines]))[::-1]
        return [self.fleet.names[line] for line in lines[order].tolist()]

    def pick(self, taken: Collection[str], count: int) -> list[Pick]:
        """Take the best; in KubeFleet's order: topology, then the scorers', then the name.

        Under a spread the clusters of an older policy are preferred for the first pick alone:
        KubeFleet has let go of them all by the next.
        """
        even, first = self.ask.rules.even, list[Pick]()
        candidates = Candidates(self.fleet, self._merit(), self._open(taken), taken)
        if even and KEPT.name in self.levels and self.appraisal is None:
            first = pick(candidates, even, min(1, count))
            before = (*taken, *(self.fleet.names[line] for line, _ in first))
            merit = self._merit(without=KEPT.name)
            candidates = Candidates(self.fleet, merit, self._open(before), before)
        return first + pick(candidates, even, count - len(first))

    def verdict(self, cluster: str, balance: Spread | None = None) -> Verdict:
        """Say what was found of a cluster, as the next one beside those of the balance."""
        row = self.fleet.row(cluster)
        if row is None:
            return Rejected(cluster, "membership", "is no member of the fleet")
        line = self.fleet.order[cluster]
        for screen, rejected in self.screens:
            if rejected[line]:
                return Rejected(cluster, screen.name, screen.reason(self.ask, row))
        if self.appraisal and not self.appraisal.found[line]:
            return Rejected(cluster, "gpu-fit", self.appraisal.why_not(line))
        if balance and balance.violates[line]:
            return Rejected(cluster, "topology-spread", self._why_uneven(line, balance))
        return self.ranked((line, int(balance.score[line]) if balance else 0))[0]

    def ranked(self, *picks: Pick) -> list[Ranked]:
        """Say what clusters take, and with which points."""
        appraisal, names = self.appraisal, self.fleet.names
        lines = [line for line, _ in picks]
        taken = [appraisal.allocations(line) for line in lines] if appraisal else repeat(())
        if self.ask.kind is PlacementType.PICK_FIXED:
            scores: Iterable[Score | None] = repeat(None)
        else:
            parts = [appraisal.parts(line) for line in lines] if appraisal else repeat(NOTHING)
            topology = [points for _, points in picks]
            scores = map(
                Score, topology, self._points(AFFINITY, lines), parts, self._points(KEPT, lines)
            )
        return list(map(Ranked, [names[line] for line in lines], scores, taken))

    def balance(self, taken: Collection[str]) -> Spread | None:
        """Judge every cluster as the next one beside those taken; None where that is no matter."""
        even = self.ask.rules.even
        return spread(even, self.fleet, taken) if even else None

    def _points(self, scorer: Scorer, lines: Sequence[int]) -> Iterable[int]:
        level = self.levels.get(scorer.name)
        return repeat(0) if level is None else level[lines].tolist()

    def _merit(self, without: str = "") -> Ints:
        levels = self.levels
        if without:
            levels = {name: points for name, points in levels.items() if name != without}
        most = self.ask.rules.most_points if AFFINITY.name in levels else None
        return merits(list(levels.values()), self.fleet, most)

    def _open(self, taken: Collection[str]) -> Flags:
        if not taken:
            return self.eligible
        open_to = self.eligible.copy()
        open_to[self.fleet.lines_of(taken)] = False
        return open_to

    def _why_uneven(self, line: int, balance: Spread) -> str:
        even = next(each for each, forbidden in balance.forbidden if forbidden[line])
        return f"would skew the spread over {even.key} by more than {even.max_skew}"


def field_of(ask: Ask, fleet: Fleet, pending: Iterable[Pending]) -> Field:
    screens, rejected = _screened(ask, fleet)
    eligible = ~rejected
    appraisal = appraise(ask, fleet, market_of(ask, fleet, pending)) if ask.scoring else None
    levels = {}
    for each in SCORERS:
        points = each.points(ask, fleet, appraisal)
        if points is not None:
            levels[each.name] = points
    return Field(
        ask=ask,
        fleet=fleet,
        screens=screens,
        appraisal=appraisal,
        eligible=eligible & appraisal.found if appraisal else eligible,
        levels=levels,
    )


def _screened(ask: Ask, fleet: Fleet) -> tuple[list[tuple[Filter, Flags]], Flags]:
    """Ask each filter; give those that reject some clusters, and all that are rejected."""
    screens, rejected = [], fleet.nobody
    for screen in filters(ask):
        flags = screen.rejects(ask, fleet)
        if flags is not None:
            screens.append((screen, flags))
            rejected = rejected | flags if len(screens) > 1 else flags
    return screens, rejected
