"""The decision of a PickN placement as a plain loop over objects: slow, and easily seen through.

KubeFleet's rules, cluster by cluster and pick by pick, over the engine's own values.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fleet.engine.quantity import NOTHING, Number, number
from fleet.engine.rows import Row
from fleet.engine.rules import Even, Labelled, Liked, Rules, Term, Tolerated

VIOLATION: Final = -1000


@dataclass(frozen=True, slots=True)
class Scored:
    cluster: str
    topology: int
    affinity: int


@dataclass(frozen=True, slots=True)
class Found:
    picks: tuple[Scored, ...]
    others: Mapping[str, str | tuple[int, int]]
    """Of each cluster that was not picked, the filter that rejects it or its points."""


def decide(rules: Rules, rows: Sequence[Row], wanted: int) -> Found:
    picks, judged = list[Scored](), _judge(rules, rows, ())
    while len(picks) < wanted:
        taken = [pick.cluster for pick in picks]
        judged = _judge(rules, rows, taken)
        offers = {name: found for name, found in judged.items() if isinstance(found, tuple)}
        if not offers:
            break
        best = max(offers, key=lambda name: (offers[name], name))
        picks.append(Scored(best, *offers[best]))
    others = {
        name: found for name, found in judged.items() if name not in {p.cluster for p in picks}
    }
    return Found(tuple(picks), others)


def _judge(
    rules: Rules, rows: Sequence[Row], taken: Sequence[str]
) -> dict[str, str | tuple[int, int]]:
    """Give each cluster that is not taken its filter or its points."""
    fleet = _fleet(rules, rows, taken)
    return {row.name: _verdict(rules, row, fleet) for row in rows if row.name not in taken}


@dataclass(frozen=True, slots=True)
class Fleet:
    """What is the same for all clusters."""

    domains: Sequence[tuple[Even, Mapping[str, int], Sequence[int]]]
    """By constraint, how many clusters are taken in each domain, and the same in their order."""
    extremes: Mapping[str, tuple[float, float]]
    """By sorted property, its least and its greatest value."""


def _fleet(rules: Rules, rows: Sequence[Row], taken: Sequence[str]) -> Fleet:
    counts = [(even, _counts(even, rows, taken)) for even in rules.even]
    names = [liked.sorter.name for liked in rules.liked if liked.sorter]
    return Fleet(
        domains=[(even, domains, sorted(domains.values())) for even, domains in counts],
        extremes={name: _extremes(name, rows) for name in names},
    )


def _extremes(name: str, rows: Sequence[Row]) -> tuple[float, float]:
    found = (_property(row, name) for row in rows)
    known = [has.shown for has in found if has is not NOTHING]
    return min(known, default=0.0), max(known, default=0.0)


def _verdict(rules: Rules, row: Row, fleet: Fleet) -> str | tuple[int, int]:
    if row.deleting or not row.joined:
        return "eligibility"
    if rules.required and not any(_matches(term, row) for term in rules.required):
        return "cluster-affinity"
    if not all(any(_covers(t, *taint) for t in rules.tolerated) for taint in row.taints):
        return "taint-toleration"
    topology = 0
    for even, counts, ordered in fleet.domains:
        points = _points(even, counts, ordered, row)
        if points is None:
            return "topology-spread"
        topology += points
    return topology, sum(_earned(liked, row, fleet) for liked in rules.liked)


def _covers(tolerated: Tolerated, key: str, value: str, effect: str) -> bool:
    if tolerated.effect not in ("", effect):
        return False
    if tolerated.value is None:
        return tolerated.key in ("", key)
    return tolerated.key == key and tolerated.value == value


def _matches(term: Term, row: Row) -> bool:
    if not all(_has(wanted, row) for wanted in term.labels):
        return False
    for wanted in term.properties:
        has, compare = _property(row, wanted.name), wanted.compare
        if has is NOTHING or not (compare and compare(has.value, wanted.bound.value)):
            return False
    return True


def _has(wanted: Labelled, row: Row) -> bool:
    value = row.labels.get(wanted.key)
    return {
        "In": value in wanted.values,
        "NotIn": value not in wanted.values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }.get(wanted.operator, False)


def _property(row: Row, name: str) -> Number:
    text = row.properties.get(name)
    return NOTHING if text is None else number(text)


def _counts(even: Even, rows: Sequence[Row], taken: Sequence[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in rows:
        domain = row.labels.get(even.key)
        if domain is not None:
            counts[domain] = counts.get(domain, 0) + (row.name in taken)
    return counts


def _points(even: Even, counts: Mapping[str, int], ordered: Sequence[int], row: Row) -> int | None:
    """Take KubeFleet's cases one by one; None where the constraint forbids the cluster."""
    domain = row.labels.get(even.key)
    if domain is None:
        return 0
    smallest, second, largest = ordered[0], ordered[1 % len(ordered)], ordered[-1]
    if largest == smallest:
        change = 1
    elif counts[domain] == smallest and smallest != second:
        change = -1
    else:
        change = 1 if counts[domain] == largest else 0
    if largest - smallest + change > even.max_skew:
        return None if even.required else VIOLATION
    return -change


def _earned(liked: Liked, row: Row, fleet: Fleet) -> int:
    if not all(_has(wanted, row) for wanted in liked.labels):
        return 0
    if liked.sorter is None:
        return liked.weight
    has, (least, most) = _property(row, liked.sorter.name), fleet.extremes[liked.sorter.name]
    if has is NOTHING or least == most:
        return 0
    share = (has.shown - least) / (most - least)
    points = (1 - share if liked.sorter.ascending else share) * liked.weight
    whole = int(points)
    return whole + int(2 * (points - whole))
