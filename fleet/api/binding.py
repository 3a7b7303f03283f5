"""ClusterResourceBinding and ResourceBinding: one placement on one cluster."""

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar

from fleet.api.conditions import Condition
from fleet.api.names import PREVIOUS_STATE
from fleet.api.objects import Model, Resource
from fleet.api.placement import ApplyStrategy, FailedResource, Money


class BindingState(StrEnum):
    SCHEDULED = "Scheduled"
    BOUND = "Bound"
    UNSCHEDULED = "Unscheduled"


class ClusterScore(Model):
    affinity_score: int = 0
    priority_score: int = 0
    """The topology spread score, as KubeFleet names it."""
    parts: Mapping[str, int] = {}
    """Points of the inference score by name; absent where there is no demand."""


class ClusterDecision(Model):
    cluster_name: str
    selected: bool
    reason: str
    cluster_score: ClusterScore | None = None


class WorkloadKey(Model):
    """An inference workload among those that a placement selects."""

    kind: str
    namespace: str
    name: str


class Allocation(WorkloadKey):
    """Instances that a workload takes on a cluster, and the price of all of them."""

    instance_type: str
    capacity_type: str = "on-demand"
    replicas: int = 1
    nodes_per_replica: int = 1
    gpus_per_replica: int
    usd_per_hour: Money

    @property
    def nodes(self) -> int:
        return self.replicas * self.nodes_per_replica


class BindingSpec(Model):
    state: BindingState
    target_cluster: str
    resource_snapshot_name: str
    scheduling_policy_snapshot_name: str = ""
    cluster_decision: ClusterDecision
    apply_strategy: ApplyStrategy | None = None
    allocations: tuple[Allocation, ...] = ()


class BindingStatus(Model):
    failed_placements: tuple[FailedResource, ...] = ()
    conditions: tuple[Condition, ...] = ()


class Binding(Resource):
    """Either scope of binding."""

    API: ClassVar = "placement.kubernetes-fleet.io/v1beta1"

    spec: BindingSpec
    status: BindingStatus = BindingStatus()

    @property
    def in_use(self) -> bool:
        return self.spec.state is not BindingState.UNSCHEDULED and not self.deleting

    @property
    def chosen_state(self) -> BindingState:
        """The state while the cluster is chosen: this one, or the one to go back to."""
        if self.spec.state is not BindingState.UNSCHEDULED:
            return self.spec.state
        return BindingState(self.metadata.annotations.get(PREVIOUS_STATE, BindingState.SCHEDULED))


class ClusterResourceBinding(Binding):
    NAMESPACED: ClassVar = False


class ResourceBinding(Binding):
    pass
