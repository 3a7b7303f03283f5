"""Snapshots of a placement: of its policy, with the demand, and of the resources it selects."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from fleet.api.binding import ClusterDecision, WorkloadKey
from fleet.api.conditions import Condition
from fleet.api.names import LATEST, NUMBER_OF_CLUSTERS
from fleet.api.objects import Model, Resource
from fleet.api.placement import PlacementType, Policy
from fleet.api.schema import INT64, LIST, OBJECT, REQUIRED, Schema


class Demand(WorkloadKey):
    """What one inference workload needs, wherever it goes."""

    model: str = ""
    """The preset; empty for a template, whose GPU request is all that is known."""
    weights_gib: str = "0"
    """Memory that the model's weights take over all GPUs of a replica; a decimal string."""
    kv_bytes_per_token: int = 0
    """Bytes that the KV cache takes for a token, over all GPUs of a replica."""
    kv_heads: int = 0
    """GPUs that the KV cache may be divided among, 1 where each keeps all of it; 0 is not known."""
    attention_heads: int = 0
    """The tensor-parallel size divides them; 0 is not known."""
    context_tokens: int = 2048
    """Tokens that the KV cache must hold at least."""
    compute_capability: str = ""
    """The lowest that the model's arithmetic runs on: "8.0" for bf16, "8.9" for fp8."""
    replicas: int = 1
    """Copies of the model that are to run."""
    gpus_per_replica: int = 0
    """As the user said; 0 leaves it to the decision."""
    instance_types: Annotated[tuple[str, ...], LIST] = ()
    """What the user named; empty leaves it to the decision."""
    gpu_models: Annotated[tuple[str, ...], LIST] = ()
    """GPU types that the user named, such as A100."""
    capacity_type: str = ""
    """How instances may be paid for; empty leaves it to the decision."""
    split: bool = False
    """Whether the replicas may be divided among clusters, as those of a ModelDeployment are."""


class PolicySnapshotSpec(Model):
    """A placement's policy at one time."""

    policy: Policy | None = None
    """The policy; without it every cluster is chosen."""
    policy_hash: Annotated[str, REQUIRED, Schema(format="byte")] = ""
    """Hash of policy and demands, in base64."""
    demands: Annotated[
        tuple[Demand, ...], Schema(max_items=100, keys=("kind", "namespace", "name"))
    ] = ()
    """What the selected inference workloads need."""


class PolicySnapshotStatus(Model):
    """What was decided by the policy."""

    observed_crp_generation: Annotated[int, INT64, REQUIRED] = Field(
        default=0,
        validation_alias="observedCRPGeneration",
        serialization_alias="observedCRPGeneration",
    )
    """Generation of the placement that the decision is for."""
    conditions: tuple[Condition, ...] = ()
    """Whether the policy is fulfilled."""
    target_clusters: Annotated[tuple[ClusterDecision, ...], Schema(max_items=1000)] = ()
    """The chosen clusters, and some that were not, with reasons."""


class PolicySnapshot(Resource):
    """A placement's policy at one time, in either scope, and what was decided by it."""

    API: ClassVar = "placement.kubernetes-fleet.io/v1beta1"

    spec: Annotated[PolicySnapshotSpec, REQUIRED] = PolicySnapshotSpec()
    """The policy at that time."""
    status: PolicySnapshotStatus = PolicySnapshotStatus()
    """What was decided by it."""

    @property
    def latest(self) -> bool:
        return self.metadata.labels.get(LATEST) == "true"

    @property
    def policy(self) -> Policy:
        return self.spec.policy or Policy()

    @property
    def limit(self) -> int | None:
        """How many clusters to pick; None is all of them."""
        if self.policy.placement_type is not PlacementType.PICK_N:
            return None
        return int(self.metadata.annotations[NUMBER_OF_CLUSTERS])


class ClusterSchedulingPolicySnapshot(PolicySnapshot):
    """The policy of a ClusterResourcePlacement at one time."""

    NAMESPACED: ClassVar = False


class SchedulingPolicySnapshot(PolicySnapshot):
    """The policy of a ResourcePlacement at one time."""


class ResourceSnapshotSpec(Model):
    """The objects that a placement selected at one time."""

    selected_resources: Annotated[tuple[Annotated[dict[str, Any], OBJECT], ...], REQUIRED] = ()
    """Manifests, without what the server writes into them."""


class ResourceSnapshotStatus(Model):
    """What is known of a snapshot."""

    conditions: tuple[Condition, ...] = ()
    """Observations about it; none of ours."""


class Snapshot(Resource):
    """The objects that a placement selected at one time, in either scope."""

    API: ClassVar = "placement.kubernetes-fleet.io/v1beta1"

    spec: Annotated[ResourceSnapshotSpec, REQUIRED] = ResourceSnapshotSpec()
    """The objects at that time."""
    status: ResourceSnapshotStatus = ResourceSnapshotStatus()
    """What is known of the snapshot."""

    @property
    def latest(self) -> bool:
        return self.metadata.labels.get(LATEST) == "true"


class ClusterResourceSnapshot(Snapshot):
    """The objects of a ClusterResourcePlacement at one time."""

    NAMESPACED: ClassVar = False


class ResourceSnapshot(Snapshot):
    """The objects of a ResourcePlacement at one time."""
