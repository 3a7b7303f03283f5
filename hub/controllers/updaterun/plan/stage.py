"""One stage on its way: a person's word, its clusters some at a time, what follows them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from fleet.api.staged_update import ClusterUpdateStatus, StageStatus, UpdateStage
from hub.controllers.updaterun.plan import tasks
from hub.controllers.updaterun.plan.actions import Action
from hub.controllers.updaterun.plan.clusters import Advanced, advance, begun, ended
from hub.controllers.updaterun.plan.context import Context
from hub.controllers.updaterun.plan.errors import AbortedError
from hub.controllers.updaterun.plan.tasks import Tasks, soonest


class Standing(Enum):
    DONE = auto()
    UPDATING = auto()
    WAITING = auto()
    """No cluster is being updated: it waits for a task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A stage one step on."""

    stage: StageStatus
    standing: Standing
    first: tuple[Action, ...] = ()
    then: tuple[Action, ...] = ()
    waits_for: str = ""
    stuck: tuple[str, ...] = ()
    """Clusters that take too long."""
    again_in_seconds: float | None = None


def step(context: Context, stage: StageStatus, config: UpdateStage) -> Step:
    """Carry a stage on as far as it goes by now."""
    if not stage.clusters and stage.start_time is None:
        return Step(stage=context.pen.stage_skipped(stage), standing=Standing.DONE)
    asked = tasks.before(context, stage, config)
    stage = stage.model_copy(update={"before_stage_task_status": asked.statuses})
    if asked.waits_for:
        text = "The stage waits for an approval before its first cluster"
        return _waiting(context.pen.stage_waiting(stage, text), asked)
    stage, moves = _clusters(context, stage, concurrency(config, len(stage.clusters)))
    if any(not ended(cluster) for cluster in stage.clusters):
        return updating(stage, moves, asked.actions)
    return _completed(context, stage, config, asked)


def halt(context: Context, stage: StageStatus) -> Step:
    """Let what was begun come to its end, and begin no more."""
    stage, moves = _clusters(context, stage, 0)
    if any(begun(cluster) and not ended(cluster) for cluster in stage.clusters):
        return updating(context.pen.stage_stopping(stage), moves)
    return Step(stage=context.pen.stage_stopped(stage), standing=Standing.DONE)


def concurrency(config: UpdateStage, clusters: int) -> int:
    """Say how many clusters of a stage may be updated at a time."""
    text = str(config.max_concurrency)
    if not text.endswith("%"):
        return int(text)
    return max(1, int(text.removesuffix("%")) * clusters // 100)


def updating(stage: StageStatus, moves: Sequence[Advanced], first: tuple[Action, ...] = ()) -> Step:
    waiting = [move for move in moves if not move.done]
    return Step(
        stage=stage,
        standing=Standing.UPDATING,
        first=first,
        then=tuple(move.action for move in waiting if move.action),
        stuck=tuple(m.cluster.cluster_name for m in waiting if not m.seconds_until_stuck),
        again_in_seconds=soonest(m.seconds_until_stuck or None for m in waiting),
    )


def _clusters(
    context: Context, stage: StageStatus, limit: int
) -> tuple[StageStatus, tuple[Advanced, ...]]:
    """Look after the clusters that are being updated, and begin others where there is room."""
    moves: dict[str, Advanced] = {}
    faults: list[AbortedError] = []
    waiting = [cluster for cluster in stage.clusters if not ended(cluster)]
    for cluster in sorted(waiting, key=begun, reverse=True):
        if not begun(cluster) and (faults or _busy(moves) >= limit):
            break
        try:
            moves[cluster.cluster_name] = advance(context, cluster, stage.stage_name)
        except AbortedError as fault:
            faults.append(fault)
    if faults:
        raise _together(faults)
    return _advanced(context, stage, moves), tuple(moves.values())


def _busy(moves: dict[str, Advanced]) -> int:
    return sum(not move.done for move in moves.values())


def _together(faults: Sequence[AbortedError]) -> AbortedError:
    clusters = {name: why for fault in faults for name, why in fault.clusters.items()}
    return AbortedError("; ".join(map(str, faults)), clusters)


def _advanced(context: Context, stage: StageStatus, moves: dict[str, Advanced]) -> StageStatus:
    begins = any(not begun(c) and c.cluster_name in moves for c in stage.clusters)
    new = tuple(
        moves[c.cluster_name].cluster if c.cluster_name in moves else c for c in stage.clusters
    )
    stage = stage.model_copy(update={"clusters": new})
    return context.pen.stage_started(stage) if begins else stage


def _completed(context: Context, stage: StageStatus, config: UpdateStage, asked: Tasks) -> Step:
    text = "All clusters of the stage are updated; it waits for what follows them"
    waiting = context.pen.stage_waiting(stage, text)
    following = tasks.after(context, waiting, config)
    update = {"after_stage_task_status": following.statuses}
    actions = (*asked.actions, *following.actions)
    if following.waits_for:
        return _waiting(waiting.model_copy(update=update), following, first=actions)
    done = context.pen.stage_succeeded(stage.model_copy(update=update))
    return Step(stage=done, standing=Standing.DONE, first=actions)


def _waiting(stage: StageStatus, for_tasks: Tasks, first: tuple[Action, ...] = ()) -> Step:
    return Step(
        stage=stage,
        standing=Standing.WAITING,
        first=first or for_tasks.actions,
        waits_for=for_tasks.waits_for,
        again_in_seconds=for_tasks.again_in_seconds,
    )


def failed(context: Context, stage: StageStatus, fault: AbortedError) -> StageStatus:
    """Mark the clusters to which something happened, and the stage."""

    def mark(cluster: ClusterUpdateStatus) -> ClusterUpdateStatus:
        why = fault.clusters.get(cluster.cluster_name)
        return context.pen.cluster_failed(cluster, why) if why else cluster

    stage = stage.model_copy(update={"clusters": tuple(map(mark, stage.clusters))})
    return context.pen.stage_failed(stage, str(fault))
