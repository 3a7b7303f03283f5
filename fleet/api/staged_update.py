"""Staged updates: the stages of a rollout, a run through them, and the word that lets it go on."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, ClassVar, Final

from fleet.api import staged_update_rules as rules
from fleet.api.conditions import Condition
from fleet.api.durations import PATTERN, duration
from fleet.api.objects import LabelSelector, Model, Resource
from fleet.api.placement import ApplyStrategy, NamespacedName
from fleet.api.schema import ALPHA, FILLED, REQUIRED, STABLE, InVersions, Schema

STUCK_AFTER: Final = timedelta(minutes=5)


class StageTaskType(StrEnum):
    TIMED_WAIT = "TimedWait"
    APPROVAL = "Approval"


class StageTask(Model):
    """What a stage waits for."""

    type: StageTaskType
    """TimedWait lets time pass, Approval waits for a person's word."""
    wait_time: Annotated[str, rules.WAIT, rules.ALPHA_WAIT] = ""
    """How long TimedWait waits, such as `90s` or `1h30m`; none with Approval."""

    @property
    def wait(self) -> timedelta:
        return duration(self.wait_time)


class UpdateStage(Model):
    """Clusters that are updated together, and what comes before and after."""

    name: Annotated[str, Schema(max_length=63, pattern="^[a-z0-9]+$")]
    """Name of the stage, of lower-case letters and digits."""
    label_selector: LabelSelector | None = None
    """Labels of the clusters; an empty one takes all, and without it the stage has none."""
    sorting_label_key: str | None = None
    """Label with an integer by which the clusters are ordered; without it they go by name."""
    max_concurrency: Annotated[int | str, rules.CONCURRENCY] = 1
    """How many clusters are updated at a time; a number, or a percentage of the stage's."""
    after_stage_tasks: Annotated[tuple[StageTask, ...], Schema(max_items=2), rules.AFTER_STAGE] = ()
    """What is waited for when all clusters of the stage are updated."""
    before_stage_tasks: Annotated[tuple[StageTask, ...], rules.BEFORE_STAGE] = ()
    """What is waited for before the first cluster of the stage is updated."""


class ClusterChange(StrEnum):
    ABORT = "Abort"
    FOLLOW = "Follow"


class UpdateStrategySpec(Model):
    """The stages, and what happens where they do not run as planned."""

    stages: Annotated[tuple[UpdateStage, ...], Schema(max_items=31)]
    """The stages in their order; each chosen cluster must be in exactly one."""
    when_clusters_change: Annotated[ClusterChange | None, Schema(versions=STABLE)] = None
    """What a run does when clusters join or leave meanwhile: Abort, or Follow with those that
    are there; Abort where it is not said."""
    stuck_threshold: Annotated[str, Schema(pattern=PATTERN, versions=STABLE)] = ""
    """After how long without progress a cluster counts as stuck, such as `10m`; `5m` where it is
    not said."""

    @property
    def follows(self) -> bool:
        return self.when_clusters_change is ClusterChange.FOLLOW

    @property
    def stuck_after(self) -> timedelta:
        return duration(self.stuck_threshold) if self.stuck_threshold else STUCK_AFTER


class UpdateStrategy(Resource):
    """Stages that update runs go through, in either scope."""

    API: ClassVar = "placement.kubernetes-fleet.io/v1beta1"

    spec: UpdateStrategySpec
    """The stages, and what happens where they do not run as planned."""


class ClusterStagedUpdateStrategy(UpdateStrategy):
    """Stages through which runs update ClusterResourcePlacements."""

    PLURAL: ClassVar = "clusterstagedupdatestrategies"
    NAMESPACED: ClassVar = False


class StagedUpdateStrategy(UpdateStrategy):
    """Stages through which runs update ResourcePlacements of its namespace."""

    PLURAL: ClassVar = "stagedupdatestrategies"


class RunState(StrEnum):
    INITIALIZE = "Initialize"
    RUN = "Run"
    STOP = "Stop"


class UpdateRunSpec(Model):
    """What a run updates, to which snapshot, by which stages."""

    RULES: ClassVar = rules.RUN_RULES

    placement_name: Annotated[str, Schema(max_length=255), rules.frozen("placementName")]
    """The placement whose clusters are updated."""
    resource_snapshot_index: Annotated[
        str, InVersions(ALPHA, REQUIRED), rules.frozen("resourceSnapshotIndex")
    ] = ""
    """Index of the resource snapshot that they get; the newest without it, an older one rolls
    back."""
    staged_rollout_strategy_name: Annotated[str, rules.frozen("stagedRolloutStrategyName")]
    """The strategy whose stages the run goes through, as it is when the run begins."""
    state: Annotated[RunState, FILLED, Schema(versions=STABLE)] = RunState.INITIALIZE
    """Initialize plans the run and waits, Run goes on with it, Stop lets it rest."""


