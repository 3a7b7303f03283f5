"""An update run as a report: its stages, their tasks and clusters. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Final

from cli.rollout.advice import next_steps, waits_for
from cli.rollout.report import Column, Part, Report, State, Step
from fleet.api.conditions import Condition, find
from fleet.api.staged_update import (
    ClusterUpdateStatus,
    RunState,
    StageStatus,
    StageTask,
    StageTaskStatus,
    StageTaskType,
    UpdateRun,
    UpdateStage,
)

REASONS: Final[Mapping[str, State]] = {
    "UpdateRunWaiting": State.WAITING,
    "UpdateRunStuck": State.STUCK,
    "UpdateRunStopping": State.STOPPING,
    "UpdateRunStopped": State.STOPPED,
    "StageUpdatingWaiting": State.WAITING,
    "StageUpdatingStopping": State.STOPPING,
    "StageUpdatingStopped": State.STOPPED,
    "StageUpdatingSkippedNoClusters": State.SKIPPED,
}
"""What a condition's reason says beyond its status."""
DELETION: Final = "(deletion)"
"""The last stage; a name that no stage of a strategy can have."""
COLUMNS: Final = (Column("CLUSTERS", ("done", "total")),)
Found = tuple[State, Condition | None]


def report(run: UpdateRun) -> Report:
    """Say how far a run is."""
    state, why = _run_state(run)
    stages = tuple(_stages(run))
    clusters = [cluster for stage in stages for cluster in stage.clusters()]
    facts = _facts(run, clusters)
    whole = Step(name=run.name, state=state, why=why, facts=facts, steps=stages)
    return Report(
        title=f"{run.kind()} {run.key}",
        whole=whole,
        columns=COLUMNS,
        waits_for=tuple(waits_for(whole)),
        next=tuple(next_steps(run, whole)),
        goes_on=state not in {State.DONE, State.FAILED},
    )


def _facts(run: UpdateRun, clusters: Sequence[Step]) -> dict[str, str | int]:
    spec = run.spec
    index = run.status.resource_snapshot_index_used or spec.resource_snapshot_index
    return {
        "kind": run.kind(),
        "namespace": run.namespace,
        "placement": spec.placement_name,
        "strategy": spec.staged_rollout_strategy_name,
        "resourceSnapshotIndex": index,
        "wanted": str(spec.state),
        **_progress(clusters),
    }


def _progress(clusters: Sequence[Step]) -> dict[str, int]:
    done = sum(cluster.state is State.DONE for cluster in clusters)
    return {"done": done, "total": len(clusters)}


def _run_state(run: UpdateRun) -> Found:
    conditions, wanted = run.status.conditions, run.spec.state
    planned = find(conditions, "Initialized")
    if planned and planned.false:
        return State.FAILED, planned
    state, why = _state(conditions, "Progressing")
    if why is None:
        ready = planned and wanted is RunState.INITIALIZE
        return (State.READY if ready else State.PENDING), planned
    return _as_wanted(state, wanted), why


def _as_wanted(state: State, wanted: RunState) -> State:
    """Go by what a person has said since the hub looked last."""
    if wanted is RunState.RUN and state is State.STOPPED:
        return State.PENDING
    if wanted is RunState.STOP and state in {State.UPDATING, State.WAITING}:
        return State.STOPPING
    return state


def _state(conditions: Iterable[Condition], going_on: str) -> Found:
    """Read what has ended from Succeeded, and what has not from the condition that is named."""
    conditions = tuple(conditions)
    ended, going = find(conditions, "Succeeded"), find(conditions, going_on)
    if ended and ended.true:
        return REASONS.get(ended.reason, State.DONE), ended
    if ended and ended.false:
        return State.FAILED, ended
    if going is None:
        return State.PENDING, None
    return REASONS.get(going.reason, State.UPDATING), going


def _stages(run: UpdateRun) -> Iterator[Step]:
    strategy = run.status.staged_update_strategy_snapshot
    planned = {stage.name: stage for stage in strategy.stages} if strategy else {}
    for stage in run.status.stages_status:
        yield _stage(stage, stage.stage_name, planned.get(stage.stage_name))
    last = run.status.deletion_stage_status
    if last and last.clusters:
        yield _stage(last, DELETION, None)


def _stage(stage: StageStatus, name: str, planned: UpdateStage | None) -> Step:
    state, why = _state(stage.conditions, "Progressing")
    clusters = tuple(map(_cluster, stage.clusters))
    done = all(cluster.state is State.DONE for cluster in clusters)
    waits = why if done and state is State.WAITING else None
    after = planned.after_stage_tasks if planned else ()
    return Step(
        part=Part.STAGE,
        name=name,
        state=state,
        why=why,
        facts=_progress(clusters),
        steps=(
            *(_task(task, None, None, "before") for task in stage.before_stage_task_status),
            *clusters,
            *(
                _task(task, wanted, waits, "after")
                for task, wanted in zip_longest(stage.after_stage_task_status, after)
                if task
            ),
        ),
    )


def _cluster(cluster: ClusterUpdateStatus) -> Step:
    state, why = _state(cluster.conditions, "Started")
    return Step(part=Part.CLUSTER, name=cluster.cluster_name, state=state, why=why)


def _task(
    task: StageTaskStatus, wanted: StageTask | None, waits: Condition | None, when: str
) -> Step:
    """Say how far a task is; `waits` is since when the stage is ready for those after it."""
    facts = {"type": str(task.type), "when": when}
    if task.type is StageTaskType.APPROVAL:
        return _approval(task, facts)
    return _wait(task, facts, wanted, waits)


def _approval(task: StageTaskStatus, facts: Mapping[str, str]) -> Step:
    asked = find(task.conditions, "ApprovalRequestCreated")
    given = find(task.conditions, "ApprovalRequestApproved")
    state = State.DONE if given and given.true else State.WAITING if asked else State.PENDING
    return Step(
        part=Part.TASK,
        name=f"approval {task.approval_request_name}",
        state=state,
        why=given or asked,
        facts={**facts, "approvalRequest": task.approval_request_name},
    )


def _wait(
    task: StageTaskStatus,
    facts: Mapping[str, str],
    wanted: StageTask | None,
    waits: Condition | None,
) -> Step:
    over = find(task.conditions, "WaitTimeElapsed")
    name = f"wait of {wanted.wait_time}" if wanted else "wait"
    if over and over.true:
        return Step(part=Part.TASK, name=name, state=State.DONE, why=over, facts=facts)
    if waits is None or wanted is None:
        return Step(part=Part.TASK, name=name, state=State.PENDING, why=over, facts=facts)
    until = waits.last_transition_time + wanted.wait
    return Step(
        part=Part.TASK,
        name=name,
        state=State.WAITING,
        why=over or waits,
        facts={**facts, "until": until.isoformat()},
    )
