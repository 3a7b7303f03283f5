"""Decide where a placement goes and what it takes there: the one function behind hub and CLI.

Pure: the same ask, fleet and promises give the same decision, and the decision says why.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from fleet.api.placement import PlacementType
from fleet.engine.ask import Ask, Holding
from fleet.engine.division import division
from fleet.engine.field import Field, field_of
from fleet.engine.fleet import Fleet
from fleet.engine.ledger import Pending
from fleet.engine.picking import Pick
from fleet.engine.standing import Standing, standing, stay
from fleet.engine.topology import Spread
from fleet.engine.verdicts import Cause, Ranked, Verdict

NONE: Final = frozenset[str]()


class Decision(NamedTuple):
    chosen: tuple[Ranked, ...]
    leaving: Mapping[str, Cause]
    """Clusters in use that are let go."""
    field: Field
    short_by: int = 0
    """Clusters that the policy asks for and that there are not."""
    unplaced: int = 0
    """Replicas of a divided demand that find no room."""
    absent: tuple[str, ...] = ()
    """Names that PickFixed gives and that cannot be taken, or not any more: those in use stay."""
    held_back: frozenset[str] = NONE
    """Silent members that stay, since most of the fleet went silent with them."""
    waiting: frozenset[str] = NONE
    """Clusters whose share waits for sold-out nodes, there being nowhere else to go."""

    def balance(self) -> Spread | None:
        """Judge each cluster as the last that was picked was, or as the one that is lacking."""
        even = self.field.ask.rules.even
        last = self.last() if even and not self.short_by else None
        return self.field.balance([each.cluster for each in self.chosen if each is not last])

    def last(self) -> Ranked | None:
        """Give the last pick; where all were picked before, one whose points say that it was."""
        even = self.field.ask.rules.even
        for choice in reversed(self.chosen):
            if not (choice.kept and even) or self._was_last(choice):
                return choice
        return None

    def _was_last(self, choice: Ranked) -> bool:
        line = self.field.fleet.order.get(choice.cluster)
        balance = self.field.balance([c.cluster for c in self.chosen if c is not choice])
        if line is None or balance is None or choice.score is None:
            return False
        return not balance.violates[line] and balance.score[line] == choice.score.topology

    @property
    def stands(self) -> bool:
        """Whether it is an earlier choice among some clusters that needs no other."""
        picked = self.field.ask.kind is PlacementType.PICK_N
        return picked and self.fulfilled and all(choice.kept for choice in self.chosen)

    @property
    def settled(self) -> bool:
        """Whether more room anywhere would change nothing."""
        return self.fulfilled and not self.waiting

    @property
    def fulfilled(self) -> bool:
        return not (self.short_by or self.unplaced or self.absent)

    def reported(self) -> Iterator[Verdict]:
        """Give the verdicts that concern a user: of PickFixed only those on the clusters named."""
        if self.field.ask.kind is not PlacementType.PICK_FIXED:
            return self.others()
        return (self.field.verdict(name) for name in self.absent)

    def others(self) -> Iterator[Verdict]:
        """Give a verdict on each cluster that was not chosen, the nearest to it first."""
        field, balance = self.field, self.balance()
        taken = [choice.cluster for choice in self.chosen]
        runners_up = field.best(taken, balance)
        yield from (field.verdict(name, balance) for name in runners_up)
        done = {*taken, *runners_up}
        yield from (field.verdict(n, balance) for n in field.fleet.names if n not in done)


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
    kept, leaving = _kept(found.ask, now)
    new = found.pick([holding.cluster for holding in kept], max(0, limit - len(kept)))
    waits = _waiting(found, leaving, new)[: max(0, limit - len(kept) - len(new))]
    kept += waits
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
        waiting=frozenset(holding.cluster for holding in waits) if waits else NONE,
    )


def _kept(ask: Ask, now: Standing) -> tuple[tuple[Holding, ...], Mapping[str, Cause]]:
    """Keep as many as are wanted; of a divided demand also the shares that went further.

    Gives those, and why the others leave.
    """
    if not now.staying:
        return (), now.leaving
    limit, most, staying = ask.limit or 0, 0, now.staying
    if ask.split and ask.scoring:
        most = ask.scoring.max_clusters or 0
    beyond = [holding for holding in staying[limit:most] if holding.current]
    kept = (*staying[:limit], *beyond)
    surplus = {held.cluster: Cause.SURPLUS for held in staying if held not in kept}
    return kept, {**now.leaving, **surplus}


def _waiting(
    found: Field, leaving: Mapping[str, Cause], new: Sequence[Pick]
) -> tuple[Holding, ...]:
    """Find the shares that may wait for sold-out nodes, should there be nowhere else to go."""
    if Cause.SOLD_OUT not in leaving.values():
        return ()
    named = {found.fleet.names[line] for line, _ in new}
    waits = (h for h in found.ask.in_use if leaving.get(h.cluster) is Cause.SOLD_OUT)
    return tuple(holding for holding in waits if holding.cluster not in named)


def _pick_all(found: Field) -> Decision:
    now = standing(found)
    new = found.pick([holding.cluster for holding in now.staying], len(found.fleet))
    chosen = _all(found, now.staying, new)
    return Decision(chosen=tuple(chosen), leaving=_gone(now.leaving, chosen), field=found)


def _pick_fixed(found: Field) -> Decision:
    """Take the clusters that are named; one in use stays, whatever became of it."""
    now, names = standing(found), found.ask.rules.named
    kept = [holding for holding in now.staying if holding.cluster in names]
    new = found.pick([holding.cluster for holding in kept], len(names))
    chosen = _all(found, kept, new)
    surplus = {h.cluster: Cause.SURPLUS for h in found.ask.in_use if h.cluster not in names}
    return Decision(
        chosen=tuple(chosen),
        leaving=_gone({**now.leaving, **surplus}, chosen),
        field=found,
        absent=tuple(name for name in names if not found.may_take(name)),
    )


def _gone(leaving: Mapping[str, Cause], chosen: Iterable[Ranked]) -> Mapping[str, Cause]:
    if not leaving:
        return leaving
    taken = {choice.cluster for choice in chosen}
    return {name: cause for name, cause in leaving.items() if name not in taken}


def _all(found: Field, kept: Sequence[Holding], new: Sequence[Pick]) -> list[Ranked]:
    """Everything everywhere: nothing is divided."""
    return [*(stay(found, holding) for holding in kept), *found.ranked(*new)]
