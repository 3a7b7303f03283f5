"""Probes come when they are due, and say what their thresholds say."""

import pytest

from cli.local.runner.pods import Container
from cli.local.runner.probing import Health, Kind, Probing, answered, begin
from tests.unit.cli.local.runner.builders import PROBE, engine

STARTING = {"startupProbe": PROBE | {"periodSeconds": 2, "failureThreshold": 3}}
READY = {"readinessProbe": PROBE | {"periodSeconds": 5, "successThreshold": 2}}
ALIVE = {"livenessProbe": PROBE | {"periodSeconds": 10, "initialDelaySeconds": 20}}


def play(container: Container, until: float, bad: dict[Kind, range]) -> tuple[list[str], Probing]:
    """Let time pass; a probe fails in the seconds that `bad` says."""
    probing, seen = begin(container, 0.0), []
    while coming := probing.next():
        kind, now = coming
        if now > until:
            break
        failure = "HTTP 503" if int(now) in bad.get(kind, ()) else ""
        probing = answered(probing, kind, failure, now)
        seen.append(f"{now:g} {kind}{' failed' if failure else ''}")
    return seen, probing


@pytest.mark.parametrize(
    ("parts", "health"),
    [
        ({}, Health(started=True, ready=True)),
        (READY, Health(started=True, ready=False)),
        (STARTING, Health(started=False, ready=False)),
        (ALIVE, Health(started=True, ready=True)),
    ],
)
def test_who_has_no_probe_is_believed(parts: dict[str, object], health: Health) -> None:
    assert begin(engine(**parts), 0.0).health == health


def test_others_wait_for_the_startup_probe_and_readiness_follows_at_once() -> None:
    container = engine(**STARTING, **READY)
    seen, probing = play(container, 9, {Kind.STARTUP: range(3)})
    assert seen == [
        "0.5 Startup failed",
        "2.5 Startup failed",
        "4.5 Startup",
        "4.5 Readiness",
    ]
    assert probing.health == Health(started=True, ready=False)
    assert play(container, 9.5, {Kind.STARTUP: range(3)})[1].health.ready


def test_a_startup_probe_that_fails_too_often_ends_the_run() -> None:
    seen, probing = play(engine(**STARTING), 99, {Kind.STARTUP: range(99)})
    assert len(seen) == 3
    assert probing.health.doomed == "Startup probe failed: HTTP 503"


def test_liveness_waits_its_delay_and_ends_the_run_after_failures_in_a_row() -> None:
    container = engine(**ALIVE)
    seen, probing = play(container, 99, {Kind.LIVENESS: range(20, 40)})
    assert seen[:3] == ["20.5 Liveness failed", "30.5 Liveness failed", "40.5 Liveness"]
    assert not probing.health.doomed
    seen, probing = play(container, 99, {Kind.LIVENESS: range(20, 50)})
    assert (len(seen), probing.health.doomed) == (3, "Liveness probe failed: HTTP 503")


def test_the_probe_that_failed_says_how_long_the_end_may_take() -> None:
    container = engine(livenessProbe=PROBE | {"terminationGracePeriodSeconds": 1})
    _, probing = play(container, 99, {Kind.LIVENESS: range(99)})
    assert probing.health.grace_seconds == 1


def test_readiness_comes_and_goes() -> None:
    container = engine(readinessProbe=PROBE | {"periodSeconds": 1, "failureThreshold": 2})
    bad = {Kind.READINESS: range(3, 6)}
    ready = [play(container, until, bad)[1].health.ready for until in range(9)]
    assert ready == [False, True, True, True, True, False, False, True, True]


def test_what_was_known_is_believed_until_a_probe_says_otherwise() -> None:
    known = Health(started=True, ready=True)
    probing = begin(engine(**STARTING, **READY), 0.0, known)
    assert probing.health == known
    assert probing.next() == (Kind.READINESS, 0.5)
