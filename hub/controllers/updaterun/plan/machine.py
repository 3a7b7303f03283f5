"""A run seen as its stages, and the one in which it is. Pure."""

from dataclasses import dataclass, replace

from fleet.api.staged_update import StageStatus, UpdateRunStatus, UpdateStrategySpec
from hub.controllers.updaterun.plan import changes, deletion, stage
from hub.controllers.updaterun.plan.context import Context
from hub.controllers.updaterun.plan.marks import SUCCEEDED, Pen, true
from hub.controllers.updaterun.plan.stage import Step


@dataclass(frozen=True, slots=True)
class Machine:
    """The status of a run, seen as its stages and the one in which it is."""

    status: UpdateRunStatus
    strategy: UpdateStrategySpec

    @property
    def index(self) -> int:
        """Of the first stage that is not over; the deletion stage comes behind the last."""
        stages = self.status.stages_status
        over = (index for index, each in enumerate(stages) if not true(each.conditions, SUCCEEDED))
        return next(over, len(stages))

    @property
    def stage(self) -> StageStatus:
        stages = self.status.stages_status
        if self.index < len(stages):
            return stages[self.index]
        return self.status.deletion_stage_status or deletion.planned(frozenset())

    def step(self, context: Context) -> Step:
        if self.index == len(self.status.stages_status):
            return deletion.step(context, self.stage)
        config = changes.stage_config(self.strategy, self.index)
        return stage.step(context, self.stage, config)

    def halt(self, context: Context) -> Step:
        if self.index == len(self.status.stages_status):
            return deletion.halt(context, self.stage)
        return stage.halt(context, self.stage)

    def having(self, new: StageStatus) -> "Machine":
        """Put a stage in the place of the one in which the run is."""
        stages = list(self.status.stages_status)
        if self.index == len(stages):
            update: dict[str, object] = {"deletion_stage_status": new}
        else:
            stages[self.index] = new
            update = {"stages_status": tuple(stages)}
        return replace(self, status=self.status.model_copy(update=update))


def renewed(status: UpdateRunStatus, pen: Pen) -> UpdateRunStatus:
    """Say of all that a run remembers that it holds of the run's present generation."""
    if pen.renewed(status) is status:
        return status
    last = status.deletion_stage_status
    update = {
        "stages_status": tuple(_renewed(each, pen) for each in status.stages_status),
        "deletion_stage_status": _renewed(last, pen) if last else None,
    }
    return pen.renewed(status.model_copy(update=update))


def _renewed(stage: StageStatus, pen: Pen) -> StageStatus:
    update = {"clusters": tuple(map(pen.renewed, stage.clusters))}
    for side in ("before_stage_task_status", "after_stage_task_status"):
        if tasks := getattr(stage, side):
            update[side] = tuple(map(pen.renewed, tasks))
    return pen.renewed(stage.model_copy(update=update))
