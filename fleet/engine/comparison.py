"""Why the last of the chosen clusters stands before the best of the others."""

from collections.abc import Iterator
from typing import NamedTuple

from fleet.api.placement import PlacementType
from fleet.engine.decide import Decision
from fleet.engine.field import Field
from fleet.engine.verdicts import Ranked


class Advantage(NamedTuple):
    winner: str
    runner_up: str
    reason: str


def advantage(decision: Decision) -> Advantage | None:
    """Compare what was compared; None where nothing was, or where each pick changed the balance."""
    field = decision.field
    picks = field.ask.kind is PlacementType.PICK_N
    if not picks or field.ask.rules.even:
        return None
    new = [choice for choice in decision.chosen if not choice.kept]
    rest = [verdict for verdict in decision.others() if isinstance(verdict, Ranked)]
    if not new or not rest:
        return None
    return Advantage(new[-1].cluster, rest[0].cluster, _why(field, new[-1], rest[0]))


def _why(field: Field, winner: Ranked, other: Ranked) -> str:
    for name, (mine, its) in _levels(field, winner, other):
        if mine != its:
            return f"{name} {mine} against {its}"
    return "all else is equal, and of equals the last by name is taken"


def _levels(
    field: Field, winner: Ranked, other: Ranked
) -> Iterator[tuple[str, tuple[object, object]]]:
    """Go through what is compared, in its order."""
    mine, its = winner.score, other.score
    if mine is None or its is None:
        return
    yield "affinity", (mine.affinity, its.affinity)
    if field.appraisal:
        lines = [field.fleet.order[each.cluster] for each in (winner, other)]
        whole = [bool(field.appraisal.whole[line]) for line in lines]
        room = ["room for an even share" if each else "less room" for each in whole]
        yield "capacity:", (room[0], room[1])
        yield "score", (mine.points, its.points)
        yield "$/h", (winner.usd_per_hour, other.usd_per_hour)
    used = ["in use" if each.kept else "not in use" for each in (mine, its)]
    yield "a cluster", (used[0], used[1])
