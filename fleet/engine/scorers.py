"""What clusters earn, level by level: a lower one counts only among those equal in all above.

A scorer is a name and a pure function. Topology stands above all of them, since it changes with
each cluster that is taken.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fleet.engine import affinity
from fleet.engine.appraisal import Appraisal
from fleet.engine.ask import Ask
from fleet.engine.columns import Ints
from fleet.engine.fleet import Fleet


@dataclass(frozen=True, slots=True)
class Scorer:
    name: str
    points: Callable[[Ask, Fleet, Appraisal | None], Ints | None]
    """A number for each cluster, the greater the better; None where all are equal."""


def _liked(ask: Ask, fleet: Fleet, _: Appraisal | None) -> Ints | None:
    return affinity.points(ask.rules.liked, fleet) if ask.rules.liked else None


def _whole(_: Ask, __: Fleet, appraisal: Appraisal | None) -> Ints | None:
    return None if appraisal is None else appraisal.whole.astype("int64")


def _points(_: Ask, __: Fleet, appraisal: Appraisal | None) -> Ints | None:
    return None if appraisal is None else appraisal.points


def _cheap(_: Ask, __: Fleet, appraisal: Appraisal | None) -> Ints | None:
    return None if appraisal is None else -appraisal.cost


def _kept(ask: Ask, fleet: Fleet, _: Appraisal | None) -> Ints | None:
    """Prefer what is in use under an older policy."""
    if not ask.holdings:
        return None
    flags = fleet.flags([held.cluster for held in ask.in_use if not held.current])
    return None if flags is None else flags.astype("int64")


AFFINITY: Final = Scorer("affinity", _liked)
KEPT: Final = Scorer("kept", _kept)
SCORERS: Final = (
    AFFINITY,
    Scorer("whole", _whole),
    Scorer("inference", _points),
    Scorer("cost", _cheap),
    KEPT,
)
"""KubeFleet's order, with the inference score before its remaining tie-break."""
