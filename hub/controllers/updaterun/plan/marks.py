"""Conditions of a run and of its parts: which reason says what, in KubeFleet's terms. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from fleet.api.conditions import Condition, ConditionStatus, find, since
from fleet.api.staged_update import (
    ClusterUpdateStatus,
    StageStatus,
    StageTaskStatus,
    UpdateRunStatus,
)

P = TypeVar("P", UpdateRunStatus, StageStatus, StageTaskStatus, ClusterUpdateStatus)
INITIALIZED, PROGRESSING, SUCCEEDED, STARTED = "Initialized", "Progressing", "Succeeded", "Started"
REQUESTED, APPROVED, ELAPSED = (
    "ApprovalRequestCreated",
    "ApprovalRequestApproved",
    "WaitTimeElapsed",
)
SHOWN = 3
"""Clusters that a message names."""


class Reason(StrEnum):
    PLANNED = "UpdateRunInitializedSuccessfully"
    NOT_PLANNED = "UpdateRunInitializedFailed"
    PROGRESSING = "UpdateRunProgressing"
    WAITING = "UpdateRunWaiting"
    STUCK = "UpdateRunStuck"
    STOPPING = "UpdateRunStopping"
    STOPPED = "UpdateRunStopped"
    FAILED = "UpdateRunFailed"
    SUCCEEDED = "UpdateRunSucceeded"
    STAGE_STARTED = "StageUpdatingStarted"
    STAGE_WAITING = "StageUpdatingWaiting"
    STAGE_STOPPING = "StageUpdatingStopping"
    STAGE_STOPPED = "StageUpdatingStopped"
    STAGE_FAILED = "StageUpdatingFailed"
    STAGE_SUCCEEDED = "StageUpdatingSucceeded"
    STAGE_SKIPPED = "StageUpdatingSkippedNoClusters"
    CLUSTER_STARTED = "ClusterUpdatingStarted"
    CLUSTER_FAILED = "ClusterUpdatingFailed"
    CLUSTER_SUCCEEDED = "ClusterUpdatingSucceeded"
    REQUESTED = "StageTaskApprovalRequestCreated"
    APPROVED = "StageTaskApprovalRequestApproved"
    ELAPSED = "AfterStageTaskWaitTimeElapsed"


def true(conditions: Iterable[Condition], kind: str) -> bool:
    found = find(conditions, kind)
    return found is not None and found.true


def reason_of(conditions: Iterable[Condition], kind: str) -> str:
    found = find(conditions, kind)
    return found.reason if found else ""


@dataclass(frozen=True, slots=True)
class Pen:
    """Writes conditions of one generation at one time; the same twice changes nothing."""

    generation: int
    now: datetime

    def mark(self, part: P, kind: str, truth: bool | None, reason: Reason, message: str) -> P:
        new = Condition(
            type=kind,
            status=ConditionStatus.of(truth),
            reason=reason,
            message=message,
            observed_generation=self.generation,
            last_transition_time=self.now,
        )
        dated = since(part.conditions, new)
        if dated in part.conditions:
            return part
        return part.model_copy(update={"conditions": _put(part.conditions, dated)})

    def renewed(self, part: P) -> P:
        """Say that what was observed holds of this generation too."""
        if all(c.observed_generation == self.generation for c in part.conditions):
            return part
        update = {"observed_generation": self.generation}
        return part.model_copy(
            update={"conditions": tuple(c.model_copy(update=update) for c in part.conditions)}
        )

    # The run.

    def planned(self, run: UpdateRunStatus) -> UpdateRunStatus:
        text = "The stages are planned"
        return self.mark(run, INITIALIZED, True, Reason.PLANNED, text)

    def not_planned(self, run: UpdateRunStatus, why: str) -> UpdateRunStatus:
        return self.mark(run, INITIALIZED, False, Reason.NOT_PLANNED, why)

    def progressing(self, run: UpdateRunStatus) -> UpdateRunStatus:
        text = "Clusters are being updated"
        return self.mark(run, PROGRESSING, True, Reason.PROGRESSING, text)

    def waiting(self, run: UpdateRunStatus, what: str) -> UpdateRunStatus:
        return self.mark(run, PROGRESSING, False, Reason.WAITING, what)

    def stuck(self, run: UpdateRunStatus, stage: str, clusters: Sequence[str]) -> UpdateRunStatus:
        more = "..." if len(clusters) > SHOWN else ""
        text = (
            f"Stage {stage} waits for {', '.join(clusters[:SHOWN])}{more}: the status of the"
            " placement says what is in the way there"
        )
        return self.mark(run, PROGRESSING, False, Reason.STUCK, text)

    def stopping(self, run: UpdateRunStatus) -> UpdateRunStatus:
        text = "The clusters that are being updated come to their end; no other is begun"
        return self.mark(run, PROGRESSING, None, Reason.STOPPING, text)

    def stopped(self, run: UpdateRunStatus) -> UpdateRunStatus:
        text = "The run rests until spec.state is Run again"
        return self.mark(run, PROGRESSING, False, Reason.STOPPED, text)

    def failed(self, run: UpdateRunStatus, why: str) -> UpdateRunStatus:
        text = "The run has ended before its time; what is updated stays so"
        run = self.mark(run, PROGRESSING, False, Reason.FAILED, text)
        return self.mark(run, SUCCEEDED, False, Reason.FAILED, why)

    def succeeded(self, run: UpdateRunStatus) -> UpdateRunStatus:
        text = "All stages are completed"
        run = self.mark(run, PROGRESSING, False, Reason.SUCCEEDED, text)
        return self.mark(run, SUCCEEDED, True, Reason.SUCCEEDED, text)

    # A stage.

    def stage_started(self, stage: StageStatus) -> StageStatus:
        text = "Clusters of the stage are being updated"
        return self.mark(self._begun(stage), PROGRESSING, True, Reason.STAGE_STARTED, text)

    def stage_waiting(self, stage: StageStatus, what: str) -> StageStatus:
        return self.mark(stage, PROGRESSING, False, Reason.STAGE_WAITING, what)

    def stage_stopping(self, stage: StageStatus) -> StageStatus:
        text = "The clusters that are being updated come to their end"
        return self.mark(stage, PROGRESSING, None, Reason.STAGE_STOPPING, text)

    def stage_stopped(self, stage: StageStatus) -> StageStatus:
        """By way of stopping: what waits for time to pass begins its wait anew."""
        text = "No cluster of the stage is being updated; it goes on with the run"
        if reason_of(stage.conditions, PROGRESSING) == Reason.STAGE_STOPPED:
            return stage
        stopping = self.stage_stopping(stage)
        return self.mark(stopping, PROGRESSING, False, Reason.STAGE_STOPPED, text)

    def stage_failed(self, stage: StageStatus, why: str) -> StageStatus:
        text = "The stage has ended before its time"
        stage = self.mark(self._ended(stage), PROGRESSING, False, Reason.STAGE_FAILED, text)
        return self.mark(stage, SUCCEEDED, False, Reason.STAGE_FAILED, why)

    def stage_succeeded(self, stage: StageStatus) -> StageStatus:
        text = "All clusters of the stage are updated, and its tasks are done"
        return self._done(self._ended(stage), Reason.STAGE_SUCCEEDED, text)

    def stage_skipped(self, stage: StageStatus) -> StageStatus:
        text = "The stage has no clusters"
        return self._done(self._ended(self._begun(stage)), Reason.STAGE_SKIPPED, text)

    def _done(self, stage: StageStatus, reason: Reason, text: str) -> StageStatus:
        stage = self.mark(stage, PROGRESSING, False, reason, text)
        return self.mark(stage, SUCCEEDED, True, reason, text)

    def _begun(self, stage: StageStatus) -> StageStatus:
        if stage.start_time is not None:
            return stage
        return stage.model_copy(update={"start_time": self.now})

    def _ended(self, stage: StageStatus) -> StageStatus:
        if stage.end_time is not None:
            return stage
        return stage.model_copy(update={"end_time": self.now})

    # A cluster, and a task.

    def cluster_started(self, cluster: ClusterUpdateStatus) -> ClusterUpdateStatus:
        text = "The update of the cluster has begun"
        return self.mark(cluster, STARTED, True, Reason.CLUSTER_STARTED, text)

    def cluster_succeeded(self, cluster: ClusterUpdateStatus) -> ClusterUpdateStatus:
        text = "The cluster is updated"
        return self.mark(cluster, SUCCEEDED, True, Reason.CLUSTER_SUCCEEDED, text)

    def cluster_failed(self, cluster: ClusterUpdateStatus, why: str) -> ClusterUpdateStatus:
        return self.mark(cluster, SUCCEEDED, False, Reason.CLUSTER_FAILED, why)

    def requested(self, task: StageTaskStatus) -> StageTaskStatus:
        text = "The approval request is there"
        return self.mark(task, REQUESTED, True, Reason.REQUESTED, text)

    def approved(self, task: StageTaskStatus) -> StageTaskStatus:
        text = "The approval request is approved"
        return self.mark(task, APPROVED, True, Reason.APPROVED, text)

    def elapsed(self, task: StageTaskStatus) -> StageTaskStatus:
        return self.mark(task, ELAPSED, True, Reason.ELAPSED, "The time has passed")


def _put(conditions: Sequence[Condition], new: Condition) -> tuple[Condition, ...]:
    if all(old.type != new.type for old in conditions):
        return (*conditions, new)
    return tuple(new if old.type == new.type else old for old in conditions)
