"""Plan a run: what it goes by from now on, whatever becomes of its strategy. Pure."""

from collections.abc import Sequence

from fleet.api.staged_update import (
    ClusterUpdateStatus,
    StageStatus,
    UpdateRun,
    UpdateRunStatus,
    UpdateStage,
    UpdateStrategy,
)
from hub.controllers.updaterun.plan import deletion, stages, tasks
from hub.controllers.updaterun.plan.actions import Observed
from hub.controllers.updaterun.plan.errors import InvalidError
from hub.controllers.updaterun.plan.selection import select, snapshot_of


def initialise(observed: Observed, run: UpdateRun) -> UpdateRunStatus:
    """Divide the clusters into stages; EndError where that cannot be done."""
    selection = select(observed, run)
    strategy = _strategy(observed.strategy, run)
    stages.check(strategy.spec.stages)
    divided = stages.divide(strategy.spec.stages, selection.chosen, observed.labels)
    group = snapshot_of(observed, run)
    return UpdateRunStatus(
        policy_snapshot_index_used=selection.policy_index,
        policy_observed_cluster_count=len(selection.chosen),
        resource_snapshot_index_used=str(group.index),
        applied_strategy=selection.apply_strategy,
        staged_update_strategy_snapshot=strategy.spec,
        stages_status=tuple(
            _stage(run.name, stage, clusters)
            for stage, clusters in zip(strategy.spec.stages, divided, strict=True)
        ),
        deletion_stage_status=deletion.planned(selection.leaving.keys()),
        conditions=run.status.conditions,
    )


def _strategy(strategy: UpdateStrategy | None, run: UpdateRun) -> UpdateStrategy:
    if strategy is None or strategy.deleting:
        name = run.spec.staged_rollout_strategy_name
        raise InvalidError(
            f"strategy {name}, which spec.stagedRolloutStrategyName names, is not there"
        )
    return strategy


def _stage(run: str, stage: UpdateStage, clusters: Sequence[str]) -> StageStatus:
    made = StageStatus(
        stage_name=stage.name,
        clusters=tuple(ClusterUpdateStatus(cluster_name=name) for name in clusters),
    )
    sides = {
        "before_stage_task_status": tuple(tasks.planned(run, stage, tasks.BEFORE)),
        "after_stage_task_status": tuple(tasks.planned(run, stage, tasks.AFTER)),
    }
    return made.model_copy(update={field: each for field, each in sides.items() if each})
