"""Which members are silent for too long, and when so many are that the fault is elsewhere."""

from bisect import bisect_right
from collections.abc import Mapping
from typing import Final

from fleet.engine.ask import Ask
from fleet.engine.fleet import Fleet

HEARTBEATS = 3
"""That a member may miss before it counts as silent at all."""
OVERDUE: Final = 1.5
"""Heartbeats after which a member may be one of a crowd that is falling silent: what cuts all of
them off meets each at another point between two heartbeats, so the first of them is not alone."""


def too_long(ask: Ask, fleet: Fleet) -> Mapping[str, float]:
    """Name the members that are silent beyond what the placement tolerates, with the seconds."""
    toleration = ask.toleration_seconds
    if toleration is None:
        return {}
    limits = {name: max(toleration, least(fleet, name)) for name in ask.silent_seconds}
    return {name: s for name, s in ask.silent_seconds.items() if s >= limits[name]}


def held_back(ask: Ask, fleet: Fleet) -> frozenset[str]:
    """Name the silent members whose share stays: more than half of the fleet went with them.

    Whatever silences most members within one toleration is more likely here than there, and
    nowhere is enough room left.
    """
    toleration = ask.toleration_seconds
    if toleration is None or not ask.silent_seconds:
        return frozenset()
    members = [row.name for row in fleet.rows() if row.joined and not row.deleting]
    heard_of = {**ask.overdue_seconds, **ask.silent_seconds}
    seconds = {name: heard_of[name] for name in members if name in heard_of}
    silent = {name: s for name, s in seconds.items() if s >= _suspicious(ask, fleet, name)}
    times = sorted(silent.values())
    crowds = [
        (start, start + toleration)
        for place, start in enumerate(times)
        if 2 * (bisect_right(times, start + toleration) - place) > len(members)
    ]
    return frozenset(n for n, s in silent.items() if any(a <= s <= b for a, b in crowds))


def _suspicious(ask: Ask, fleet: Fleet, name: str) -> float:
    return 0.0 if name in ask.overdue_seconds else least(fleet, name)


def least(fleet: Fleet, name: str) -> float:
    row = fleet.row(name)
    return HEARTBEATS * row.heartbeat_seconds if row else 0.0
