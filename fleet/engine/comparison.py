"""Why the last of the chosen clusters stands before the best of the others."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from fleet.api.placement import PlacementType
from fleet.engine.decide import Decision
from fleet.engine.field import Field
from fleet.engine.verdicts import Ranked


class Advantage(NamedTuple):
    winner: str
    runner_up: str
    reason: str


STAYS: Final = "it is in use, and stays where it is"


def advantage(decision: Decision) -> Advantage | None:
    """Compare the last pick with who would have been it otherwise; None where nothing was.

    Under a spread both are judged by the balance that this pick met: each pick changes it.
    """
    if decision.field.ask.kind is not PlacementType.PICK_N or not decision.chosen:
        return None
    last = decision.chosen[-1]
    rest = next((each for each in decision.others() if isinstance(each, Ranked)), None)
    if rest is None:
        return None
    why = STAYS if last.kept else _why(decision.field, last, rest)
    return Advantage(last.cluster, rest.cluster, why)


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
    yield "topology spread", (mine.topology, its.topology)
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
