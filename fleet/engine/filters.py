"""Which clusters cannot take a placement, and why. Capacity is judged in `offers`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from fleet.api.placement import PlacementType
from fleet.engine.affinity import matches, required
from fleet.engine.ask import Ask
from fleet.engine.fleet import Flags, Fleet
from fleet.engine.rows import Row
from fleet.engine.silence import too_long


@dataclass(frozen=True, slots=True)
class Filter:
    name: str
    rejects: Callable[[Ask, Fleet], Flags]
    """One flag for each cluster of the fleet."""
    reason: Callable[[Ask, Row], str]
    """Says of a rejected cluster what is wrong with it."""


def _ineligible(ask: Ask, fleet: Fleet) -> Flags:
    return fleet.flags(lambda row: bool(_why_ineligible(ask, row)))


def _why_ineligible(ask: Ask, row: Row) -> str:
    silent = ask.silent_seconds.get(row.name, 0.0)
    health = timedelta(seconds=ask.health_timeout_seconds)
    if row.deleting:
        return "is leaving the fleet"
    if not row.joined:
        return "has not joined the fleet"
    if silent >= ask.heartbeat_timeout_seconds or row.name in ask.stale:
        return f"has not been heard for {max(silent, ask.heartbeat_timeout_seconds):.0f} s"
    if row.unhealthy_since and ask.now - row.unhealthy_since > health:
        return f"its agent is unhealthy since {row.unhealthy_since:%Y-%m-%d %H:%M:%S}"
    return ""


def _silent(ask: Ask, fleet: Fleet) -> Flags:
    silent = too_long(ask, fleet)
    return fleet.flags(lambda row: row.name in silent)


def _why_silent(ask: Ask, row: Row) -> str:
    seconds = ask.silent_seconds[row.name]
    return f"silent for {seconds:.0f} s, {ask.toleration_seconds:.0f} s are tolerated"


def _unnamed(ask: Ask, fleet: Fleet) -> Flags:
    wanted = frozenset(ask.policy.cluster_names)
    return fleet.flags(lambda row: row.name not in wanted)


def _unmatched(ask: Ask, fleet: Fleet) -> Flags:
    selector = required(ask.policy)
    return ~matches(selector, fleet) if selector else np.zeros(len(fleet), np.bool_)


def _tainted(ask: Ask, fleet: Fleet) -> Flags:
    return fleet.flags(lambda row: bool(row.taints) and bool(_why_tainted(ask, row)))


def _why_tainted(ask: Ask, row: Row) -> str:
    for taint in row.taints:
        if not any(toleration.covers(taint) for toleration in ask.policy.tolerations):
            return f"has {taint.key}={taint.value}"
    return ""


def _without_namespace(ask: Ask, fleet: Fleet) -> Flags:
    """A member that reports no namespaces at all is not judged by them."""
    if not ask.namespace:
        return np.zeros(len(fleet), np.bool_)
    return fleet.flags(lambda row: bool(row.namespaces) and ask.namespace not in row.namespaces)


PICK_FIXED = Filter("pick-fixed", _unnamed, lambda _, __: "is not among clusterNames")
ELIGIBILITY = Filter("eligibility", _ineligible, _why_ineligible)
FAILOVER = Filter("failover", _silent, _why_silent)
AFFINITY = Filter("cluster-affinity", _unmatched, lambda _, __: "matches no required term")
TAINTS = Filter("taint-toleration", _tainted, _why_tainted)
NAMESPACE = Filter(
    "namespace-affinity", _without_namespace, lambda ask, _: f"has no namespace {ask.namespace}"
)


def filters(ask: Ask) -> tuple[Filter, ...]:
    """Name the filters of a placement in their order; PickFixed asks for no more than it says."""
    if ask.kind is PlacementType.PICK_FIXED:
        return PICK_FIXED, ELIGIBILITY
    return ELIGIBILITY, FAILOVER, AFFINITY, TAINTS, NAMESPACE
