"""What a placement wishes of clusters, in words: what one lacks, and what it earns by which wish.

The values change with every heartbeat, so this is for who asks, and not for a status.
"""

from collections.abc import Iterator, Sequence
from math import isnan
from operator import eq, ge, gt, le, lt, ne
from typing import Final, NamedTuple

from fleet.api.objects import meets
from fleet.engine import quantity
from fleet.engine.affinity import points
from fleet.engine.field import Field
from fleet.engine.rows import Row
from fleet.engine.rules import Compare, Compared, Labelled, Liked, Term

WORDS: Final[tuple[tuple[Compare, str], ...]] = (
    (gt, "more than"),
    (ge, "at least"),
    (eq, "equal to"),
    (ne, "other than"),
    (lt, "less than"),
    (le, "at most"),
)


class Earned(NamedTuple):
    """Points by one preference."""

    wish: str
    points: int
    weight: int
    """The points for a cluster that has all of what is wished."""


def unmatched(terms: Sequence[Term], row: Row) -> str:
    """Say of each required term what a cluster lacks for it."""
    said = [" and ".join(_lacks(term, row)) for term in terms]
    if len(said) == 1:
        return said[0]
    return "; ".join(f"({place}) {text}" for place, text in enumerate(said, start=1))


def earned(field: Field, cluster: str) -> tuple[Earned, ...]:
    """Give what a cluster earns by each preferred term."""
    line = field.fleet.order.get(cluster)
    if line is None:
        return ()
    return tuple(
        Earned(_wish(liked), int(points([liked], field.fleet)[line]), liked.weight)
        for liked in field.ask.rules.liked
    )


def _lacks(term: Term, row: Row) -> Iterator[str]:
    for labelled in term.labels:
        there = row.labels.get(labelled.key)
        if not meets(there, labelled.operator, labelled.values):
            has = f"{labelled.key} is {there}" if there is not None else f"no {labelled.key}"
            yield f"{has}, not {_asked(labelled)}"
    for compared in term.properties:
        if why := _differs(compared, row):
            yield why


def _asked(labelled: Labelled) -> str:
    values = " or ".join(labelled.values)
    known = {
        "In": values,
        "NotIn": f"other than {values}",
        "Exists": "any value",
        "DoesNotExist": "absent",
    }
    return known.get(labelled.operator, f"by the unknown operator {labelled.operator}")


def _differs(compared: Compared, row: Row) -> str:
    """Say why a property does not compare as it should; empty where it does."""
    there = row.properties.get(compared.name)
    if compared.compare is None:
        return f"{compared.name} is compared by no known operator, or with no quantity"
    if there is None:
        return f"has no property {compared.name}"
    value = quantity.number(there)
    if isnan(value.near):
        return f"{compared.name} is `{there}`, which is no quantity"
    if compared.compare(value.value, compared.bound.value):
        return ""
    words = next(text for compare, text in WORDS if compare is compared.compare)
    return f"{compared.name} is {there}, not {words} {compared.bound.text}"


def _wish(liked: Liked) -> str:
    labels = [f"{each.key} {_asked(each)}" for each in liked.labels]
    if liked.sorter:
        order = "Ascending" if liked.sorter.ascending else "Descending"
        labels.append(f"{liked.sorter.name} {order}")
    return " and ".join(labels) or "any cluster"
