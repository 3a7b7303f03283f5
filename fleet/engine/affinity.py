"""Cluster affinity: which clusters a user's terms match, and what they earn by them.

The numbers are KubeFleet's: a preference earns its weight; a sorted property a part of it, by the
place of its value between the least and the greatest of the whole fleet.
"""

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import add, ne, or_
from typing import Final

import numpy as np

from fleet.engine.columns import Flags, Ints, LabelColumn, PropertyColumn, Reals
from fleet.engine.fleet import Fleet
from fleet.engine.quantity import Number
from fleet.engine.rules import Compare, Compared, Labelled, Liked, Sorter, Term

TWO: Final = np.array(2.0)


def matches(terms: Iterable[Term], fleet: Fleet) -> Flags:
    """Find the clusters that one term at least matches."""
    found = [_term(term, fleet) for term in terms]
    return reduce(or_, found) if found else fleet.everybody


def points(liked: Iterable[Liked], fleet: Fleet) -> Ints:
    """Add up what each cluster earns by the terms it is liked for."""
    found = [_earned(each, fleet) for each in liked]
    return reduce(add, found) if found else np.zeros(len(fleet), np.int64)


def _earned(liked: Liked, fleet: Fleet) -> Ints:
    there = _labels(liked.labels, fleet)
    if liked.sorter is None:
        return (fleet.everybody if there is None else there) * liked.points
    earned = _sorted(liked.sorter, liked.points, fleet)
    return earned if there is None else earned * there


def _term(term: Term, fleet: Fleet) -> Flags:
    found = _labels(term.labels, fleet)
    for wanted in term.properties:
        has = _compared(wanted, fleet)
        found = has if found is None else found & has
    return fleet.everybody if found is None else found


def _labels(labels: Iterable[Labelled], fleet: Fleet) -> Flags | None:
    """Find the clusters with all of the labels; None where none is asked for."""
    found = None
    for key, operator, values in labels:
        has = _labelled(fleet.label(key), operator, values, fleet)
        found = has if found is None else found & has
    return found


def _labelled(column: LabelColumn, operator: str, values: Sequence[str], fleet: Fleet) -> Flags:
    match operator:
        case "In":
            return _among(column, values, fleet)
        case "NotIn":
            return ~_among(column, values, fleet)
        case "Exists":
            return ~column.equal(None)
        case "DoesNotExist":
            return column.equal(None)
        case _:
            return fleet.nobody


def _among(column: LabelColumn, values: Sequence[str], fleet: Fleet) -> Flags:
    if len(values) == 1:
        return column.equal(values[0])
    return reduce(or_, map(column.equal, values), fleet.nobody)


def _compared(wanted: Compared, fleet: Fleet) -> Flags:
    name, compare, bound, level = wanted
    if compare is None:
        return fleet.nobody
    column = fleet.property(name)
    found: Flags = compare(column.near, level)
    if column.inexact or not bound.exact:
        found = _told_apart(found, column, compare, bound)
    return found & column.known if column.lacking and compare is ne else found


def _told_apart(found: Flags, column: PropertyColumn, compare: Compare, bound: Number) -> Flags:
    """Compare once more, digit by digit, what one binary number stands for."""
    exact = bound.value
    for line in np.flatnonzero(column.near == bound.near):
        found[line] = compare(column.value(int(line)), exact)
    return found


def _sorted(sorter: Sorter, weight: Ints, fleet: Fleet) -> Ints:
    column = fleet.property(sorter.name)
    least, most = column.extremes
    if not most > least:
        return np.zeros(len(fleet), np.int64)
    earned: Reals = (1 - column.places if sorter.ascending else column.places) * weight
    return _round(np.where(column.known, earned, 0.0) if column.lacking else earned)


def _round(values: Reals) -> Ints:
    """Halves go away from zero, as Go rounds."""
    whole = np.trunc(values)
    rounded: Reals = whole + np.trunc(TWO * (values - whole))
    return rounded.astype(np.int64)
