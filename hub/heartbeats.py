"""Since when each member has been silent, on the hub's own clock.

A heartbeat's timestamp comes from the member's clock, so it is only asked whether it changes. What
cannot have been seen does not count: silence begins anew at the start and after a gap in the watch,
and while the watch is lost no time goes by.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from fleet.api.cluster import MemberCluster
from fleet.engine.silence import HEARTBEATS, OVERDUE
from fleet.kube.cache import Cache
from fleet.runtime.clock import Clock

TICK_SECONDS: Final = 0.5
"""Between looks; a member falls silent that much later at most."""


@dataclass(slots=True)
class Pulse:
    """What is known of one member's heartbeat."""

    beat: datetime | None
    since: float
    """Seconds of the hub's clock at which it was seen last, or first looked for."""
    period: float
    silent: bool = False


class Heartbeats:
    def __init__(self, monotonic: Callable[[], float], clock: Clock) -> None:
        self._monotonic, self._clock = monotonic, clock
        self._pulses: dict[str, Pulse] = {}
        self._listeners: list[Callable[[str], None]] = []
        self._silent: set[str] = set()
        self._unheard: set[str] = set()
        """Members of which only the timestamp tells: they are not looked for among all."""
        self._lost_at: float | None = None
        """Since when nothing can be seen."""

    def follow(self, members: Cache[MemberCluster]) -> None:
        def seen(member: MemberCluster) -> None:
            if members.get(member.key) is None:
                self.gone(member.name)
            else:
                self.heard(member)

        members.on_change(seen)
        members.on_loss(self.lost)
        members.on_gap(self.gap)

    def on_change(self, listener: Callable[[str], None]) -> None:
        """Hear of a member that falls silent or answers again."""
        self._listeners.append(listener)

    def heard(self, member: MemberCluster) -> None:
        """Take note of a member, and of its heartbeat if it is a new one.

        One that is older than the last is no heartbeat: its time is judged anew.
        """
        pulse, now = self._pulses.get(member.name), self._now()
        period = float(member.spec.heartbeat_period_seconds)
        if pulse is None or _goes_back(pulse.beat, member.heartbeat):
            stale = self._age(member.heartbeat) > timedelta(seconds=HEARTBEATS * period)
            was = stale if pulse is None else pulse.silent
            pulse = self._pulses[member.name] = Pulse(member.heartbeat, now, period, silent=was)
            self._unheard.add(member.name)
            (self._silent.add if stale else self._silent.discard)(member.name)
            self._turn(member.name, pulse, silent=stale)
            return
        pulse.period = period
        if member.heartbeat != pulse.beat:
            pulse.beat, pulse.since = member.heartbeat, now
            self._unheard.discard(member.name)
            self._turn(member.name, pulse, silent=False)

    def gone(self, name: str) -> None:
        self._pulses.pop(name, None)
        self._silent.discard(name)
        self._unheard.discard(name)

    def lost(self) -> None:
        """Stand still: it is we who do not hear."""
        self._lost_at = self._now()

    def gap(self) -> None:
        """Begin anew: nothing was seen for a while. Who was silent stays so until it is heard."""
        self._lost_at = None
        now = self._now()
        for pulse in self._pulses.values():
            pulse.since = now

    def silent(self, name: str) -> bool:
        """Whether a member has missed so many heartbeats that nothing is known of it any more."""
        pulse = self._pulses.get(name)
        return pulse is not None and pulse.silent

    def all(self) -> Mapping[str, bool]:
        """Give every member, with whether it is silent."""
        return {name: pulse.silent for name, pulse in self._pulses.items()}

    def silences(self) -> Mapping[str, float]:
        """Give the silent members, with the seconds for which we have listened in vain."""
        now = self._now()
        return {name: now - self._pulses[name].since for name in self._silent}

    def overdue(self) -> Mapping[str, float]:
        """Give the members whose heartbeat is late and who are not silent yet, and since when."""
        now = self._now()
        waited = {n: (now - p.since, p.period) for n, p in self._pulses.items() if not p.silent}
        return {name: s for name, (s, period) in waited.items() if s >= OVERDUE * period}

    def stale(self, seconds: float) -> frozenset[str]:
        """Name those not seen to beat since the start, and whose last heartbeat is that old."""
        age = timedelta(seconds=seconds)
        unheard = ((name, self._pulses[name].beat) for name in self._unheard)
        return frozenset(name for name, beat in unheard if self._age(beat) >= age)

    def tick(self) -> None:
        """Tell the listeners who has fallen silent."""
        now = self._now()
        for name, pulse in self._pulses.items():
            if not pulse.silent and now - pulse.since >= HEARTBEATS * pulse.period:
                self._turn(name, pulse, silent=True)

    async def run(self) -> None:
        while True:
            self.tick()
            await asyncio.sleep(TICK_SECONDS)

    def _now(self) -> float:
        return self._monotonic() if self._lost_at is None else self._lost_at

    def _age(self, beat: datetime | None) -> timedelta:
        """A member that never beat has not joined yet, which others judge."""
        return timedelta() if beat is None else self._clock() - beat

    def _turn(self, name: str, pulse: Pulse, *, silent: bool) -> None:
        if pulse.silent != silent:
            pulse.silent = silent
            (self._silent.add if silent else self._silent.discard)(name)
            for listener in self._listeners:
                listener(name)


def _goes_back(old: datetime | None, new: datetime | None) -> bool:
    return old is not None and new is not None and new < old
