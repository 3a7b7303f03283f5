"""All clusters as a placement sees them: who is filtered out, and how the others compare."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np

from fleet.api.placement import PlacementType
from fleet.engine import affinity
from fleet.engine.appraisal import Appraisal, appraise
from fleet.engine.ask import Ask
from fleet.engine.filters import Filter, filters
from fleet.engine.fleet import Flags, Fleet, Ints
from fleet.engine.ledger import Pending
from fleet.engine.market import market_of
from fleet.engine.topology import Spread, spread
from fleet.engine.verdicts import Ranked, Rejected, Score, Verdict
from fleet.engine.wording import describe


@dataclass(frozen=True, slots=True)
class Field:
    ask: Ask
    fleet: Fleet
    screens: tuple[tuple[Filter, Flags], ...]
    appraisal: Appraisal | None
    affinity: Ints
    kept: Ints
    """1 for each cluster that is in use under an older policy."""

    @property
    def eligible(self) -> Flags:
        """The clusters that no filter rejects and that have room."""
        rejected: Flags = np.logical_or.reduce([flags for _, flags in self.screens])
        return self.appraisal.found & ~rejected if self.appraisal else ~rejected

    def fits(self, cluster: str) -> bool:
        """Whether a cluster could take the demands, whatever else is said of it."""
        line = self.fleet.order.get(cluster)
        return line is not None and (self.appraisal is None or bool(self.appraisal.found[line]))

    def best(self, taken: Collection[str]) -> list[str]:
        """Order the eligible clusters beside those taken, the best first; of equals the last.

        The order is KubeFleet's: topology, affinity, then the inference score and what the whole
        costs, then whether the cluster is in use already.
        """
        balance = self._balance(taken)
        open_to = self.eligible & ~balance.violates
        open_to[[self.fleet.order[name] for name in taken if name in self.fleet.order]] = False
        lines = np.flatnonzero(open_to)
        keys = [lines, self.kept[lines], self.affinity[lines], balance.score[lines]]
        if self.appraisal:
            whole = self.appraisal.whole[lines].astype(np.int64)
            keys[2:2] = [-self.appraisal.cost[lines], self.appraisal.points[lines], whole]
        names = self.fleet.names
        return [names[line] for line in lines[np.lexsort(keys)][::-1]]

    def pick(self, taken: Collection[str], count: int) -> list[str]:
        """Take the best, one after the other where each changes the balance for the next."""
        if not self.ask.policy.topology_spread_constraints:
            return self.best(taken)[:count]
        picked: list[str] = []
        while len(picked) < count and (ordered := self.best([*taken, *picked])):
            picked.append(ordered[0])
        return picked

    def verdict(self, cluster: str, taken: Collection[str] = ()) -> Verdict:
        """Say what was found of a cluster."""
        line, row = self.fleet.order[cluster], self.fleet.row(cluster)
        for screen, rejected in self.screens:
            if row and rejected[line]:
                return Rejected(cluster, screen.name, screen.reason(self.ask, row))
        if self.appraisal and not self.appraisal.found[line]:
            return Rejected(cluster, "gpu-fit", self.appraisal.why_not(line))
        if uneven := self._why_uneven(line, taken):
            return Rejected(cluster, "topology-spread", uneven)
        return self.ranked(cluster, taken)

    def ranked(self, cluster: str, taken: Collection[str] = ()) -> Ranked:
        line = self.fleet.order[cluster]
        allocations = self.appraisal.allocations(line) if self.appraisal else ()
        score = self._score(line, taken)
        reason = describe(score, allocations)
        return Ranked(cluster=cluster, score=score, allocations=allocations, reason=reason)

    def _score(self, line: int, taken: Collection[str]) -> Score | None:
        if self.ask.kind is PlacementType.PICK_FIXED:
            return None
        return Score(
            topology=int(self._balance(taken).score[line]),
            affinity=int(self.affinity[line]),
            parts=self.appraisal.parts(line) if self.appraisal else {},
            kept=int(self.kept[line]),
        )

    def _why_uneven(self, line: int, taken: Collection[str]) -> str:
        for constraint in self.ask.policy.topology_spread_constraints:
            if spread([constraint], self.fleet, taken).violates[line]:
                key, most = constraint.topology_key, constraint.max_skew
                return f"would skew the spread over {key} by more than {most}"
        return ""

    def _balance(self, taken: Collection[str]) -> Spread:
        return spread(self.ask.policy.topology_spread_constraints, self.fleet, taken)


def field_of(ask: Ask, fleet: Fleet, pending: Iterable[Pending]) -> Field:
    scored = ask.kind is PlacementType.PICK_N
    old = frozenset(holding.cluster for holding in ask.in_use if not holding.current)
    return Field(
        ask=ask,
        fleet=fleet,
        screens=tuple((screen, screen.rejects(ask, fleet)) for screen in filters(ask)),
        appraisal=appraise(ask, fleet, market_of(ask, fleet, pending)),
        affinity=affinity.points(ask.policy, fleet) if scored else np.zeros(len(fleet), np.int64),
        kept=fleet.flags(lambda row: row.name in old).astype(np.int64),
    )
