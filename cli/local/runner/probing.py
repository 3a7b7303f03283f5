"""What the probes of a running container say about it, and which comes when. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from cli.local.runner.pods import Container, Probe

FIRST_PROBE_SECONDS = 0.5
"""A period begins anywhere; ours begins so that a quick start is soon noticed."""


class Kind(StrEnum):
    STARTUP = "Startup"
    READINESS = "Readiness"
    LIVENESS = "Liveness"


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of a run: reported, and obeyed."""

    started: bool = False
    ready: bool = False
    doomed: str = ""
    """Why it must end: a startup or liveness probe has failed too often."""
    grace_seconds: int | None = None
    """What the probe that failed leaves it to end, where it says so."""


UNKNOWN = Health()


@dataclass(frozen=True, slots=True)
class Probing:
    """Where the probes of one run are; times are in seconds on any clock."""

    probes: Mapping[Kind, Probe]
    health: Health
    due: Mapping[Kind, float] = field(default_factory=dict)
    streaks: Mapping[Kind, int] = field(default_factory=dict)
    """Answers in a row, good ones as positive numbers, bad ones as negative."""

    def next(self) -> tuple[Kind, float] | None:
        """Say which probe comes next, and when."""
        active = (Kind.READINESS, Kind.LIVENESS) if self.health.started else (Kind.STARTUP,)
        times = [(self.due[kind], kind) for kind in active if kind in self.probes]
        if not times or self.health.doomed:
            return None
        at, kind = min(times)
        return kind, at


def begin(container: Container, now: float, known: Health | None = None) -> Probing:
    """Begin with a container that just started, or with what was `known` of one that runs."""
    probes = {
        kind: probe
        for kind, probe in (
            (Kind.STARTUP, container.startup_probe),
            (Kind.READINESS, container.readiness_probe),
            (Kind.LIVENESS, container.liveness_probe),
        )
        if probe
    }
    started = Kind.STARTUP not in probes
    health = known or Health(started=started, ready=started and Kind.READINESS not in probes)
    due = {kind: now + _first(probe) for kind, probe in probes.items()}
    return Probing(probes, health, due)


def _first(probe: Probe) -> float:
    return probe.initial_delay_seconds + min(FIRST_PROBE_SECONDS, probe.period_seconds)


def answered(probing: Probing, kind: Kind, failure: str, now: float) -> Probing:
    """Take in an answer: `failure` says what was wrong with it, "" that it was good."""
    probe, streak = probing.probes[kind], probing.streaks.get(kind, 0)
    streak = min(streak, 0) - 1 if failure else max(streak, 0) + 1
    after = replace(
        probing,
        due={**probing.due, kind: now + probe.period_seconds},
        streaks={**probing.streaks, kind: streak},
    )
    if streak >= probe.success_threshold:
        return _passed(after, kind, now)
    if -streak >= probe.failure_threshold:
        return _failed(after, kind, failure)
    return after


def _passed(probing: Probing, kind: Kind, now: float) -> Probing:
    match kind:
        case Kind.STARTUP:
            ready = Kind.READINESS not in probing.probes
            due = {**probing.due, **({} if ready else {Kind.READINESS: now})}
            health = replace(probing.health, started=True, ready=ready)
            return replace(probing, health=health, due=due)
        case Kind.READINESS:
            return replace(probing, health=replace(probing.health, ready=True))
        case Kind.LIVENESS:
            return probing


def _failed(probing: Probing, kind: Kind, failure: str) -> Probing:
    if kind is Kind.READINESS:
        return replace(probing, health=replace(probing.health, ready=False))
    why = f"{kind} probe failed: {failure}"
    grace = probing.probes[kind].termination_grace_period_seconds
    return replace(probing, health=replace(probing.health, doomed=why, grace_seconds=grace))
