"""A pod's status is worded as a kubelet words it."""

from typing import Any

import pytest

from cli.local.runner.plan import Observed, Pause
from cli.local.runner.pods import Pod, PodStatus
from cli.local.runner.probing import Health
from cli.local.runner.records import Record
from cli.local.runner.status import report, same
from tests.unit.cli.local.runner.builders import NOON, at, leaving, pod, record, run

WELL = Health(started=True, ready=True)
LOOP = Pause("CrashLoopBackOff", "back-off 10s restarting failed container")


def status_of(
    wanted: Pod, known: Record, pause: Pause | None = None, later: float = 0, **parts: Any
) -> PodStatus:
    observed = Observed(pod=wanted, record=known, now=at(later), **parts)
    return report(observed, wanted, wanted.spec.containers[0], pause)


def told(wanted: Pod, status: PodStatus) -> Pod:
    """Give the pod as the server has it after the status was written."""
    return Pod.model_validate(wanted.manifest() | {"status": status.dump()})


def holds(status: PodStatus) -> dict[str, str]:
    return {c.type: c.status if c.reason is None else c.reason for c in status.conditions}


def test_a_container_that_runs_and_is_well_makes_its_pod_ready() -> None:
    status = status_of(pod(), record(run(2), before=run(1, code=1)), alive=True, health=WELL)
    (container,) = status.container_statuses
    assert (status.phase, status.pod_ip, status.host_ip) == ("Running", "127.1.0.1", "127.0.0.1")
    assert (container.ready, container.started, container.restart_count) == (True, True, 2)
    assert container.state.running
    assert container.last_state.terminated
    assert container.last_state.terminated.exit_code == 1
    assert set(holds(status).values()) == {"True"}
    assert set(holds(status)) >= {"PodScheduled", "Initialized", "ContainersReady", "Ready"}


@pytest.mark.parametrize(
    ("wanted", "known", "pause", "phase", "state", "ready"),
    [
        (pod(), record(), None, "Pending", "ContainerCreating", "ContainersNotReady"),
        (pod(), record(run()), None, "Running", "running", "ContainersNotReady"),
        (pod(), record(run(code=1)), LOOP, "Running", "CrashLoopBackOff",
         "ContainersNotReady"),
        (pod(), record(run(code=1)), None, "Running", "exit 1", "ContainersNotReady"),
        (pod(spec={"restartPolicy": "Never"}), record(run(code=1)), None, "Failed",
         "exit 1", "PodCompleted"),
        (pod(spec={"restartPolicy": "Never"}), record(run(code=0)), None, "Succeeded",
         "exit 0", "PodCompleted"),
        (pod(spec={"restartPolicy": "OnFailure"}), record(run(code=0)), None, "Succeeded",
         "exit 0", "PodCompleted"),
        (leaving(), record(run(code=0)), None, "Succeeded", "exit 0", "PodCompleted"),
        (leaving(), record(run(code=137)), None, "Failed", "exit 137", "PodCompleted"),
        (pod(status={"phase": "Failed"}), record(run(code=0)), None, "Failed", "exit 0",
         "PodCompleted"),
    ],
)  # fmt: skip
def test_each_state_has_its_words(
    wanted: Pod, known: Record, pause: Pause | None, phase: str, state: str, ready: str
) -> None:
    status = status_of(wanted, known, pause, alive=state == "running")
    now = status.container_statuses[0].state
    words = now.waiting.reason if now.waiting else "running"
    words = f"exit {now.terminated.exit_code}" if now.terminated else words
    assert (status.phase, words, holds(status)["Ready"]) == (phase, state, ready)


def test_while_a_restart_is_waited_for_the_last_end_is_told() -> None:
    known = record(run(1, code=3), before=run(0, code=9))
    last = status_of(pod(), known, LOOP).container_statuses[0].last_state
    assert last.terminated
    assert last.terminated.exit_code == 3


def test_nothing_is_said_twice() -> None:
    known = record(run())
    status = status_of(pod(), known, alive=True, health=WELL)
    wanted = told(pod(), status)
    assert same(wanted, status_of(wanted, known, alive=True, health=WELL, later=60))
    assert not same(wanted, status_of(wanted, known, alive=True, later=60))


def test_what_others_say_of_a_pod_is_left_alone() -> None:
    known = record(run())
    status = status_of(pod(), known, alive=True, health=WELL)
    wanted = told(pod(), status)
    other = {"type": "Traffic", "status": "False"}
    conditions = [*wanted.status.dump()["conditions"], other]
    wanted = pod(status=wanted.status.dump() | {"conditions": conditions})
    assert same(wanted, status_of(wanted, known, alive=True, health=WELL))


def test_a_transition_time_moves_only_with_its_status() -> None:
    known = record(run())
    wanted = told(pod(), status_of(pod(), known, alive=True))
    later = status_of(wanted, known, alive=True, health=WELL, later=60)
    times = {c.type: c.last_transition_time for c in later.conditions}
    assert times["Initialized"] == NOON
    assert times["Ready"] == at(60)


@pytest.mark.parametrize(("said", "ready"), [("False", "ReadinessGatesNotReady"), ("True", "True")])
def test_a_readiness_gate_is_waited_for(said: str, ready: str) -> None:
    wanted = pod(
        spec={"readinessGates": [{"conditionType": "Traffic"}]},
        status={"conditions": [{"type": "Traffic", "status": said}]},
    )
    status = status_of(wanted, record(run()), alive=True, health=WELL)
    assert holds(status)["Ready"] == ready
    assert holds(status)["ContainersReady"] == "True"


def test_containers_that_are_not_run_go_along_with_the_engine() -> None:
    beside = {"name": "proxy", "image": "proxy"}
    spec = {"initContainers": [{"name": "get", "image": "get"}]}
    wanted = pod(spec=spec | {"containers": [*pod().spec.dump()["containers"], beside]})
    status = status_of(wanted, record(run(3)), alive=True)
    assert [(s.name, s.ready, s.restart_count) for s in status.container_statuses] == [
        ("engine", False, 3),
        ("proxy", True, 0),
    ]
    (init,) = status.init_container_statuses
    assert init.state.terminated
    assert init.state.terminated.reason == "Completed"
