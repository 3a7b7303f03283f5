"""The last stage: clusters that are chosen no more lose what they have. Pure."""

from collections.abc import Collection

from fleet.api import names
from fleet.api.staged_update import ClusterUpdateStatus, StageStatus
from hub.controllers.updaterun.plan.actions import Action, Remove
from hub.controllers.updaterun.plan.clusters import Advanced, begun, ended, seconds_until_stuck
from hub.controllers.updaterun.plan.context import Context
from hub.controllers.updaterun.plan.stage import Standing, Step, updating


def planned(clusters: Collection[str]) -> StageStatus:
    return StageStatus(
        stage_name=names.DELETE_STAGE,
        clusters=tuple(ClusterUpdateStatus(cluster_name=name) for name in sorted(clusters)),
    )


def step(context: Context, stage: StageStatus) -> Step:
    """Delete the bindings all at once, and wait until they are gone."""
    moves = tuple(_advance(context, cluster) for cluster in stage.clusters)
    stage = context.pen.stage_started(_with(stage, moves))
    if all(move.done for move in moves):
        return Step(stage=context.pen.stage_succeeded(stage), standing=Standing.DONE)
    return updating(stage, moves)


def halt(context: Context, stage: StageStatus) -> Step:
    """Wait for the bindings that are on their way out, and delete no other."""
    moves = tuple(
        _advance(context, cluster) if begun(cluster) else Advanced(cluster)
        for cluster in stage.clusters
    )
    stage = _with(stage, moves)
    on_the_way = tuple(m for m in moves if begun(m.cluster) and not m.done)
    if on_the_way:
        return updating(context.pen.stage_stopping(stage), on_the_way)
    return Step(stage=context.pen.stage_stopped(stage), standing=Standing.DONE)


def _with(stage: StageStatus, moves: tuple[Advanced, ...]) -> StageStatus:
    return stage.model_copy(update={"clusters": tuple(move.cluster for move in moves)})


def _advance(context: Context, cluster: ClusterUpdateStatus) -> Advanced:
    if ended(cluster):
        return Advanced(cluster)
    started = context.pen.cluster_started(cluster)
    binding = context.selection.leaving.get(cluster.cluster_name)
    if binding is None:
        return Advanced(context.pen.cluster_succeeded(started))
    remove: Action | None = None if binding.deleting else Remove(binding)
    return Advanced(started, remove, seconds_until_stuck(context, started))
