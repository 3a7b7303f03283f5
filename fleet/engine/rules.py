"""What a placement asks of clusters, as plain values: the engine knows no API's types for it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import nan
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fleet.api.objects import LabelSelector
from fleet.api.placement import (
    ClusterSelectorTerm,
    PlacementType,
    Policy,
    PropertySorter,
    Scoring,
)
from fleet.engine import quantity
from fleet.engine.quantity import NOTHING, Number

EQUAL: Final = "In"
Compare = Callable[[Any, Any], Any]
COMPARE: Final[Mapping[str, Compare]] = {
    "Gt": gt,
    "Ge": ge,
    "Eq": eq,
    "Ne": ne,
    "Lt": lt,
    "Le": le,
}


class Labelled(NamedTuple):
    """A condition on one label."""

    key: str
    operator: str
    """In, NotIn, Exists or DoesNotExist; any other matches nothing."""
    values: tuple[str, ...] = ()


class Compared(NamedTuple):
    """A condition on one property."""

    name: str
    compare: Compare | None
    """None matches nothing: the operator is unknown, or the bound no quantity."""
    bound: Number
    level: NDArray[np.float64] = np.array(nan)
    """The bound as an array, with which numpy compares sooner."""


class Term(NamedTuple):
    """Conditions that all must hold."""

    labels: tuple[Labelled, ...] = ()
    properties: tuple[Compared, ...] = ()


class Sorter(NamedTuple):
    name: str
    ascending: bool


class Liked(NamedTuple):
    """Points for clusters with these labels: the weight, or a part of it by a property's place."""

    weight: int
    labels: tuple[Labelled, ...] = ()
    sorter: Sorter | None = None
    points: NDArray[np.int64] = np.array(0)
    """The weight as an array."""


class Even(NamedTuple):
    """Domains over which to spread."""

    key: str
    max_skew: int
    required: bool


class Tolerated(NamedTuple):
    key: str
    value: str | None
    """None tolerates every value."""
    effect: str
    """Empty tolerates every effect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    kind: PlacementType = PlacementType.PICK_ALL
    named: tuple[str, ...] = ()
    """Clusters of PickFixed."""
    required: tuple[Term, ...] = ()
    """One of them must match, where there are any."""
    liked: tuple[Liked, ...] = ()
    most_points: int = 0
    """That they give together, whichever way they point."""
    even: tuple[Even, ...] = ()
    tolerated: tuple[Tolerated, ...] = ()
    scoring: Scoring | None = None
    """How to score what has a demand; None leaves GPU and price out of account."""
    failover_seconds: float | None = None
    """How long a member may be silent before its share is placed anew; None is for ever."""


def rules_of(policy: Policy) -> Rules:
    affinity = policy.affinity and policy.affinity.cluster_affinity
    required = affinity.required if affinity else None
    terms = required.cluster_selector_terms if required else ()
    even = policy.topology_spread_constraints
    picks = policy.placement_type is PlacementType.PICK_N
    liked = [each for each in affinity.preferred if each.weight] if affinity and picks else []
    return Rules(
        kind=policy.placement_type,
        named=policy.cluster_names,
        required=tuple(map(_term, terms)),
        liked=tuple(_liked(each.preference, each.weight) for each in liked),
        most_points=sum(abs(each.weight) for each in liked),
        even=tuple(
            Even(each.topology_key, each.max_skew, each.when_unsatisfiable != "ScheduleAnyway")
            for each in (even if picks else ())
        ),
        tolerated=tuple(
            Tolerated(t.key, None if t.operator == "Exists" else t.value, t.effect)
            for t in policy.tolerations
        ),
        scoring=policy.inference_scoring,
        failover_seconds=_failover(policy),
    )


def _failover(policy: Policy) -> float | None:
    scoring = policy.scoring
    if policy.placement_type is not PlacementType.PICK_N or scoring is None:
        return None
    return scoring.failover.toleration_seconds if scoring.failover else None


def _term(term: ClusterSelectorTerm) -> Term:
    expressions = term.property_selector.match_expressions if term.property_selector else ()
    return Term(
        labels=_labels(term.label_selector),
        properties=tuple(_compared(e.name, e.operator, _bound(e.values)) for e in expressions),
    )


def _compared(name: str, operator: str, bound: Number) -> Compared:
    compare = None if bound is NOTHING else COMPARE.get(operator)
    return Compared(name, compare, bound, np.array(bound.near))


def _bound(values: tuple[str, ...]) -> Number:
    return quantity.number(values[0]) if len(values) == 1 else NOTHING


def _liked(preference: ClusterSelectorTerm, weight: int) -> Liked:
    labels, sorter = _labels(preference.label_selector), _sorter(preference.property_sorter)
    return Liked(weight, labels, sorter, np.array(weight))


def _sorter(sorter: PropertySorter | None) -> Sorter | None:
    return Sorter(sorter.name, sorter.sort_order == "Ascending") if sorter else None


def _labels(selector: LabelSelector | None) -> tuple[Labelled, ...]:
    return tuple(_labelled(selector)) if selector else ()


def _labelled(selector: LabelSelector) -> Iterator[Labelled]:
    for key, value in selector.match_labels.items():
        yield Labelled(key, EQUAL, (value,))
    for wanted in selector.match_expressions:
        yield Labelled(wanted.key, wanted.operator, tuple(wanted.values))
