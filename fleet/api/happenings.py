"""What users are told of as Kubernetes Events: values, found where a condition turns. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fleet.api.conditions import Condition, ConditionStatus, find


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that became of an object."""

    reason: str
    """One word for programs."""
    message: str
    """A sentence for people."""
    warning: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A change of a condition that users are told of."""

    type: str
    status: ConditionStatus
    reasons: frozenset[str] = frozenset()
    """Of the condition: only these; all where it is empty."""
    after: ConditionStatus | None = None
    """What the condition was before; anything, absence too, where it is None."""
    told_as: str = ""
    """The event's reason; the condition's own where it is empty."""
    warning: bool = False

    def fits(self, before: Condition | None, now: Condition) -> bool:
        """Say whether this is the turn: a new status, or the same for another reason."""
        if before and (before.status, before.reason) == (now.status, now.reason):
            return False
        was = before.status if before else None
        return (
            now.status is self.status
            and (not self.reasons or now.reason in self.reasons)
            and (self.after is None or self.after is was)
        )


def happenings(
    old: Iterable[Condition], new: Iterable[Condition], turns: Iterable[Turn]
) -> Iterator[Happening]:
    """Find what turned between two reports; the same report twice tells nothing."""
    old, new = tuple(old), tuple(new)
    for turn in turns:
        now = find(new, turn.type)
        if now and turn.fits(find(old, turn.type), now):
            yield Happening(turn.told_as or now.reason, now.message, turn.warning)
