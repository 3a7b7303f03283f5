"""ClusterResourceBinding and ResourceBinding: one placement on one cluster."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar

from fleet.api.conditions import Condition, find
from fleet.api.names import PREVIOUS_STATE
from fleet.api.objects import Model, Resource
from fleet.api.placement import (
    ApplyStrategy,
    DiffedResource,
    DriftedResource,
    FailedResource,
    Money,
    NamespacedName,
)
from fleet.api.schema import INT32, LIST, REQUIRED, Schema


class BindingState(StrEnum):
    SCHEDULED = "Scheduled"
    BOUND = "Bound"
    UNSCHEDULED = "Unscheduled"


class ClusterScore(Model):
    """Points of a cluster, by which it was compared with others."""

    affinity_score: Annotated[int, INT32] = 0
    """Points of the user's own preferences."""
    priority_score: Annotated[int, INT32] = 0
    """The topology spread score, as KubeFleet names it."""
    parts: Mapping[str, int] = {}
    """Points of the inference score by name; absent where there is no demand."""


class ClusterDecision(Model):
    """What the scheduler made of a cluster."""

    cluster_name: str
    """The cluster."""
    selected: bool
    """Whether it was chosen."""
    reason: str
    """Why, or why not."""
    cluster_score: ClusterScore | None = None
    """Its points; none where the user named it."""


class WorkloadKey(Model):
    """An inference workload among those that a placement selects."""

    kind: str
    """Kind of the workload: Workspace or InferenceSet."""
    namespace: str
    """Namespace of the workload."""
    name: str
    """Name of the workload."""


class Allocation(WorkloadKey):
    """Instances that a workload takes on a cluster, and the price of all of them."""

    instance_type: str
    """Type of the instances."""
    capacity_type: str = "on-demand"
    """How they are paid for."""
    replicas: int = 1
    """Replicas of the workload on the cluster."""
    nodes_per_replica: int = 1
    """Instances that each replica takes."""
    gpus_per_replica: int
    """GPUs that each replica takes."""
    usd_per_hour: Money
    """Price of all of them, in US dollars an hour."""

    @property
    def nodes(self) -> int:
        return self.replicas * self.nodes_per_replica


class BindingSpec(Model):
    """Which cluster gets which snapshot, and why that cluster."""

    state: Annotated[BindingState, Schema(any_value=True)]
    """Scheduled is chosen, Bound takes the snapshot, Unscheduled is to go."""
    target_cluster: str
    """The chosen cluster."""
    resource_snapshot_name: str
    """Snapshot of the resources that the cluster gets; empty until rollout says."""
    scheduling_policy_snapshot_name: Annotated[str, REQUIRED] = ""
    """Snapshot of the policy that the cluster was chosen by."""
    cluster_decision: ClusterDecision
    """Why the cluster was chosen."""
    apply_strategy: ApplyStrategy | None = None
    """How objects are applied in the cluster."""
    cluster_resource_override_snapshots: tuple[str, ...] = ()
    """ClusterResourceOverrides, as snapshots, that change what the cluster gets."""
    resource_override_snapshots: tuple[NamespacedName, ...] = ()
    """ResourceOverrides, as snapshots, that change what the cluster gets."""
    allocations: Annotated[
        tuple[Allocation, ...], Schema(max_items=100, keys=("kind", "namespace", "name"))
    ] = ()
    """Instances that the inference workloads get there."""


class BindingStatus(Model):
    """What became of the placement on the cluster."""

    failed_placements: Annotated[tuple[FailedResource, ...], LIST] = ()
    """Objects that could not be placed, 100 at most."""
    drifted_placements: Annotated[tuple[DriftedResource, ...], LIST] = ()
    """Objects that were changed in the member, 100 at most."""
    diffed_placements: Annotated[tuple[DiffedResource, ...], LIST] = ()
    """Objects that differ from what would be placed, 100 at most."""
    conditions: tuple[Condition, ...] = ()
    """How far the placement is on the cluster."""


class Binding(Resource):
    """One placement on one cluster, in either scope."""

    API: ClassVar = "placement.kubernetes-fleet.io/v1beta1"

    spec: BindingSpec
    """Which cluster gets which snapshot, and why that cluster."""
    status: BindingStatus = BindingStatus()
    """What became of the placement on the cluster."""

    @property
    def in_use(self) -> bool:
        return self.spec.state is not BindingState.UNSCHEDULED and not self.deleting

    def true_now(self, kind: str) -> bool:
        """Say whether a condition is True of the binding as it is now, and not as it was."""
        said = find(self.status.conditions, kind)
        return (
            said is not None and said.true and self.metadata.generation == said.observed_generation
        )

    @property
    def chosen_state(self) -> BindingState:
        """The state while the cluster is chosen: this one, or the one to go back to."""
        if self.spec.state is not BindingState.UNSCHEDULED:
            return self.spec.state
        return BindingState(self.metadata.annotations.get(PREVIOUS_STATE, BindingState.SCHEDULED))


class ClusterResourceBinding(Binding):
    """A ClusterResourcePlacement on one cluster."""

    NAMESPACED: ClassVar = False


class ResourceBinding(Binding):
    """A ResourcePlacement on one cluster."""
