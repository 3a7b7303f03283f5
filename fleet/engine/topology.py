"""Topology spread: what one cluster more does to the balance among domains (KubeFleet's rules).

A cluster without the label is no part of the spread: it neither violates it nor earns by it.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from fleet.api.placement import TopologySpreadConstraint
from fleet.engine.fleet import Flags, Fleet, Ints

VIOLATION = -1000
"""Points for a cluster that violates a constraint under which anything goes."""


@dataclass(frozen=True, slots=True)
class Spread:
    score: Ints
    violates: Flags
    """Clusters that a constraint forbids."""


def spread(
    constraints: Collection[TopologySpreadConstraint], fleet: Fleet, taken: Collection[str]
) -> Spread:
    """Judge every cluster as the next one beside those that are taken already."""
    score, violates = np.zeros(len(fleet), np.int64), np.zeros(len(fleet), np.bool_)
    for constraint in constraints:
        change, skewed = _effect(constraint, fleet, taken)
        if constraint.when_unsatisfiable == "DoNotSchedule":
            violates |= skewed
            score -= change
        else:
            score += np.where(skewed, VIOLATION, -change)
    return Spread(score, violates)


def _effect(
    constraint: TopologySpreadConstraint, fleet: Fleet, taken: Collection[str]
) -> tuple[Ints, Flags]:
    """Give the change of the skew by each cluster, and whether it ends above the limit."""
    column = fleet.label(constraint.topology_key)
    counts = Counter({value: 0 for value in column if value is not None})
    lines = (fleet.order.get(name) for name in taken)
    counts.update(column[line] for line in lines if line is not None and column[line] is not None)
    after = _skews(counts)
    skew = max(counts.values(), default=0) - min(counts.values(), default=0)
    skews = np.fromiter((after.get(value, skew) for value in column), np.int64, len(column))
    inside = np.fromiter((value is not None for value in column), np.bool_, len(column))
    return skews - skew, (skews > constraint.max_skew) & inside


def _skews(counts: Mapping[str, int]) -> dict[str, int]:
    """Give the skew that one more in each domain would leave."""
    ordered = sorted(counts.values())

    def skew(count: int) -> int:
        least = ordered[0] if count > ordered[0] else min(ordered[1:2], default=count + 1)
        return max(ordered[-1], count + 1) - min(least, count + 1)

    return {domain: skew(count) for domain, count in counts.items()}
