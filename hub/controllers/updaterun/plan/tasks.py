"""What a stage waits for before and after its clusters: a person's word, and time. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from fleet.api import names
from fleet.api.conditions import find
from fleet.api.objects import Metadata
from fleet.api.staged_update import (
    Approval,
    ApprovalSpec,
    StageStatus,
    StageTask,
    StageTaskStatus,
    StageTaskType,
    UpdateRun,
    UpdateStage,
)
from hub.controllers.updaterun.plan.actions import Accept, Action, Ask, Withdraw
from hub.controllers.updaterun.plan.context import Context
from hub.controllers.updaterun.plan.errors import AbortedError
from hub.controllers.updaterun.plan.marks import APPROVED, ELAPSED, PROGRESSING, true

BEFORE, AFTER = "before", "after"
TASK_TYPES = {BEFORE: names.BEFORE_STAGE, AFTER: names.AFTER_STAGE}


@dataclass(frozen=True, slots=True)
class Task:
    """A task one step on."""

    status: StageTaskStatus
    actions: tuple[Action, ...] = ()
    waits_for: str = ""
    """Empty where the task is done."""
    again_in_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Tasks:
    """The tasks of one side of a stage one step on; those of a stage go on side by side."""

    all: tuple[Task, ...]

    @property
    def statuses(self) -> tuple[StageTaskStatus, ...]:
        return tuple(task.status for task in self.all)

    @property
    def actions(self) -> tuple[Action, ...]:
        return tuple(action for task in self.all for action in task.actions)

    @property
    def waits_for(self) -> str:
        return "; ".join(task.waits_for for task in self.all if task.waits_for)

    @property
    def again_in_seconds(self) -> float | None:
        return soonest(task.again_in_seconds for task in self.all)


def soonest(seconds: Iterable[float | None]) -> float | None:
    return min((each for each in seconds if each is not None), default=None)


def planned(run: str, stage: UpdateStage, side: str) -> Iterator[StageTaskStatus]:
    """List the tasks of a side as they are before anything was done."""
    for task in of(stage, side):
        if task.type is StageTaskType.APPROVAL:
            name = f"{run}-{side}-{stage.name}"
            yield StageTaskStatus(type=task.type, approval_request_name=name)
        else:
            yield StageTaskStatus(type=task.type)


def of(stage: UpdateStage, side: str) -> Sequence[StageTask]:
    return stage.before_stage_tasks if side == BEFORE else stage.after_stage_tasks


def before(context: Context, stage: StageStatus, config: UpdateStage) -> Tasks:
    asked = stage.before_stage_task_status
    return Tasks(tuple(_approval(context, config, status, BEFORE) for status in asked))


def after(context: Context, stage: StageStatus, config: UpdateStage) -> Tasks:
    """Carry on with what follows the last cluster; `stage` says since when it waits."""
    both = zip(config.after_stage_tasks, stage.after_stage_task_status, strict=True)
    return Tasks(tuple(_after(context, stage, config, *pair) for pair in both))


def _after(
    context: Context,
    stage: StageStatus,
    config: UpdateStage,
    task: StageTask,
    status: StageTaskStatus,
) -> Task:
    match task.type:
        case StageTaskType.APPROVAL:
            return _approval(context, config, status, AFTER)
        case StageTaskType.TIMED_WAIT:
            return _timed(context, stage, task, status)


def _timed(context: Context, stage: StageStatus, task: StageTask, status: StageTaskStatus) -> Task:
    waits = find(stage.conditions, PROGRESSING)
    since = waits.last_transition_time if waits else context.now
    left = (since + task.wait - context.now).total_seconds()
    if left <= 0 or true(status.conditions, ELAPSED):
        return Task(context.pen.elapsed(status))
    text = f"stage {stage.stage_name} waits {task.wait_time} after its last cluster"
    return Task(status, waits_for=text, again_in_seconds=left)


def _approval(context: Context, config: UpdateStage, status: StageTaskStatus, side: str) -> Task:
    """Ask once, and take the word that was given; it counts even where it is taken back."""
    if true(status.conditions, APPROVED):
        return Task(status)
    name = status.approval_request_name
    asked, known = context.approvals.get(name), context.pen.requested(status)
    asks = f"stage {config.name} waits for approval request {name}: give it a condition Approved"
    if asked is None:
        return Task(known, (Ask(context.run, _request(context, config.name, name, side)),), asks)
    if _of_a_namesake(asked, context.run):
        return Task(status, (Withdraw(asked),), asks, again_in_seconds=1.0)
    _mine(asked, context.run, config)
    if accepted(asked) or approved(asked):
        accept = () if accepted(asked) else (Accept(asked),)
        return Task(context.pen.approved(known), accept)
    return Task(known, waits_for=asks)


def _mine(asked: Approval, run: UpdateRun, config: UpdateStage) -> None:
    spec = asked.spec
    if (spec.parent_stage_rollout, spec.target_stage) != (run.name, config.name):
        raise AbortedError(
            f"approval request {asked.name} is of run {spec.parent_stage_rollout} and stage"
            f" {spec.target_stage}: delete it, and make a new run"
        )


def approved(approval: Approval) -> bool:
    """Say whether a person has given their word; they may leave the generation out."""
    said = find(approval.status.conditions, "Approved")
    known = (0, approval.metadata.generation)
    return said is not None and said.true and said.observed_generation in known


def accepted(approval: Approval) -> bool:
    return true(approval.status.conditions, "ApprovalAccepted")


def _request(context: Context, stage: str, name: str, side: str) -> Approval:
    run = context.run
    metadata = Metadata(
        name=name,
        labels={
            names.TARGET_UPDATE_RUN: run.name,
            names.TARGET_UPDATING_STAGE: stage,
            names.TASK_TYPE: TASK_TYPES[side],
            names.LATEST_APPROVAL: "true",
        },
        owner_references=(run.owner_reference(),),
    )
    if run.namespace:
        metadata = metadata.model_copy(update={"namespace": run.namespace})
    spec = ApprovalSpec(parent_stage_rollout=run.name, target_stage=stage)
    return context.approval_kind(metadata=metadata, spec=spec)


def _of_a_namesake(approval: Approval, run: UpdateRun) -> bool:
    """Say whether an earlier run of the same name asked for it; one that a user made is ours."""
    owners = approval.metadata.owner_references
    return bool(owners) and all(owner.uid != run.metadata.uid for owner in owners)
