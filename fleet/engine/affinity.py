"""Cluster affinity: which clusters a user's terms match, and what they earn by them.

The numbers are KubeFleet's: a preference earns its weight; a sorted property a part of it, by the
place of its value between the least and the greatest of the whole fleet.
"""

from collections.abc import Callable, Mapping
from functools import reduce
from operator import and_, eq, ge, gt, le, lt, ne, or_

import numpy as np

from fleet.api.objects import LabelSelector, LabelSelectorRequirement
from fleet.api.placement import ClusterSelector, ClusterSelectorTerm, Policy, PropertySorter
from fleet.engine import quantity
from fleet.engine.fleet import Flags, Fleet, Ints, Reals

_COMPARE: Mapping[str, Callable[[Reals, float], Flags]] = {
    "Gt": gt,
    "Ge": ge,
    "Eq": eq,
    "Ne": ne,
    "Lt": lt,
    "Le": le,
}


def _never(values: Reals, wanted: float) -> Flags:
    del wanted
    return np.zeros(len(values), np.bool_)


def required(policy: Policy) -> ClusterSelector | None:
    affinity = policy.affinity and policy.affinity.cluster_affinity
    return affinity.required if affinity else None


def matches(selector: ClusterSelector, fleet: Fleet) -> Flags:
    """Find the clusters that one term at least matches."""
    terms = [_term(term, fleet) for term in selector.cluster_selector_terms]
    return reduce(or_, terms) if terms else _all(fleet)


def points(policy: Policy, fleet: Fleet) -> Ints:
    """Add up what each cluster earns by the preferred terms."""
    affinity = policy.affinity and policy.affinity.cluster_affinity
    total = np.zeros(len(fleet), np.int64)
    for preferred in affinity.preferred if affinity else ():
        term, weight = preferred.preference, preferred.weight
        earned = _sorted(term.property_sorter, weight, fleet) if term.property_sorter else weight
        total += np.where(_term(term, fleet), earned, 0)
    return total


def _term(term: ClusterSelectorTerm, fleet: Fleet) -> Flags:
    found = [_labels(term.label_selector, fleet)] if term.label_selector else []
    expressions = term.property_selector.match_expressions if term.property_selector else ()
    for expression in expressions:
        values = fleet.quantities(expression.name)
        bound = quantity.parse(expression.values[0]) if expression.values else None
        wanted = float("nan") if bound is None else float(bound)
        compare = _COMPARE.get(expression.operator, _never)
        found.append(compare(values, wanted) & ~np.isnan(values))
    return reduce(and_, found) if found else _all(fleet)


def _labels(selector: LabelSelector, fleet: Fleet) -> Flags:
    exact = [fleet.label(key) == value for key, value in selector.match_labels.items()]
    listed = [_requirement(expression, fleet) for expression in selector.match_expressions]
    return reduce(and_, [*exact, *listed]) if exact or listed else _all(fleet)


def _requirement(requirement: LabelSelectorRequirement, fleet: Fleet) -> Flags:
    column = fleet.label(requirement.key)
    found = {value: requirement.matches(_one(requirement.key, value)) for value in set(column)}
    return np.fromiter((found[value] for value in column), np.bool_, len(column))


def _one(key: str, value: str | None) -> Mapping[str, str]:
    return {} if value is None else {key: value}


def _sorted(sorter: PropertySorter, weight: int, fleet: Fleet) -> Ints:
    values = fleet.quantities(sorter.name)
    known = values[~np.isnan(values)]
    if not known.size or known.min() == known.max():
        return np.zeros(len(fleet), np.int64)
    share = (values - known.min()) / (known.max() - known.min())
    if sorter.sort_order == "Ascending":
        share = 1 - share
    return np.where(np.isnan(share), 0, _round(weight * np.nan_to_num(share))).astype(np.int64)


def _round(values: Reals) -> Reals:
    """Halves go away from zero, as Go rounds."""
    rounded: Reals = np.copysign(np.floor(np.abs(values) + 0.5), values)
    return rounded


def _all(fleet: Fleet) -> Flags:
    return np.ones(len(fleet), np.bool_)
