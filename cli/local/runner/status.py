"""The status of a pod, as a kubelet words it. Pure."""

from collections.abc import Sequence
from datetime import datetime

from cli.local.runner.plan import Observed, Pause
from cli.local.runner.pods import (
    Address,
    Container,
    ContainerState,
    ContainerStatus,
    Pod,
    PodCondition,
    PodStatus,
    Running,
    Terminated,
    Waiting,
)
from cli.local.runner.records import Record, Run

HOST = "127.0.0.1"
_CREATING = Pause("ContainerCreating", "")


def report(observed: Observed, pod: Pod, engine: Container, pause: Pause | None) -> PodStatus:
    """Say how a pod of ours is; times stay where nothing changed."""
    record = observed.record
    statuses = _containers(observed, pod, engine, pause)
    phase = _phase(pod, statuses)
    address = record.address if record else None
    return PodStatus(
        phase=phase,
        pod_ip=address,
        pod_ips=(Address(ip=address),) if address else (),
        host_ip=HOST,
        host_ips=(Address(ip=HOST),),
        start_time=record.admitted_at if record else observed.now,
        conditions=_conditions(pod, statuses, phase, observed.now),
        init_container_statuses=tuple(_completed(c, pod) for c in pod.spec.init_containers),
        container_statuses=statuses,
    )


def same(pod: Pod, status: PodStatus) -> bool:
    """Tell whether the server has all that would be written; others' conditions do not count."""
    ours = {condition.type for condition in status.conditions}
    theirs = tuple(c for c in pod.status.conditions if c.type in ours)
    by_type = {condition.type: condition for condition in theirs}
    if any(by_type.get(condition.type) != condition for condition in status.conditions):
        return False
    return pod.status.model_copy(update={"conditions": ()}) == status.model_copy(
        update={"conditions": ()}
    )


def _containers(
    observed: Observed, pod: Pod, engine: Container, pause: Pause | None
) -> tuple[ContainerStatus, ...]:
    """Report the engine as it is, and beside it what we do not run as if it ran along."""
    ours = _engine(observed, engine, pause)
    return tuple(
        ours if container is engine else _beside(container, ours)
        for container in pod.spec.containers
    )


def _engine(observed: Observed, engine: Container, pause: Pause | None) -> ContainerStatus:
    record, health = observed.record, observed.health
    run = record.run if record else None
    running = observed.alive and run is not None
    return ContainerStatus(
        name=engine.name,
        image=engine.image,
        image_id=engine.image,
        container_id=f"local://{run.pid}" if run else None,
        ready=running and health.ready,
        started=running and health.started,
        restart_count=run.number if run else 0,
        state=_state(run, pause, running=running),
        last_state=_last_state(record, pause, running=running),
    )


def _state(run: Run | None, pause: Pause | None, *, running: bool) -> ContainerState:
    if run and running:
        return ContainerState(running=Running(started_at=run.started_at))
    if run and run.ended and not pause:
        return _terminated(run)
    pause = pause or _CREATING
    return ContainerState(waiting=Waiting(reason=pause.reason, message=pause.message or None))


def _last_state(record: Record | None, pause: Pause | None, *, running: bool) -> ContainerState:
    """Say how the run before ended; while a restart is waited for that is the latest one."""
    if record is None:
        return ContainerState()
    if not running and pause and record.run and record.run.ended:
        return _terminated(record.run)
    return _terminated(record.before) if record.before else ContainerState()


def _terminated(run: Run) -> ContainerState:
    if run.ended is None:
        return ContainerState()
    return ContainerState(
        terminated=Terminated(
            exit_code=run.ended.exit_code,
            reason=run.ended.reason,
            message=run.ended.message or None,
            started_at=run.started_at,
            finished_at=run.ended.at,
        )
    )


def _beside(container: Container, engine: ContainerStatus) -> ContainerStatus:
    runs = engine.state.running is not None
    return engine.model_copy(
        update={
            "name": container.name,
            "image": container.image,
            "image_id": container.image,
            "container_id": None,
            "ready": runs,
            "started": runs,
            "restart_count": 0,
            "last_state": ContainerState(),
        }
    )


def _completed(container: Container, pod: Pod) -> ContainerStatus:
    """Report what comes before the engine, and is not run here, as done."""
    at = pod.metadata.creation_timestamp
    done = Terminated(exit_code=0, reason="Completed", started_at=at, finished_at=at)
    return ContainerStatus(
        name=container.name,
        image=container.image,
        image_id=container.image,
        ready=True,
        state=ContainerState(terminated=done),
    )


def _phase(pod: Pod, statuses: Sequence[ContainerStatus]) -> str:
    if pod.finished:
        return pod.status.phase
    ended = [s.state.terminated for s in statuses if s.state.terminated]
    if len(ended) == len(statuses):
        return _final_phase(pod, ended)
    ran = any(s.state.running or s.last_state.terminated for s in statuses)
    return "Running" if ran else "Pending"


def _final_phase(pod: Pod, ended: Sequence[Terminated]) -> str:
    good = all(one.exit_code == 0 for one in ended)
    again = pod.spec.restart_policy == "Always" or not (good or pod.spec.restart_policy == "Never")
    if again and not pod.deleting:
        return "Running"
    return "Succeeded" if good else "Failed"


def _conditions(
    pod: Pod, statuses: Sequence[ContainerStatus], phase: str, now: datetime
) -> tuple[PodCondition, ...]:
    over = phase in ("Succeeded", "Failed")
    lacking = [status.name for status in statuses if not status.ready]
    reason, message = None, None
    if lacking:
        reason = "ContainersNotReady"
        message = f"containers with unready status: [{' '.join(lacking)}]"
    if over:
        reason, message = "PodCompleted", None
    ready = not lacking and not over
    blocked = _blocked(pod) if ready else None
    return (
        _since(pod, "PodScheduled", True, now),
        _since(pod, "PodReadyToStartContainers", not over, now),
        _since(pod, "Initialized", True, now, "PodCompleted" if over else None),
        _since(pod, "ContainersReady", ready, now, reason, message),
        _since(pod, "Ready", ready and not blocked, now, reason or blocked, message),
    )


def _blocked(pod: Pod) -> str | None:
    """Say that a condition which somebody else sets is still to come."""
    true = {c.type for c in pod.status.conditions if c.status == "True"}
    gates = {gate.condition_type for gate in pod.spec.readiness_gates}
    return None if gates <= true else "ReadinessGatesNotReady"


def _since(
    pod: Pod,
    kind: str,
    holds: bool,
    now: datetime,
    reason: str | None = None,
    message: str | None = None,
) -> PodCondition:
    """Word a condition; its time moves only when its status does."""
    status = "True" if holds else "False"
    old = next((c for c in pod.status.conditions if c.type == kind), None)
    at = old.last_transition_time if old and old.status == status else now
    return PodCondition(
        type=kind, status=status, reason=reason, message=message, last_transition_time=at
    )