class StageTaskStatus(Model):
    """How far a task of a stage is."""

    type: StageTaskType
    """TimedWait or Approval."""
    approval_request_name: str = ""
    """The request that a person approves."""
    conditions: tuple[Condition, ...] = ()
    """Whether the time has passed, or the request is made and approved."""


class ClusterUpdateStatus(Model):
    """How far a cluster is."""

    cluster_name: str
    """The cluster."""
    resource_override_snapshots: tuple[NamespacedName, ...] = ()
    """ResourceOverrides, as snapshots, that change what the cluster gets."""
    cluster_resource_override_snapshots: tuple[str, ...] = ()
    """ClusterResourceOverrides, as snapshots, that change what the cluster gets."""
    conditions: tuple[Condition, ...] = ()
    """Whether its update has started and succeeded."""


class StageStatus(Model):
    """How far a stage is."""

    stage_name: str
    """The stage."""
    clusters: tuple[ClusterUpdateStatus, ...]
    """Its clusters in their order."""
    after_stage_task_status: Annotated[tuple[StageTaskStatus, ...], Schema(max_items=2)] = ()
    """How far the tasks after the stage are."""
    before_stage_task_status: Annotated[
        tuple[StageTaskStatus, ...], Schema(max_items=1, versions=STABLE)
    ] = ()
    """How far the task before the stage is."""
    conditions: tuple[Condition, ...] = ()
    """Whether the stage goes on and has succeeded."""
    start_time: datetime | None = None
    """When it started."""
    end_time: datetime | None = None
    """When it ended."""


class UpdateRunStatus(Model):
    """What a run goes by, and how far it is."""

    policy_snapshot_index_used: str = ""
    """Index of the policy snapshot by which the clusters were chosen."""
    policy_observed_cluster_count: int | None = None
    """How many clusters it chose."""
    resource_snapshot_index_used: Annotated[str, Schema(versions=STABLE)] = ""
    """Index of the resource snapshot that the clusters get."""
    applied_strategy: ApplyStrategy | None = None
    """How objects are applied in the clusters."""
    staged_update_strategy_snapshot: UpdateStrategySpec | None = None
    """The strategy as it was when the run began."""
    stages_status: tuple[StageStatus, ...] = ()
    """How far each stage is."""
    deletion_stage_status: StageStatus | None = None
    """How far the last stage is, in which clusters lose what they are not chosen for any more."""
    conditions: tuple[Condition, ...] = ()
    """Whether the run is planned, goes on, and has succeeded."""


class UpdateRun(Resource):
    """One update of a placement, stage by stage, in either scope."""

    API: ClassVar = "placement.kubernetes-fleet.io/v1beta1"
    RULES: ClassVar = rules.NAME_RULES

    spec: UpdateRunSpec
    """What it updates, to which snapshot, by which stages."""
    status: UpdateRunStatus = UpdateRunStatus()
    """What it goes by, and how far it is."""


class ClusterStagedUpdateRun(UpdateRun):
    """One update of a ClusterResourcePlacement, stage by stage."""

    NAMESPACED: ClassVar = False


class StagedUpdateRun(UpdateRun):
    """One update of a ResourcePlacement, stage by stage."""


class ApprovalSpec(Model):
    """Which run asks, and for which stage."""

    RULES: ClassVar = (rules.FROZEN,)

    parent_stage_rollout: str
    """The run that waits."""
    target_stage: str
    """The stage at which it waits."""


class ApprovalStatus(Model):
    """What was answered."""

    conditions: tuple[Condition, ...] = ()
    """Approved is a person's word, ApprovalAccepted the run's that it goes on."""


class Approval(Resource):
    """Asks a person whether a run may go on, in either scope."""

    API: ClassVar = "placement.kubernetes-fleet.io/v1beta1"

    spec: ApprovalSpec
    """Which run asks, and for which stage."""
    status: ApprovalStatus = ApprovalStatus()
    """What was answered."""


class ClusterApprovalRequest(Approval):
    """Asks a person whether a ClusterStagedUpdateRun may go on."""

    NAMESPACED: ClassVar = False


class ApprovalRequest(Approval):
    """Asks a person whether a StagedUpdateRun may go on."""
