"""Which clusters cannot take a placement, and why. Capacity is judged in `offers`.

A filter is a name and two pure functions: which clusters it rejects, and what it says of one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from operator import or_

from fleet.api.placement import PlacementType
from fleet.engine.affinity import matches
from fleet.engine.ask import Ask
from fleet.engine.columns import Flags
from fleet.engine.fleet import Fleet
from fleet.engine.rows import Row, Taint
from fleet.engine.rules import Tolerated
from fleet.engine.silence import too_long


@dataclass(frozen=True, slots=True)
class Filter:
    name: str
    rejects: Callable[[Ask, Fleet], Flags | None]
    """One flag for each cluster of the fleet, not to be changed; None where none is rejected."""
    reason: Callable[[Ask, Row], str]
    """Says of a rejected cluster what is wrong with it."""


def _ineligible(ask: Ask, fleet: Fleet) -> Flags | None:
    """Few clusters are ill for a time; that one is in the fleet at all is kept as a column."""
    unfit = fleet.states.unfit
    if not (ask.stale or ask.silent_seconds or fleet.states.unhealthy):
        return unfit
    for_a_time = fleet.flags([*_unheard(ask), *_ill(ask, fleet)])
    return unfit if for_a_time is None else unfit | for_a_time


def _unheard(ask: Ask) -> list[str]:
    limit = ask.heartbeat_timeout_seconds
    return [*ask.stale, *(name for name, s in ask.silent_seconds.items() if s >= limit)]


def _ill(ask: Ask, fleet: Fleet) -> list[str]:
    limit = timedelta(seconds=ask.health_timeout_seconds)
    return [name for name, since in fleet.states.unhealthy.items() if ask.now - since > limit]


def _why_ineligible(ask: Ask, row: Row) -> str:
    if row.deleting:
        return "is leaving the fleet"
    if not row.joined:
        return "has not joined the fleet"
    if row.name in _unheard(ask):
        silent = ask.silent_seconds.get(row.name, 0.0)
        return f"has not been heard for {max(silent, ask.heartbeat_timeout_seconds):.0f} s"
    return f"its agent is unhealthy since {row.unhealthy_since:%Y-%m-%d %H:%M:%S}"


def _silent(ask: Ask, fleet: Fleet) -> Flags | None:
    return None if ask.toleration_seconds is None else fleet.flags(too_long(ask, fleet))


def _why_silent(ask: Ask, row: Row) -> str:
    seconds = ask.silent_seconds[row.name]
    return f"silent for {seconds:.0f} s, {ask.toleration_seconds:.0f} s are tolerated"


def _unnamed(ask: Ask, fleet: Fleet) -> Flags | None:
    named = fleet.flags(ask.rules.named)
    return fleet.everybody if named is None else ~named


def _unmatched(ask: Ask, fleet: Fleet) -> Flags | None:
    required = ask.rules.required
    return ~matches(required, fleet) if required else None


def _tainted(ask: Ask, fleet: Fleet) -> Flags | None:
    tolerated = ask.rules.tolerated
    found = [has for taint, has in fleet.states.tainted.items() if not tolerates(tolerated, taint)]
    return reduce(or_, found) if found else None


def tolerates(tolerated: tuple[Tolerated, ...], taint: Taint) -> bool:
    for key, value, effect in tolerated:
        covers = key in ("", taint.key) if value is None else (key, value) == taint[:2]
        if covers and effect in ("", taint.effect):
            return True
    return False


def _why_tainted(ask: Ask, row: Row) -> str:
    against = [taint for taint in row.taints if not tolerates(ask.rules.tolerated, taint)]
    return f"has {against[0].key}={against[0].value}"


def _without_namespace(ask: Ask, fleet: Fleet) -> Flags | None:
    return fleet.without(ask.namespace) if ask.namespace else None


PICK_FIXED = Filter("pick-fixed", _unnamed, lambda _, __: "is not among clusterNames")
ELIGIBILITY = Filter("eligibility", _ineligible, _why_ineligible)
FAILOVER = Filter("failover", _silent, _why_silent)
AFFINITY = Filter("cluster-affinity", _unmatched, lambda _, __: "matches no required term")
TAINTS = Filter("taint-toleration", _tainted, _why_tainted)
NAMESPACE = Filter(
    "namespace-affinity", _without_namespace, lambda ask, _: f"has no namespace {ask.namespace}"
)
OF_FIXED = (PICK_FIXED, ELIGIBILITY)
OF_OTHERS = (ELIGIBILITY, FAILOVER, AFFINITY, TAINTS, NAMESPACE)


def filters(ask: Ask) -> tuple[Filter, ...]:
    """Name the filters of a placement in their order; PickFixed asks for no more than it says."""
    return OF_FIXED if ask.kind is PlacementType.PICK_FIXED else OF_OTHERS
