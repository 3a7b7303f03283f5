"""What users hear of a decision: which cluster is taken or left, and why. Pure."""

from collections.abc import Iterator
from enum import StrEnum

from fleet.api.binding import Binding, BindingState
from fleet.api.happenings import Happening
from fleet.engine.decide import Decision
from fleet.engine.verdicts import Cause, Ranked

ALARMING = frozenset({Cause.SILENT, Cause.SOLD_OUT, Cause.LEFT})
"""Causes that nobody has asked for."""


class Reason(StrEnum):
    SCHEDULED = "Scheduled"
    UNSCHEDULED = "Unscheduled"
    RESTORED = "Restored"
    FAILOVER = "FailoverBegun"
    HELD_BACK = "FailoverHeldBack"


def chosen_now(choice: Ranked) -> Happening:
    why = f": {choice.reason}" if choice.reason else ""
    return Happening(Reason.SCHEDULED, f"{choice.cluster} is chosen{why}")


def moved(old: Binding, new: Binding, found: Decision) -> Iterator[Happening]:
    """Tell where a binding is let go or taken back; other changes are no move."""
    cluster = old.spec.target_cluster
    was, now = (binding.spec.state is BindingState.UNSCHEDULED for binding in (old, new))
    if now and not was:
        yield _left(cluster, found.leaving.get(cluster))
    if was and not now:
        yield Happening(Reason.RESTORED, f"{cluster} is chosen again before it was let go")


def held_back(found: Decision) -> Happening:
    names_of = ", ".join(sorted(found.held_back))
    text = f"more than half of the fleet fell silent at once: {names_of} keep their share"
    return Happening(Reason.HELD_BACK, text, warning=True)


def _left(cluster: str, cause: Cause | None) -> Happening:
    if cause is Cause.SILENT:
        text = f"{cluster} is left: {cause}; what it runs stays until its successor is ready"
        return Happening(Reason.FAILOVER, text, warning=True)
    why = f": {cause}" if cause else ""
    return Happening(Reason.UNSCHEDULED, f"{cluster} is left{why}", warning=cause in ALARMING)
