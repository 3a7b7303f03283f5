"""Who else may write what we write, and whether it is there, by its Leases. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from fleet.api.keys import Key

SANE_SECONDS: Final = 3600.0
"""No clock is that far off: a Lease that nobody has renewed for longer is a leftover."""
DEFAULT_SECONDS: Final = 15.0
MEMBER_NAMESPACES: Final = "fleet-member-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """A system that reconciles kinds of ours; one that runs without a Lease is not noticed."""

    name: str
    lease: str
    way_out: str

    def owns(self, key: Key) -> bool:
        """Whether a Lease is the system's own: in its namespace on the hub any agent writes."""
        return key.name == self.lease and not key.namespace.startswith(MEMBER_NAMESPACES)


KAITO: Final = Rival(
    name="KAITO",
    lease="ef60f9b0.io",
    way_out="stop KAITO, or start the agent with --beside (MEMBER_AGENT_BESIDE=true): it then"
    " places and reports, and leaves Workspaces and InferenceSets to KAITO",
)
KUBEFLEET_AGENT: Final = Rival(
    name="KubeFleet's member agent",
    lease="136224848560.member.fleet.azure.com",
    way_out="stop KubeFleet's member agent: both would apply the same Works",
)
KUBEFLEET_HUB: Final = Rival(
    name="KubeFleet's hub agent",
    lease="136224848560.hub.fleet.azure.com",
    way_out="stop KubeFleet's hub agent, or start the hub with --beside (HUB_BESIDE=true): it then"
    " serves ModelDeployments and ModelServices, and leaves members and placements to KubeFleet",
)


class Presence(StrEnum):
    THERE = "is there"
    DOUBTFUL = "may be there: its Lease is watched for its duration"
    GONE = "is gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """A Lease as we saw it, and when, in the seconds of a timer of our own."""

    key: Key
    spec: Mapping[str, Any]
    first: float
    renewed: float | None = None
    """When we last saw it change; their clock tells of the first sight alone."""

    @property
    def holder(self) -> str:
        return str(self.spec.get("holderIdentity") or "")

    @property
    def duration(self) -> float:
        return float(self.spec.get("leaseDurationSeconds") or DEFAULT_SECONDS)


class Verdict(NamedTuple):
    presence: Presence
    until: float | None = None
    """When time alone changes it."""


def see(old: Sight | None, key: Key, spec: Mapping[str, Any], now: float) -> Sight:
    """Look at a Lease once more."""
    if old is None:
        return Sight(key=key, spec=spec, first=now)
    return old if old.spec == spec else replace(old, spec=spec, renewed=now)


def judge(sight: Sight, *, now: float, wall: datetime) -> Verdict:
    """Say whether a Lease is kept: renewed before our eyes, or not long ago by their clock.

    A clock that is off makes a Lease doubtful, not gone: it is looked at for its duration.
    """
    if not sight.holder:
        return Verdict(Presence.GONE)
    end = (sight.first if sight.renewed is None else sight.renewed) + sight.duration
    if now >= end:
        return Verdict(Presence.GONE)
    if sight.renewed is not None:
        return Verdict(Presence.THERE, end)
    age = _age(sight, wall)
    if age > max(SANE_SECONDS, sight.duration):
        return Verdict(Presence.GONE)
    return Verdict(Presence.THERE if age <= sight.duration else Presence.DOUBTFUL, end)


def _age(sight: Sight, wall: datetime) -> float:
    """Seconds between their time and ours, whichever is ahead; endless where they give none."""
    try:
        told = datetime.fromisoformat(str(sight.spec.get("renewTime")))
        return abs((wall - told).total_seconds())
    except (TypeError, ValueError):
        return float("inf")
