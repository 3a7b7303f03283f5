"""Whether a cluster in use stays in use, and if not, why."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from fleet.api.binding import ClusterScore
from fleet.api.placement import PlacementType
from fleet.engine.ask import Ask, Holding
from fleet.engine.field import Field
from fleet.engine.fleet import Fleet
from fleet.engine.ledger import missing
from fleet.engine.silence import held_back, too_long
from fleet.engine.verdicts import Cause, Ranked, Score


@dataclass(frozen=True, slots=True)
class Standing:
    staying: tuple[Holding, ...] = ()
    """The most valuable first."""
    leaving: Mapping[str, Cause] = field(default_factory=dict)
    held_back: frozenset[str] = frozenset()
    """Silent members that stay, since most of the fleet went silent with them."""


NOTHING_HELD: Final = Standing()


def standing(found: Field) -> Standing:
    """Judge the clusters in use, and take back those that answer again in time."""
    ask, fleet = found.ask, found.fleet
    if not ask.holdings:
        return NOTHING_HELD
    back = held_back(ask, fleet)
    silent = too_long(ask, fleet).keys() - back
    causes = {h.cluster: _cause(h, found, h.cluster in silent) for h in ask.in_use}
    staying = [holding for holding in ask.in_use if causes[holding.cluster] is None]
    leaving = {name: cause for name, cause in causes.items() if cause is not None}
    staying.sort(key=worth, reverse=True)
    stay_silent = back & {holding.cluster for holding in staying}
    return _restored(found, Standing(tuple(staying), leaving, frozenset(stay_silent)))


def _cause(holding: Holding, found: Field, silent: bool) -> Cause | None:
    row = found.fleet.row(holding.cluster)
    if row is None or row.deleting:
        return Cause.LEFT
    if silent:
        return Cause.SILENT
    if not holding.current and not (found.ask.scoring and _as_before(holding, found)):
        return Cause.UNFIT
    if holding.current and _sold_out(holding, found.ask, found.fleet):
        return Cause.SOLD_OUT
    return None


def _as_before(holding: Holding, found: Field) -> bool:
    """Whether only what it takes has changed, and it still finds room."""
    return holding.same_rules and found.fits(holding.cluster)


def _sold_out(holding: Holding, ask: Ask, fleet: Fleet) -> bool:
    """Whether a share that is not ready waits for nodes that nobody sells it."""
    row = fleet.row(holding.cluster)
    if holding.ready or row is None or ask.kind is not PlacementType.PICK_N:
        return False
    lacking = [pending.slot for pending in missing(holding.allocations, row)]
    waits = [row.stocks[slot].sold_out_until for slot in lacking]
    return any(until is not None and until > ask.now for until in waits)


def worth(holding: Holding) -> tuple[bool, int, int, int, str]:
    """What is not rolled out goes first, then the lowest score, then the first name."""
    score = holding.decision.cluster_score
    points = (score.priority_score, score.affinity_score) if score else (0, 0)
    parts = sum(score.parts.values()) if score else 0
    return holding.bound, *points, parts, holding.cluster


def _restored(found: Field, now: Standing) -> Standing:
    """Prefer a member that answers again with its workload ready to what is not ready elsewhere."""
    staying, leaving, limit = list(now.staying), dict(now.leaving), found.ask.limit
    for holding in sorted(found.ask.holdings, key=worth, reverse=True):
        if not _answers(holding, found):
            continue
        if limit is not None and len(staying) >= limit:
            unready = [other for other in staying if not other.ready]
            if not unready:
                continue
            staying.remove(unready[-1])
            leaving[unready[-1].cluster] = Cause.REPLACED
        staying.append(holding)
    return Standing(tuple(staying), leaving, now.held_back)


def _answers(holding: Holding, found: Field) -> bool:
    if holding.in_use or not (holding.fell_silent and holding.ready):
        return False
    heard = holding.cluster not in found.ask.silent_seconds
    return heard and found.may_take(holding.cluster)


def stay(found: Field, holding: Holding) -> Ranked:
    """Leave a cluster as it was decided; one decided for other demands is decided anew there."""
    if not holding.current and found.fits(holding.cluster):
        return found.ranked((found.fleet.order[holding.cluster], 0))[0]
    old = holding.decision.cluster_score
    return Ranked(
        cluster=holding.cluster,
        score=_score(old) if old else None,
        allocations=holding.allocations,
        said=holding.decision.reason,
        kept=True,
    )


def _score(old: ClusterScore) -> Score:
    return Score(topology=old.priority_score, affinity=old.affinity_score, parts=old.parts)
