"""Another cluster that reports under our name: of two the one that was first there goes on.

Two clusters may be given the same name in a fleet, each with a good token. Both would apply what is
placed on one of them, and take each other's word for their own.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fleet.api import names
from fleet.api.cluster import InternalMemberCluster
from fleet.api.core import Namespace
from fleet.api.objects import Key
from fleet.kube.cache import Cache
from fleet.kube.solitude import Solitude
from fleet.runtime.clock import Clock

PERIODS: Final = 3
"""Heartbeats that the other may miss before it counts as gone."""
SYSTEM: Final = Key("", "kube-system")
WAY_OUT: Final = "join one of the two again by another name, or let the other leave first"


@dataclass(frozen=True, slots=True)
class Report:
    """The last report under our name, and when it can have been made."""

    cluster: str
    """UID by which clusters are told apart; empty where it does not say."""
    beat: datetime | None
    at: float
    """In the seconds of our own timer."""
    period: float

    @property
    def until(self) -> float:
        """When whoever made it counts as gone."""
        return self.at + PERIODS * self.period


def rival(report: Report, own: str, *, wrote: bool, now: float) -> str:
    """Name the cluster that we make way for; of two that both began, the lesser name goes on."""
    other = report.cluster
    if not (own and other) or other == own or now >= report.until:
        return ""
    return "" if wrote and own < other else other


class Twin(Solitude):
    def __init__(
        self,
        membership: Cache[InternalMemberCluster],
        namespaces: Cache[Namespace],
        key: Key,
        clock: Clock,
    ) -> None:
        super().__init__("another cluster of this name")
        self._membership, self._namespaces = membership, namespaces
        self._key, self._clock = key, clock
        self._changed = asyncio.Event()
        self._report: Report | None = None
        self._wrote = False
        membership.on_change(lambda _: self._changed.set())
        namespaces.on_change(lambda _: self._changed.set(), part=lambda space: space.metadata.uid)

    async def run(self) -> None:
        """Look at every report, and again when the other's silence has lasted, for ever."""
        await self._membership.filled.wait()
        await self._namespaces.filled.wait()
        while True:
            self._changed.clear()
            until = self._look()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(until):
                    await self._changed.wait()

    def _look(self) -> float | None:
        """Judge the last report, and say until when that holds."""
        now, own = asyncio.get_running_loop().time(), self._own()
        report = self._report = self._seen(now)
        if report is None:
            self.settle("")
            return None
        self._wrote = self._wrote or (bool(own) and report.cluster == own)
        other = rival(report, own, wrote=self._wrote, now=now)
        self._wrote = self._wrote and not other
        self.settle(self._wording(other))
        return report.until if other else None

    def _seen(self, now: float) -> Report | None:
        membership, old = self._membership.get(self._key), self._report
        if membership is None:
            return None
        agent, said = membership.status.agent, membership.status.properties.get(names.CLUSTER_ID)
        beat, cluster = agent.last_received_heartbeat if agent else None, said.value if said else ""
        period = float(membership.spec.heartbeat_period_seconds)
        if old is None:
            age = (self._clock() - beat).total_seconds() if beat else PERIODS * period
            return Report(cluster, beat, now - max(age, 0.0), period)
        return Report(cluster, beat, old.at if beat == old.beat else now, period)

    def _own(self) -> str:
        system = self._namespaces.get(SYSTEM)
        return system.metadata.uid if system else ""

    def _wording(self, other: str) -> str:
        name = self._key.name
        return f"another cluster reports as {name} ({other}); {WAY_OUT}" if other else ""
