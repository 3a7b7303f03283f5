"""Say on the hub what the fleet's members say of a workload: one mirrored, several summed. Pure."""

from collections.abc import Sequence
from datetime import datetime

from fleet.api.conditions import Condition, ConditionStatus, find, since
from fleet.api.workspace import InferenceSetStatus, Workspace, WorkspaceState, WorkspaceStatus
from hub.workloads import READY_CONDITIONS, Share, Workload, WorkloadStatus

SILENT = "MemberSilent"
NOT_REPORTED = "NotReported"
NOT_PLACED = "NotPlaced"
MAX_NODES = 100
WORST_FIRST = (
    WorkspaceState.FAILED,
    WorkspaceState.NOT_READY,
    WorkspaceState.PENDING,
    WorkspaceState.RUNNING,
    WorkspaceState.SUCCEEDED,
    WorkspaceState.READY,
)


def report(workload: Workload, shares: Sequence[Share], *, now: datetime) -> WorkloadStatus | None:
    """Say how the workload fares, or None where its status says so already."""
    new: WorkloadStatus
    if isinstance(workload, Workspace):
        new = workspace_status(shares, workload.status, now=now)
    else:
        new = inference_set_status(shares, workload.status, now=now)
    return None if new == workload.status.model_copy(update={"performance": None}) else new


def workspace_status(
    shares: Sequence[Share], old: WorkspaceStatus, *, now: datetime
) -> WorkspaceStatus:
    reported = [s for s in shares if isinstance(s.status, WorkspaceStatus)]
    states = {s.status.state for s in reported if isinstance(s.status, WorkspaceStatus)}
    if len(reported) < len(shares):
        states.add(WorkspaceState.PENDING)
    return WorkspaceStatus(
        state=next((state for state in WORST_FIRST if state in states), WorkspaceState.PENDING),
        worker_nodes=_nodes(shares),
        target_node_count=sum(_target(share) for share in shares),
        conditions=_conditions(shares, old, READY_CONDITIONS["Workspace"], now),
    )


def inference_set_status(
    shares: Sequence[Share], old: InferenceSetStatus, *, now: datetime
) -> InferenceSetStatus:
    statuses = [s.status for s in shares if isinstance(s.status, InferenceSetStatus)]
    ready = [0 if s.silent else _ready_replicas(s) for s in shares]
    return InferenceSetStatus(
        replicas=sum(status.replicas for status in statuses),
        ready_replicas=sum(ready),
        selector=next((status.selector for status in statuses if status.selector), ""),
        conditions=_conditions(shares, old, READY_CONDITIONS["InferenceSet"], now),
    )


def _conditions(
    shares: Sequence[Share], old: WorkloadStatus, ready: str, now: datetime
) -> tuple[Condition, ...]:
    """Sum each type; the readiness is always among them, so that nothing stays unsaid."""
    types = {c.type for share in shares if share.status for c in share.status.conditions}
    types.add(ready)
    return tuple(since(old.conditions, _sum(kind, shares, old, now)) for kind in sorted(types))


def _sum(kind: str, shares: Sequence[Share], old: WorkloadStatus, now: datetime) -> Condition:
    if not shares:
        return _unplaced(kind, old, now)
    each = [(share, _of(kind, share, now)) for share in shares]
    worst_share, worst = min(each, key=lambda pair: (_rank(pair[1].status), pair[0].cluster))
    before = find(old.conditions, kind)
    generations = [share.generation for share in shares]
    known = min(generations) or (before.observed_generation if before else 0)
    message = worst.message
    if len(each) > 1:
        good = sum(condition.true for _, condition in each)
        bad = "" if worst.true else f"; {worst_share.cluster}: {worst.message or worst.reason}"
        message = f"Ready {good}/{len(each)}{bad}"
    return Condition(
        type=kind,
        status=worst.status,
        reason=worst.reason,
        message=message,
        observed_generation=known,
        last_transition_time=worst.last_transition_time,
    )


def _unplaced(kind: str, old: WorkloadStatus, now: datetime) -> Condition:
    before = find(old.conditions, kind)
    return Condition(
        type=kind,
        status=ConditionStatus.FALSE,
        reason=NOT_PLACED,
        message="no placement puts it on a cluster",
        observed_generation=before.observed_generation if before else 0,
        last_transition_time=now,
    )


def _of(kind: str, share: Share, now: datetime) -> Condition:
    told = share.condition(kind)
    if share.silent:
        return Condition(
            type=kind,
            status=ConditionStatus.UNKNOWN,
            reason=SILENT,
            message=f"nothing is heard of {share.cluster}",
            last_transition_time=now,
        )
    if told is None:
        return Condition(
            type=kind,
            status=ConditionStatus.FALSE,
            reason=NOT_REPORTED,
            message=f"{share.cluster} has not reported yet",
            last_transition_time=now,
        )
    return told


def _rank(status: ConditionStatus) -> int:
    return (ConditionStatus.FALSE, ConditionStatus.UNKNOWN, ConditionStatus.TRUE).index(status)


def _nodes(shares: Sequence[Share]) -> tuple[str, ...]:
    """Name the nodes, with their cluster where there are several."""
    several = len(shares) > 1
    nodes = [
        f"{share.cluster}/{node}" if several else node
        for share in shares
        if isinstance(share.status, WorkspaceStatus)
        for node in share.status.worker_nodes
    ]
    return tuple(nodes[:MAX_NODES])


def _target(share: Share) -> int:
    return share.status.target_node_count if isinstance(share.status, WorkspaceStatus) else 0


def _ready_replicas(share: Share) -> int:
    return share.status.ready_replicas if isinstance(share.status, InferenceSetStatus) else 0
