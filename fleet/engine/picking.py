"""Take the best clusters, one after the other where each changes the balance for the next."""

from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from heapq import heapify, heappop, heappush
from itertools import islice, pairwise
from typing import Final, NamedTuple

import numpy as np

from fleet.engine.columns import Flags, Ints
from fleet.engine.fleet import Fleet
from fleet.engine.rules import Even
from fleet.engine.topology import spread, taken_by_domain, verdict

LINE_BITS: Final = 21
"""Of a cluster's number: for two million of them."""
LINES: Final = (1 << LINE_BITS) - 1
GREATEST: Final = 1 << 20
"""Above all points that are packed into a word beside the line."""
SPAN: Final = GREATEST << (LINE_BITS + 2)
"""Between the merits of one domain and those of the next."""


_SPAN, _LINE_BITS = np.array(SPAN), np.array(LINE_BITS)
"""As arrays, with which numpy reckons sooner."""
NO_DOMAIN: Final = -1
"""Stands for how many are taken of it, where a cluster is in no domain."""


Pick = tuple[int, int]
"""The line of a cluster, and its points for what it did to the balance when it was taken."""


def merits(levels: Sequence[Ints], fleet: Fleet, most: int | None = None) -> Ints:
    """Give each cluster a number, the greater the better; of equals the last by name is best.

    `most` are the points that no cluster can exceed, where that is known.
    """
    if not levels:
        return fleet.lines
    packs = len(levels) == 1 and most is not None and most < GREATEST
    points = levels[0] if packs else _ranks(levels, fleet)
    packed: Ints = (points << _LINE_BITS) | fleet.lines
    return packed


def _ranks(levels: Sequence[Ints], fleet: Fleet) -> Ints:
    ranks = np.empty(len(fleet), np.int64)
    ranks[np.lexsort((fleet.lines, *levels[::-1]))] = fleet.lines
    return ranks


def ordered(merit: Ints, open_to: Flags) -> Ints:
    """Give the lines of the clusters that may be taken, the best first."""
    lines: Ints = np.sort(merit[open_to])[::-1] & LINES
    return lines


class Candidates(NamedTuple):
    """What to take from, and beside what."""

    fleet: Fleet
    merit: Ints
    open_to: Flags
    taken: Collection[str] = ()


def pick(found: Candidates, constraints: Sequence[Even], number: int) -> list[Pick]:
    """Take the best `number`."""
    if number <= 0:
        return []
    if not constraints:
        lines = ordered(found.merit, found.open_to)[:number]
        return [(line, 0) for line in lines.tolist()]
    if len(constraints) == 1:
        return _by_domain(found, constraints[0], number)
    return list(islice(_one_by_one(found, constraints), number))


@dataclass(frozen=True, slots=True)
class _Domains:
    """Clusters by their domain: what is not the best of its domain stands behind that."""

    keys: list[int]
    """The clusters of each domain side by side, the best last."""
    begins: list[int]
    ends: list[int]
    """Where the clusters of a domain that are left begin and end, by its code."""
    counts: dict[int, int]
    """How many are taken of each domain."""
    ordered: list[int]
    """The same, the least first."""
    heaps: dict[int, list[tuple[int, int]]]
    """By how many are taken of them, the domains with a cluster left, the best first: domains of
    which as many are taken earn the same, so that only the best of these competes."""

    def enter(self, code: int, end: int) -> tuple[int, int]:
        """Give the best that is left of a domain, so that the least is the best."""
        return code * SPAN - self.keys[end - 1], code

    def take(self, heap: list[tuple[int, int]]) -> None:
        """Take the best of these domains, and put the next of its domain in its place."""
        code = heappop(heap)[1]
        end = self.ends[code] = self.ends[code] - 1
        count = self.counts.get(code, NO_DOMAIN)
        if count != NO_DOMAIN:
            count = self.counts[code] = count + 1
            self.ordered[bisect_left(self.ordered, count) - 1] = count
        if end > self.begins[code]:
            heappush(self.heaps.setdefault(count, []), self.enter(code, end))


def _domains(found: Candidates, constraint: Even) -> _Domains:
    column = found.fleet.label(constraint.key)
    counts = taken_by_domain(column, found.fleet.lines_of(found.taken))
    keys = (found.merit + column.codes * _SPAN)[found.open_to]
    keys.sort()
    places: list[int] = keys.searchsorted(_borders(column.size)).tolist()
    heaps: dict[int, list[tuple[int, int]]] = {}
    made = _Domains(keys.tolist(), places, places[1:], counts, sorted(counts.values()), heaps)
    for code, (begin, end) in enumerate(pairwise(places)):
        if end > begin:
            heap = heaps.setdefault(counts.get(code, NO_DOMAIN), [])
            heap.append(made.enter(code, end))
    for heap in heaps.values():
        heapify(heap)
    return made


def _by_domain(found: Candidates, constraint: Even, number: int) -> list[Pick]:
    domains, picks = _domains(found, constraint), list[Pick]()
    ordered, heaps = domains.ordered, domains.heaps
    chosen: list[tuple[int, int]] = []
    while len(picks) < number:
        best = None
        for count, heap in heaps.items():
            if heap:
                points = 0 if count < 0 else verdict(constraint, ordered, count)
                if points is not None and (best is None or (points, -heap[0][0]) > best):
                    best, chosen = (points, -heap[0][0]), heap
        if best is None:
            break
        picks.append((best[1] & LINES, best[0]))
        domains.take(chosen)
    return picks


@lru_cache
def _borders(codes: int) -> Ints:
    """Give the keys between the clusters of one domain and those of the next."""
    borders: Ints = np.arange(codes + 1) * SPAN - SPAN // 2
    return borders


def _one_by_one(among: Candidates, constraints: Sequence[Even]) -> Iterator[Pick]:
    """Judge all clusters anew after each."""
    open_to, taken = among.open_to.copy(), list(among.taken)
    while True:
        found = spread(constraints, among.fleet, taken)
        lines = np.flatnonzero(open_to & ~found.violates)
        if not lines.size:
            return
        score = found.score[lines]
        best = lines[score == score.max()]
        line = int(among.merit[best].max()) & LINES
        yield line, int(found.score[line])
        open_to[line] = False
        taken.append(among.fleet.names[line])
