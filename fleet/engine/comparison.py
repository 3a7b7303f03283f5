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


EQUAL: Final = "all else is equal, and of equals the last by name is taken"
STAYS: Final = "it is in use, and stays where it is"


class Level(NamedTuple):
    """What two clusters are compared by: in words, and in numbers, the greater the better."""

    name: str
    said: tuple[object, object]
    worth: tuple[float, float]


def advantage(decision: Decision) -> Advantage | None:
    """Compare the last pick with who would have been it otherwise; None where nothing was.

    Under a spread both are judged by the balance that this pick met: each pick changes it.
    """
    if decision.field.ask.kind is not PlacementType.PICK_N or not decision.chosen:
        return None
    last = decision.last() or decision.chosen[-1]
    rest = next((each for each in decision.others() if isinstance(each, Ranked)), None)
    if rest is None:
        return None
    return Advantage(last.cluster, rest.cluster, _why(decision.field, last, rest))


def _why(field: Field, winner: Ranked, other: Ranked) -> str:
    """What was picked before may be worse by now, and stays all the same."""
    for level in _levels(field, winner, other):
        mine, its = level.worth
        if mine > its or (mine < its and not winner.kept):
            return f"{level.name} {level.said[0]} against {level.said[1]}"
        if mine < its:
            return STAYS
    return STAYS if winner.kept and winner.cluster < other.cluster else EQUAL


def _levels(field: Field, winner: Ranked, other: Ranked) -> Iterator[Level]:
    """Go through what is compared, in its order."""
    mine, its = winner.score, other.score
    if mine is None or its is None:
        return
    yield _number("topology spread", mine.topology, its.topology)
    yield _number("affinity", mine.affinity, its.affinity)
    if field.appraisal:
        lines = [field.fleet.order[each.cluster] for each in (winner, other)]
        yield _flag(
            "capacity:",
            *(bool(field.appraisal.whole[line]) for line in lines),
            words=("less room", "room for an even share"),
        )
        yield _number("score", mine.points, its.points)
        price = winner.usd_per_hour, other.usd_per_hour
        yield Level("$/h", price, (-float(price[0]), -float(price[1])))
    used = bool(mine.kept), bool(its.kept)
    yield _flag("a cluster", *used, words=("not in use", "in use"))


def _number(name: str, mine: int, its: int) -> Level:
    return Level(name, (mine, its), (mine, its))


def _flag(name: str, mine: bool, its: bool, *, words: tuple[str, str]) -> Level:
    return Level(name, (words[mine], words[its]), (mine, its))
