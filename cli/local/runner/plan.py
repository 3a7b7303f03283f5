"""What a node does about a pod, given what runs and what probes found: pure, as a kubelet would."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cli.local.runner.pods import Pod
from cli.local.runner.probing import UNKNOWN, Health
from cli.local.runner.records import Ending, Record, Run

BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS = 10.0, 300.0
CALM_SECONDS = 600.0
"""A run as long as this is no crash: the next one does not wait for earlier ones."""
ORPHAN_GRACE_SECONDS = 2.0
"""Left to a process whose pod is gone."""
KILLED = 137
"""Exit code of a process that was killed, or whose end nobody saw."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a container cannot be started for now."""

    reason: str
    message: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A pod of ours, as it is wanted and as it runs; without a pod what is left of one."""

    pod: Pod | None
    record: Record | None
    alive: bool = False
    exit_code: int | None = None
    """Of a process that ended, where we saw it end."""
    health: Health = UNKNOWN
    trouble: Trouble | None = None
    now: datetime


@dataclass(frozen=True, slots=True)
class Admit:
    """Give the pod an address, and remember it."""


@dataclass(frozen=True, slots=True)
class Start:
    number: int
    """Lives before this one."""


@dataclass(frozen=True, slots=True)
class Terminate:
    """Ask the process to end, and remember until when it may take."""

    deadline: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Kill:
    """End the process."""


@dataclass(frozen=True, slots=True)
class Note:
    """Remember how the process ended, and how many ended soon."""

    ending: Ending
    crashes: int


@dataclass(frozen=True, slots=True)
class Finish:
    """Let the object go: nothing of it runs any more."""


@dataclass(frozen=True, slots=True)
class Forget:
    """Remove what was kept of the pod."""


Action = Admit | Start | Terminate | Kill | Note | Finish | Forget


@dataclass(frozen=True, slots=True)
class Pause:
    """Why nothing runs though something should."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps to take, or, where there is nothing to do but to report, what to say."""

    actions: tuple[Action, ...] = ()
    report: bool = False
    pause: Pause | None = None
    wake_in: float | None = None
    """Seconds after which to look again though nothing has happened."""


def plan(observed: Observed) -> Plan:
    pod, record = observed.pod, observed.record
    if pod is None:
        return _without_pod(observed)
    return _with_pod(observed, pod, record) if record else _unknown(pod)


def _with_pod(observed: Observed, pod: Pod, record: Record) -> Plan:
    if record.run and record.run.ended is None and not observed.alive:
        return Plan((_note(observed, record, record.run),))
    if pod.deleting:
        return _leaving(observed, pod, record)
    if observed.alive:
        return _running(observed, pod, record)
    return _stopped(observed, pod, record)


def _without_pod(observed: Observed) -> Plan:
    record = observed.record
    if record is None:
        return Plan()
    if not observed.alive:
        return Plan((Forget(),))
    return _ending(observed, record, _after(observed, ORPHAN_GRACE_SECONDS), "its pod is gone")


def _unknown(pod: Pod) -> Plan:
    """Take a pod in, unless it is at its end: then nothing of it runs here."""
    if pod.deleting:
        return Plan((Finish(),))
    return Plan() if pod.finished else Plan((Admit(),))


def _leaving(observed: Observed, pod: Pod, record: Record) -> Plan:
    if observed.alive:
        deadline = pod.metadata.deletion_timestamp or observed.now
        return _ending(observed, record, deadline, "its pod is deleted", sooner=True)
    if pod.metadata.deletion_grace_period_seconds == 0 and pod.metadata.finalizers:
        return Plan(report=True)
    return Plan((Finish(),), report=True)


def _running(observed: Observed, pod: Pod, record: Record) -> Plan:
    stopping = record.run.stopping if record.run else None
    doomed = "its pod is finished" if pod.finished else observed.health.doomed
    if not stopping and not doomed:
        return Plan(report=True)
    grace = observed.health.grace_seconds
    if grace is None:
        grace = pod.spec.termination_grace_period_seconds
    deadline = _after(observed, grace)
    return _ending(observed, record, deadline, doomed)


def _ending(
    observed: Observed, record: Record, deadline: datetime, why: str, *, sooner: bool = False
) -> Plan:
    """Ask a process to end, wait, then end it; `sooner` may bring an earlier deadline forward."""
    stopping = record.run.stopping if record.run else None
    if not stopping or (sooner and deadline < stopping.deadline):
        return Plan((Terminate(deadline, why),))
    left = (stopping.deadline - observed.now).total_seconds()
    if left <= 0:
        return Plan((Kill(),), report=True)
    return Plan(report=True, wake_in=left)


def _stopped(observed: Observed, pod: Pod, record: Record) -> Plan:
    run, trouble = record.run, observed.trouble
    if run and run.ended and not _again(pod, run.ended):
        return Plan(report=True)
    if trouble and observed.now < trouble.until:
        left = (trouble.until - observed.now).total_seconds()
        return Plan(report=True, pause=Pause(trouble.reason, trouble.message), wake_in=left)
    if run is None or run.ended is None:
        return Plan((Start(_lives_before(pod)),))
    return _again_when_due(observed, record, run, run.ended)


def _again_when_due(observed: Observed, record: Record, run: Run, ended: Ending) -> Plan:
    wait = backoff(record.crashes)
    left = (ended.at + timedelta(seconds=wait) - observed.now).total_seconds()
    if left <= 0:
        return Plan((Start(run.number + 1),))
    message = f"back-off {wait:.0f}s restarting failed container"
    return Plan(report=True, pause=Pause("CrashLoopBackOff", message), wake_in=left)


def _again(pod: Pod, ended: Ending) -> bool:
    """Say whether the restart policy wants another run."""
    if pod.finished or pod.spec.restart_policy == "Never":
        return False
    return pod.spec.restart_policy == "Always" or ended.exit_code != 0


def _lives_before(pod: Pod) -> int:
    """Count runs that an earlier node knew of, where our own record of them is lost."""
    lived = [s.restart_count + 1 for s in pod.status.container_statuses if s.state.running]
    return max(lived, default=0)


def _note(observed: Observed, record: Record, run: Run) -> Note:
    code = KILLED if observed.exit_code is None else observed.exit_code
    reason = "Completed" if code == 0 else "Error"
    message = run.stopping.why if run.stopping else ""
    if observed.exit_code is None and not run.stopping:
        message = "found gone"
    ending = Ending(code, reason, observed.now, message)
    calm = (observed.now - run.started_at).total_seconds() >= CALM_SECONDS
    return Note(ending, 1 if calm else record.crashes + 1)


def _after(observed: Observed, seconds: float) -> datetime:
    return observed.now + timedelta(seconds=seconds)


def backoff(crashes: int) -> float:
    """Seconds: none after the first end, then 10 s doubling up to 300 s."""
    if crashes <= 1:
        return 0.0
    return min(BACKOFF_SECONDS * 2.0 ** min(crashes - 2, 10), LONGEST_BACKOFF_SECONDS)
