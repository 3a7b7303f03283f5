"""plan() is a function: a pod, its process and its probes in, steps out."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace as changed

from cli.local.runner.plan import (
    Action,
    Admit,
    Finish,
    Forget,
    Kill,
    Note,
    Observed,
    Plan,
    Start,
    Terminate,
    Trouble,
    backoff,
    plan,
)
from cli.local.runner.pods import Pod
from cli.local.runner.probing import Health
from cli.local.runner.records import Record, Run, Stopping
from tests.unit.cli.local.runner.builders import NOON, at, leaving, pod, record, run

SICK = Health(started=True, doomed="Liveness probe failed: HTTP 503")
RUNNING = {"containerStatuses": [{"name": "engine", "restartCount": 4, "state": {"running": {}}}]}


def step(action: Action) -> str:
    match action:
        case Start(number):
            return f"start {number}"
        case Terminate(deadline, why):
            return f"terminate in {(deadline - NOON).total_seconds():.0f}: {why}"
        case Note(ending, crashes):
            return f"note {ending.exit_code}, {crashes} crashes"
        case _:
            return type(action).__name__.lower()


def told(planned: Plan) -> list[str]:
    steps = [step(action) for action in planned.actions]
    if planned.pause:
        steps.append(planned.pause.reason)
    if planned.wake_in is not None:
        steps.append(f"wake in {planned.wake_in:.0f}")
    return steps or (["report"] if planned.report else [])


def observed(wanted: Pod | None, known: Record | None, **parts: Any) -> Observed:
    return Observed(pod=wanted, record=known, now=NOON, **parts)


@pytest.mark.parametrize(
    ("state", "steps"),
    [
        (observed(pod(), None), ["admit"]),
        (observed(pod(), record()), ["start 0"]),
        (observed(pod(status=RUNNING), record()), ["start 5"]),
        (observed(pod(), record(run()), alive=True), ["report"]),
        (observed(pod(), record(run()), exit_code=3), ["note 3, 1 crashes"]),
        (observed(pod(), record(run())), ["note 137, 1 crashes"]),
        (observed(pod(), record(run(2, code=1), crashes=1)), ["start 3"]),
        (observed(pod(), record(run(code=0), crashes=1)), ["start 1"]),
        (
            observed(pod(), record(run(1, code=1, ended=-4), crashes=2)),
            ["CrashLoopBackOff", "wake in 6"],
        ),
        (observed(pod(), record(run(1, code=1, ended=-10), crashes=2)), ["start 2"]),
        (observed(pod(spec={"restartPolicy": "OnFailure"}), record(run(code=0))), ["report"]),
        (observed(pod(spec={"restartPolicy": "OnFailure"}), record(run(code=1))), ["start 1"]),
        (observed(pod(spec={"restartPolicy": "Never"}), record(run(code=1))), ["report"]),
        (observed(pod(status={"phase": "Failed"}), None), []),
        (observed(pod(status={"phase": "Failed"}), record(run(code=1))), ["report"]),
    ],
    ids=[
        "a pod that comes is taken in",
        "its container starts",
        "a container that ran before under a record that is lost starts again",
        "one that runs is reported",
        "the end of one is noted with its code",
        "one that is gone unseen was killed",
        "one that ended starts again at once",
        "one that ended well starts again too",
        "one that ends again and again waits",
        "and starts when it has waited",
        "one that shall only restart after a failure stays as it is",
        "and restarts after a failure",
        "one that shall never restart does not",
        "a pod that failed before it came here stays as it is",
        "a pod that failed here stays as it is",
    ],
)
def test_a_container_runs_as_its_restart_policy_says(state: Observed, steps: list[str]) -> None:
    assert told(plan(state)) == steps


@pytest.mark.parametrize(
    ("state", "steps"),
    [
        (observed(pod(), record(run()), alive=True, health=SICK),
         [f"terminate in 30: {SICK.doomed}"]),
        (observed(pod(), record(run()), alive=True, health=replace(SICK, grace_seconds=5)),
         [f"terminate in 5: {SICK.doomed}"]),
        (observed(pod(), record(run(stops=9)), alive=True, health=SICK), ["wake in 9"]),
        (observed(pod(), record(run(stops=9)), alive=True), ["wake in 9"]),
        (observed(pod(), record(run(stops=0)), alive=True), ["kill"]),
        (observed(pod(status={"phase": "Failed"}), record(run()), alive=True),
         ["terminate in 30: its pod is finished"]),
        (observed(leaving(), record(run()), alive=True),
         ["terminate in 30: its pod is deleted"]),
        (observed(leaving(), record(run(stops=20)), alive=True), ["wake in 20"]),
        (observed(leaving(5), record(run(stops=20)), alive=True),
         ["terminate in 5: its pod is deleted"]),
        (observed(leaving(0), record(run(stops=0)), alive=True), ["kill"]),
        (observed(leaving(), record(run(stops=9)), exit_code=0), ["note 0, 1 crashes"]),
        (observed(leaving(), record(run(code=0))), ["finish"]),
        (observed(leaving(), record()), ["finish"]),
        (observed(leaving(), None), ["finish"]),
        (observed(leaving(metadata={"deletionGracePeriodSeconds": 0, "finalizers": ["x"]}),
                  record(run(code=0))), ["report"]),
        (observed(None, record(run()), alive=True), ["terminate in 2: its pod is gone"]),
        (observed(None, record(run(stops=1)), alive=True), ["wake in 1"]),
        (observed(None, record(run(stops=0)), alive=True), ["kill"]),
        (observed(None, record(run()))  , ["forget"]),
        (observed(None, None), []),
    ],
    ids=[
        "a container that is not well is asked to end",
        "and has the time that its probe leaves it",
        "it is waited for",
        "even if it is well again",
        "and ended when its time is up",
        "a container of a finished pod ends",
        "a deleted pod's container has the pod's time to end",
        "it is waited for until then",
        "a deadline that came earlier counts",
        "and it is ended when its time is up",
        "its end is noted",
        "then the object goes",
        "the object of a pod that never ran goes at once",
        "and of one that was never taken in",
        "an object that somebody else holds is left to them",
        "a process whose pod is gone is asked to end",
        "it is waited for a moment",
        "and ended",
        "what was kept of it is removed",
        "nothing is done about nothing",
    ],
)  # fmt: skip
def test_a_container_is_ended_as_a_kubelet_does(state: Observed, steps: list[str]) -> None:
    assert told(plan(state)) == steps


def test_what_cannot_be_started_says_why_and_is_tried_again() -> None:
    trouble = Trouble("CreateContainerConfigError", "no ConfigMap", at(5))
    waiting = plan(observed(pod(), record(), trouble=trouble))
    assert told(waiting) == ["CreateContainerConfigError", "wake in 5"]
    assert waiting.report
    past = Trouble("CreateContainerConfigError", "no ConfigMap", NOON)
    assert told(plan(observed(pod(), record(), trouble=past))) == ["start 0"]


def test_a_long_run_ends_a_row_of_crashes() -> None:
    soon = changed(run(), started_at=at(-599))
    assert told(plan(observed(pod(), record(run(), crashes=7)))) == ["note 137, 1 crashes"]
    assert told(plan(observed(pod(), record(soon, crashes=7)))) == ["note 137, 8 crashes"]


def test_the_wait_is_nothing_first_then_doubles_from_10_seconds_to_5_minutes() -> None:
    waits = [backoff(crashes) for crashes in (0, 1, 2, 3, 6, 7, 99)]
    assert waits == [0, 0, 10, 20, 160, 300, 300]


def after(state: Observed, action: Action) -> Observed:
    """Do in facts what a step does to the world."""
    match action:
        case Kill():
            return replace(state, alive=False)
        case Forget():
            return replace(state, record=None)
        case Finish():
            return replace(state, pod=None)
        case Start():
            return replace(state, record=recorded(state, action), alive=True)
        case _:
            return replace(state, record=recorded(state, action))


def recorded(state: Observed, action: Action) -> Record:
    known = state.record or record()
    now = known.run or run()
    match action:
        case Start(number):
            return changed(known, run=Run(number, 1, "boot/2", NOON))
        case Terminate(deadline, why):
            return changed(known, run=changed(now, stopping=Stopping(deadline, why)))
        case Note(ending, crashes):
            return changed(known, run=changed(now, ended=ending), crashes=crashes)
        case _:
            return known


@given(
    wanted=st.sampled_from([None, pod(), leaving(), leaving(0), pod(status={"phase": "Failed"})]),
    known=st.sampled_from(
        [None, record(), record(run()), record(run(stops=0)), record(run(code=1))]
    ),
    alive=st.booleans(),
    health=st.sampled_from([Health(), Health(started=True, ready=True), SICK]),
)
def test_what_is_done_comes_to_rest(
    wanted: Pod | None, known: Record | None, alive: bool, health: Health
) -> None:
    lives = bool(known and known.run and not known.run.ended) and alive
    state = observed(wanted, known, alive=lives, health=health)
    steps = 0
    while actions := plan(state).actions:
        steps += 1
        assert steps < 12, f"still at work: {actions}"
        for action in actions:
            state = after(state, action)


def test_every_action_is_a_step_of_some_state() -> None:
    assert Action == Admit | Start | Terminate | Kill | Note | Finish | Forget
