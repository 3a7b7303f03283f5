"""Decide where a placement goes and what it takes there: the one function behind hub and CLI.

Pure: the same ask, fleet and promises give the same decision, and the decision says why.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from fleet.api.placement import PlacementType
from fleet.engine.ask import Ask, Holding
from fleet.engine.division import division
from fleet.engine.field import Field, field_of
from fleet.engine.fleet import Fleet
from fleet.engine.ledger import Pending
from fleet.engine.standing import standing, stay
from fleet.engine.verdicts import Cause, Ranked, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    chosen: tuple[Ranked, ...]
    leaving: Mapping[str, Cause]
    """Clusters in use that are let go."""
    field: Field
    short_by: int = 0
    """Clusters that the policy asks for and that there are not."""
    unplaced: int = 0
    """Replicas of a divided demand that find no room."""
    absent: tuple[str, ...] = ()
    """Names that PickFixed gives and that cannot be taken."""
    held_back: frozenset[str] = frozenset()
    """Silent members that stay, since most of the fleet went silent with them."""
    waiting: frozenset[str] = frozenset()
    """Clusters whose share waits for sold-out nodes, there being nowhere else to go."""

    @property
    def settled(self) -> bool:
        """Whether more room anywhere would change nothing."""
        return self.fulfilled and not self.waiting

    @property
    def fulfilled(self) -> bool:
        return not (self.short_by or self.unplaced or self.absent)

    def others(self) -> Iterator[Verdict]:
        """Give a verdict on each cluster that was not chosen, the nearest to it first."""
        taken = [choice.cluster for choice in self.chosen]
        runners_up = self.field.best(taken)
        yield from (self.field.verdict(name, taken) for name in runners_up)
        done = {*taken, *runners_up}
        yield from (self.field.verdict(n, taken) for n in self.field.fleet.names if n not in done)


def decide(ask: Ask, fleet: Fleet, pending: Iterable[Pending] = ()) -> Decision:
    """Choose clusters, and for each what it takes; `pending` is what others were promised."""
    found = field_of(ask, fleet, pending)
    match ask.kind:
        case PlacementType.PICK_N:
            return _pick_n(found)
        case PlacementType.PICK_ALL:
            return _pick_all(found)
        case PlacementType.PICK_FIXED:
            return _pick_fixed(found)


def _pick_n(found: Field) -> Decision:
    """Keep what is in use, add the best, and let go of what is beyond the limit."""
    now, limit = standing(found), found.ask.limit or 0
    kept = _kept(found.ask, now.staying)
    surplus = {h.cluster: Cause.SURPLUS for h in now.staying if h not in kept}
    leaving = {**now.leaving, **surplus}
    new = found.pick([holding.cluster for holding in kept], max(0, limit - len(kept)))
    waits = [h for h in found.ask.in_use if _waits(h, leaving) and h.cluster not in new]
    waits = waits[: max(0, limit - len(kept) - len(new))]
    kept += tuple(waits)
    chosen, unplaced = (
        division(found, kept, new) if found.ask.split else (_all(found, kept, new), 0)
    )
    return Decision(
        chosen=tuple(chosen),
        leaving=_gone(leaving, chosen),
        field=found,
        short_by=max(0, limit - len(chosen)),
        unplaced=unplaced,
        held_back=now.held_back,
        waiting=frozenset(holding.cluster for holding in waits),
    )


def _kept(ask: Ask, staying: Sequence[Holding]) -> tuple[Holding, ...]:
    """Keep as many as are wanted; of a divided demand also the shares that went further."""
    limit, most = ask.limit or 0, 0
    if ask.split and ask.scoring:
        most = ask.scoring.max_clusters or 0
    beyond = [holding for holding in staying[limit:most] if holding.current]
    return (*staying[:limit], *beyond)


def _waits(holding: Holding, leaving: Mapping[str, Cause]) -> bool:
    """Whether a share may wait for sold-out nodes, should there be nowhere else to go."""
    return leaving.get(holding.cluster) is Cause.SOLD_OUT


def _pick_all(found: Field) -> Decision:
    now = standing(found)
    new = found.best([holding.cluster for holding in now.staying])
    chosen = _all(found, now.staying, new)
    return Decision(chosen=tuple(chosen), leaving=_gone(now.leaving, chosen), field=found)


def _pick_fixed(found: Field) -> Decision:
    """Take the clusters that are named; one in use stays, whatever became of it."""
    now, names = standing(found), found.ask.policy.cluster_names
    kept = [holding for holding in now.staying if holding.cluster in names]
    new = found.best([holding.cluster for holding in kept])
    chosen = _all(found, kept, new)
    surplus = {h.cluster: Cause.SURPLUS for h in found.ask.in_use if h.cluster not in names}
    taken = {choice.cluster for choice in chosen}
    return Decision(
        chosen=tuple(chosen),
        leaving=_gone({**now.leaving, **surplus}, chosen),
        field=found,
        absent=tuple(name for name in names if name not in taken),
    )


def _gone(leaving: Mapping[str, Cause], chosen: Iterable[Ranked]) -> Mapping[str, Cause]:
    taken = {choice.cluster for choice in chosen}
    return {name: cause for name, cause in leaving.items() if name not in taken}


def _all(found: Field, kept: Sequence[Holding], new: Sequence[str]) -> list[Ranked]:
    """Everything everywhere: nothing is divided."""
    before = [holding.cluster for holding in kept]
    fresh = [found.ranked(name, [*before, *new[:place]]) for place, name in enumerate(new)]
    return [*(stay(found, holding) for holding in kept), *fresh]
