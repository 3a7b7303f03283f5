"""Topology spread: what one cluster more does to the balance among domains (KubeFleet's rules).

A cluster without the label is no part of the spread: it neither violates it nor earns by it.
"""

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_
from typing import Final, NamedTuple

import numpy as np

from fleet.engine.columns import ABSENT, Flags, Ints, LabelColumn
from fleet.engine.fleet import Fleet
from fleet.engine.rules import Even

VIOLATION: Final = -1000
"""Points for a cluster that violates a constraint under which anything goes."""


class Spread(NamedTuple):
    score: Ints
    forbidden: tuple[tuple[Even, Flags], ...]
    """By constraint, the clusters that it forbids."""
    violates: Flags
    """Clusters that a constraint forbids."""


def verdict(constraint: Even, counts: Sequence[int], count: int) -> int | None:
    """Give the points for one more in a domain that has `count`; None where that is forbidden.

    `counts` are those of all domains, the least first. The skew only shrinks by filling the one
    domain that has the least, and grows by one more where most are.
    """
    least, most = counts[0], counts[-1]
    change = 1 if count == most else -1 if count == least != counts[1] else 0
    if most - least + change <= constraint.max_skew:
        return -change
    return None if constraint.required else VIOLATION


def taken_by_domain(column: LabelColumn, lines: Iterable[int]) -> dict[int, int]:
    """Count the clusters taken in each domain that some cluster is in, by its code."""
    counts = dict.fromkeys(column.uses, 0)
    for line in lines:
        code = int(column.codes[line])
        if code != ABSENT:
            counts[code] += 1
    return counts


def spread(constraints: Iterable[Even], fleet: Fleet, taken: Iterable[str]) -> Spread:
    """Judge every cluster as the next one beside those that are taken already."""
    score, forbids = np.zeros(len(fleet), np.int64), list[tuple[Even, Flags]]()
    lines = fleet.lines_of(taken)
    for constraint in constraints:
        column = fleet.label(constraint.key)
        counts = taken_by_domain(column, lines)
        ordered = sorted(counts.values())
        found = {count: verdict(constraint, ordered, count) for count in set(ordered)}
        verdicts = [found[counts[code]] if code in counts else 0 for code in range(column.size)]
        points = np.array([each or 0 for each in verdicts], np.int64)
        forbidden = np.array([each is None for each in verdicts], np.bool_)
        score += points[column.codes]
        forbids.append((constraint, forbidden[column.codes]))
    violates = reduce(or_, [flags for _, flags in forbids], fleet.nobody)
    return Spread(score, tuple(forbids), violates)
