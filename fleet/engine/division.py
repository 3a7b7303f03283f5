"""Give each chosen cluster its share of the replicas of a divided demand."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from fleet.engine.appraisal import Appraisal
from fleet.engine.ask import Holding
from fleet.engine.field import Field
from fleet.engine.picking import Pick
from fleet.engine.shares import redivide
from fleet.engine.standing import stay
from fleet.engine.verdicts import Ranked


@dataclass(frozen=True, slots=True)
class Place:
    """A chosen cluster before the division."""

    choice: Ranked
    held: int
    """Replicas that it was given before, for this very demand."""
    room: int
    """Replicas that it could take, with those."""

    @property
    def usd_per_replica(self) -> Decimal:
        """For the order: a cluster that has none yet is judged by what was quoted for it."""
        given = self.choice.allocations
        return given[0].usd_per_hour / max(1, given[0].replicas) if given else Decimal(0)


def division(
    found: Field, kept: Sequence[Holding], new: Sequence[Pick]
) -> tuple[list[Ranked], int]:
    """Divide; take further clusters, up to the policy's most, while there is too little room.

    Gives the choices and the replicas that find no room.
    """
    demand, appraisal = found.ask.split, found.appraisal
    if demand is None or appraisal is None:
        return [], 0
    places = [_kept(found, appraisal, holding) for holding in kept]
    places += [_new(found, appraisal, each) for each in new]
    places = sorted(_enough(found, appraisal, places, demand.replicas), key=_cheapest)
    shares = redivide(demand.replicas, [p.room for p in places], [p.held for p in places])
    choices = [_sized(found, place, share) for place, share in zip(places, shares, strict=True)]
    return choices, demand.replicas - sum(shares)


def _kept(found: Field, appraisal: Appraisal, holding: Holding) -> Place:
    choice = stay(found, holding)
    held = sum(allocation.replicas for allocation in choice.allocations if choice.kept)
    room = int(appraisal.most[found.fleet.order[holding.cluster]])
    return Place(choice, held, max(held, room))


def _new(found: Field, appraisal: Appraisal, pick: Pick) -> Place:
    return Place(found.ranked(pick)[0], 0, int(appraisal.most[pick[0]]))


def _enough(found: Field, appraisal: Appraisal, places: list[Place], replicas: int) -> list[Place]:
    scoring = found.ask.scoring
    more = ((scoring and scoring.max_clusters) or 0) - len(places)
    while more > 0 and sum(place.room for place in places) < replicas:
        best = found.pick([place.choice.cluster for place in places], 1)
        if not best:
            break
        places.append(_new(found, appraisal, best[0]))
        more -= 1
    return places


def _cheapest(place: Place) -> tuple[Decimal, str]:
    return place.usd_per_replica, place.choice.cluster


def _sized(found: Field, place: Place, share: int) -> Ranked:
    if place.choice.kept and share == place.held:
        return place.choice
    line = found.fleet.order[place.choice.cluster]
    topology = place.choice.score.topology if place.choice.score else 0
    divided = found.appraisal and found.appraisal.divided({line: share})
    if divided and not divided.quotes[0].found[line]:
        return _shrunk(place, share)
    return found._replace(appraisal=divided).ranked((line, topology))[0]


def _shrunk(place: Place, share: int) -> Ranked:
    """Give up a part of what is served, though the member offers nothing of its kind any more."""
    less = [
        given.model_copy(
            update={"replicas": share, "usd_per_hour": given.usd_per_hour * share / given.replicas}
        )
        for given in place.choice.allocations
    ]
    return place.choice._replace(allocations=tuple(less), said="", kept=False)
