"""Snapshots of a placement: of its policy, with the demand, and of the resources it selects."""

from typing import Any, ClassVar

from pydantic import Field

from fleet.api.binding import ClusterDecision, WorkloadKey
from fleet.api.conditions import Condition
from fleet.api.names import LATEST, NUMBER_OF_CLUSTERS
from fleet.api.objects import Model, Resource
from fleet.api.placement import PlacementType, Policy


class Demand(WorkloadKey):
    """What one inference workload needs, wherever it goes."""

    model: str = ""
    """The preset; empty for a template, whose GPU request is all that is known."""
    weights_gib: str = "0"
    """Memory that the model's weights take over all GPUs of a replica; a decimal string."""
    kv_bytes_per_token: int = 0
    kv_heads: int = 0
    """GPUs that the KV cache may be divided among, 1 where each keeps all of it; 0 is not known."""
    attention_heads: int = 0
    """The tensor-parallel size divides them; 0 is not known."""
    context_tokens: int = 2048
    """Tokens that the KV cache must hold at least."""
    compute_capability: str = ""
    """The lowest that the model's arithmetic runs on: "8.0" for bf16, "8.9" for fp8."""
    replicas: int = 1
    gpus_per_replica: int = 0
    """As the user said; 0 leaves it to the decision."""
    instance_types: tuple[str, ...] = ()
    """What the user named; empty leaves it to the decision."""
    gpu_models: tuple[str, ...] = ()
    """GPU types that the user named, such as A100."""
    capacity_type: str = ""
    split: bool = False
    """Whether the replicas may be divided among clusters, as those of a ModelDeployment are."""


class PolicySnapshotSpec(Model):
    policy: Policy | None = None
    policy_hash: str = ""
    demands: tuple[Demand, ...] = ()


class PolicySnapshotStatus(Model):
    observed_crp_generation: int = Field(
        default=0,
        validation_alias="observedCRPGeneration",
        serialization_alias="observedCRPGeneration",
    )
    conditions: tuple[Condition, ...] = ()
    target_clusters: tuple[ClusterDecision, ...] = ()


class PolicySnapshot(Resource):
    API: ClassVar = "placement.kubernetes-fleet.io/v1beta1"

    spec: PolicySnapshotSpec = PolicySnapshotSpec()
    status: PolicySnapshotStatus = PolicySnapshotStatus()

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
    NAMESPACED: ClassVar = False


class SchedulingPolicySnapshot(PolicySnapshot):
    pass


class ResourceSnapshotSpec(Model):
    selected_resources: tuple[dict[str, Any], ...] = ()
    """Manifests, without what the server writes into them."""


class Snapshot(Resource):
    """Either scope of resource snapshot."""

    API: ClassVar = "placement.kubernetes-fleet.io/v1beta1"

    spec: ResourceSnapshotSpec = ResourceSnapshotSpec()

    @property
    def latest(self) -> bool:
        return self.metadata.labels.get(LATEST) == "true"


class ClusterResourceSnapshot(Snapshot):
    NAMESPACED: ClassVar = False


class ResourceSnapshot(Snapshot):
    pass
