"""The kinds that the fleet serves: versions, short names, and what kubectl shows of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from fleet.api.binding import ClusterResourceBinding, ResourceBinding
from fleet.api.cluster import InternalMemberCluster, MemberCluster
from fleet.api.cluster_profile import ClusterProfile
from fleet.api.deployment import AIToolchainModelDeployment, ModelDeployment
from fleet.api.envelope import ClusterResourceEnvelope, ResourceEnvelope
from fleet.api.eviction import (
    ClusterResourcePlacementDisruptionBudget,
    ClusterResourcePlacementEviction,
)
from fleet.api.names import CATEGORY
from fleet.api.objects import Resource
from fleet.api.override import (
    ClusterResourceOverride,
    ClusterResourceOverrideSnapshot,
    ResourceOverride,
    ResourceOverrideSnapshot,
)
from fleet.api.placement import CLUSTER_SPEC_RULES, ClusterResourcePlacement, ResourcePlacement
from fleet.api.reported_status import ClusterResourcePlacementStatus
from fleet.api.schema import STABLE, Rule
from fleet.api.service import ModelEndpoint, ModelService
from fleet.api.snapshot import (
    ClusterResourceSnapshot,
    ClusterSchedulingPolicySnapshot,
    ResourceSnapshot,
    SchedulingPolicySnapshot,
)
from fleet.api.staged_update import (
    ApprovalRequest,
    ClusterApprovalRequest,
    ClusterStagedUpdateRun,
    ClusterStagedUpdateStrategy,
    StagedUpdateRun,
    StagedUpdateStrategy,
)
from fleet.api.work import AppliedWork, Work
from fleet.api.workspace import InferenceSet, Workspace


@dataclass(frozen=True, slots=True)
class Column:
    """What `kubectl get` shows; ours come after KubeFleet's, which scripts know by their place."""

    name: str
    path: str
    type: str = "string"
    wide: bool = False
    """Shown by `-o wide` only."""
    only: tuple[str, ...] = ()
    """The versions that show it; all of them where empty."""

    def versions(self, kind: "Kind") -> tuple[str, ...]:
        return self.only or kind.versions


@dataclass(frozen=True, slots=True)
class Kind:
    model: type[Resource]
    versions: tuple[str, ...]
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    scale: Mapping[str, str] = field(default_factory=dict)
    spec_rules: tuple[Rule, ...] = ()
    """Of this kind alone, where its spec is shared with another."""
    status: bool = True
    """Whether the status is written apart from the rest."""


def _condition(
    name: str,
    kind: str,
    part: str = "status",
    *,
    wide: bool = False,
    only: tuple[str, ...] = (),
) -> Column:
    path = f'.status.conditions[?(@.type=="{kind}")].{part}'
    return Column(name, path, wide=wide, only=only)


def _placement_columns(prefix: str) -> tuple[Column, ...]:
    return (
        Column("Gen", ".metadata.generation"),
        Column("Type", ".spec.policy.placementType", wide=True),
        _condition("Scheduled", f"{prefix}Scheduled"),
        _condition("Scheduled-Gen", f"{prefix}Scheduled", "observedGeneration"),
        _condition("Work-Synchronized", f"{prefix}WorkSynchronized", wide=True),
        _condition(
            "Work-Synchronized-Gen", f"{prefix}WorkSynchronized", "observedGeneration", wide=True
        ),
        _condition("Available", f"{prefix}Available"),
        _condition("Available-Gen", f"{prefix}Available", "observedGeneration"),
        _AGE,
    )


_AGE: Final = Column("Age", ".metadata.creationTimestamp", "date")
_READY: Final = _condition("Ready", "Ready")
_PRICE: Final = Column("USD/h", ".status.usdPerHour")
_BOTH: Final = STABLE
_ALL: Final = ("v1", "v1alpha1", "v1beta1")
_BETA: Final = ("v1beta1",)
_KAITO: Final = ("v1alpha1", "v1beta1")
_OURS: Final = ("v1alpha1",)
_YOUNG: Final = ("v1alpha1", "v1beta1")
_CLUSTERS: Final = ("fleet", "fleet-cluster")
_PLACEMENTS: Final = ("fleet", "fleet-placement")

_BINDING: Final = (
    _condition("WorkSynchronized", "WorkSynchronized"),
    _condition("ResourcesApplied", "Applied"),
    _condition("ResourceAvailable", "Available", wide=True),
    _AGE,
    Column("Cluster", ".spec.targetCluster"),
    Column("State", ".spec.state"),
)
_SNAPSHOT: Final = (Column("Gen", ".metadata.generation"), _AGE)
_RUN: Final = (
    Column("Placement", ".spec.placementName"),
    Column("Resource-Snapshot-Index", ".spec.resourceSnapshotIndex"),
    Column("Policy-Snapshot-Index", ".status.policySnapshotIndexUsed"),
    _condition("Initialized", "Initialized"),
    _condition("Progressing", "Progressing", only=STABLE),
    _condition("Succeeded", "Succeeded"),
    _AGE,
    Column("Strategy", ".spec.stagedRolloutStrategyName", wide=True),
)
_APPROVAL: Final = (
    Column("Update-Run", ".spec.parentStageRollout"),
    Column("Stage", ".spec.targetStage"),
    _condition("Approved", "Approved"),
    _AGE,
)
_EVICTION: Final = (
    _condition("Valid", "Valid", only=_BETA),
    _condition("Executed", "Executed", only=_BETA),
)
_REPORTED: Final = (
    Column("Resource-Index", ".sourceStatus.observedResourceIndex"),
    Column("Last-Updated", ".lastUpdatedTime"),
    _AGE,
)
_WORK: Final = (_AGE, _condition("Applied", "Applied"), _condition("Available", "Available"))
_WORKSPACE: Final = (
    Column("Instance", ".resource.instanceType"),
    *(
        _condition(name, name)
        for name in ("ResourceReady", "InferenceReady", "JobStarted", "WorkspaceSucceeded")
    ),
    Column("TargetNodeCount", ".status.targetNodeCount", "integer", only=_BETA),
    Column("State", ".status.state", only=_BETA),
    _AGE,
)
_INFERENCE_SET: Final = (
    Column("Replicas", ".spec.replicas", "integer"),
    Column("ReadyReplicas", ".status.readyReplicas", "integer"),
    _AGE,
)
_SCALE: Final = {
    "specReplicasPath": ".spec.replicas",
    "statusReplicasPath": ".status.replicas",
    "labelSelectorPath": ".status.selector",
}
_MEMBER: Final = (
    _condition("Joined", "Joined"),
    _AGE,
    Column(
        "Member-Agent-Last-Seen",
        '.status.agentStatus[?(@.type=="MemberAgent")].lastReceivedHeartbeat',
        "date",
    ),
    Column("Node-Count", r".status.properties.kubernetes-fleet\.io/node-count.value"),
    Column("Available-CPU", ".status.resourceUsage.available.cpu"),
    Column("Available-Memory", ".status.resourceUsage.available.memory"),
    Column("Allocatable-CPU", ".status.resourceUsage.allocatable.cpu", wide=True),
    Column("Allocatable-Memory", ".status.resourceUsage.allocatable.memory", wide=True),
    Column("Region", ".status.region"),
)
_DEPLOYMENT: Final = (
    Column("Model", ".spec.model"),
    Column("Replicas", ".spec.replicas", "integer"),
    Column("ReadyReplicas", ".status.readyReplicas", "integer"),
    Column("Clusters", ".status.clusters"),
    _PRICE,
    _READY,
    _AGE,
)
_SERVICE: Final = (
    Column("Model", ".spec.model"),
    Column("Endpoints", ".status.endpoints", "integer"),
    Column("ReadyEndpoints", ".status.readyEndpoints", "integer"),
    _PRICE,
    _READY,
    _AGE,
)
_ENDPOINT: Final = (
    Column("Service", ".spec.service"),
    Column("Region", ".spec.region"),
    Column("Cluster", ".spec.cluster"),
    Column("URL", ".spec.url", wide=True),
    Column("ReadyReplicas", ".status.readyReplicas", "integer"),
    _PRICE,
    _READY,
    _AGE,
)

KINDS: Final = (
    Kind(Workspace, _KAITO, ("wk", "wks"), ("workspace", CATEGORY), _WORKSPACE),
    Kind(InferenceSet, _KAITO, ("is", "isets"), ("inferenceset", CATEGORY), _INFERENCE_SET, _SCALE),
    Kind(MemberCluster, _BOTH, ("cluster",), _CLUSTERS, _MEMBER),
    Kind(InternalMemberCluster, _BOTH, ("imc",), _CLUSTERS, (_AGE,)),
    Kind(
        ClusterResourcePlacement,
        _BOTH,
        ("crp",),
        _PLACEMENTS,
        _placement_columns("ClusterResourcePlacement"),
        spec_rules=CLUSTER_SPEC_RULES,
    ),
    Kind(ResourcePlacement, _BOTH, ("rp",), _PLACEMENTS, _placement_columns("ResourcePlacement")),
    Kind(ClusterSchedulingPolicySnapshot, _BOTH, ("csps",), _PLACEMENTS, _SNAPSHOT),
    Kind(SchedulingPolicySnapshot, _BETA, ("sps",), _PLACEMENTS, _SNAPSHOT),
    Kind(ClusterResourceSnapshot, _BOTH, ("crs",), _PLACEMENTS, _SNAPSHOT),
    Kind(ResourceSnapshot, _BETA, ("rs",), _PLACEMENTS, _SNAPSHOT),
    Kind(ClusterResourceBinding, _BOTH, ("crb",), _PLACEMENTS, _BINDING),
    Kind(ResourceBinding, _BETA, ("rb",), _PLACEMENTS, _BINDING),
    Kind(ClusterStagedUpdateStrategy, _ALL, ("csus",), _PLACEMENTS),
    Kind(StagedUpdateStrategy, _BOTH, ("sus",), _PLACEMENTS, status=False),
    Kind(ClusterStagedUpdateRun, _ALL, ("csur",), _PLACEMENTS, _RUN),
    Kind(StagedUpdateRun, _BOTH, ("sur",), _PLACEMENTS, _RUN),
    Kind(ClusterApprovalRequest, _ALL, ("careq",), _PLACEMENTS, _APPROVAL),
    Kind(ApprovalRequest, _BOTH, ("areq",), _PLACEMENTS, _APPROVAL),
    Kind(ClusterResourceOverride, _ALL, (), _PLACEMENTS, status=False),
    Kind(ClusterResourceOverrideSnapshot, _ALL, (), _PLACEMENTS, status=False),
    Kind(ResourceOverride, _ALL, (), _PLACEMENTS, status=False),
    Kind(ResourceOverrideSnapshot, _ALL, (), _PLACEMENTS, status=False),
    Kind(ClusterResourcePlacementEviction, _YOUNG, ("crpe",), _PLACEMENTS, _EVICTION),
    Kind(ClusterResourcePlacementDisruptionBudget, _YOUNG, ("crpdb",), _PLACEMENTS, status=False),
    Kind(ClusterResourcePlacementStatus, _BOTH, ("crps",), _PLACEMENTS, _REPORTED, status=False),
    Kind(ClusterResourceEnvelope, _BETA, (), _PLACEMENTS, status=False),
    Kind(ResourceEnvelope, _BETA, (), _PLACEMENTS, status=False),
    Kind(Work, _BOTH, (), _PLACEMENTS, _WORK),
    Kind(AppliedWork, _BOTH, (), _PLACEMENTS, (_AGE,)),
    Kind(ClusterProfile, _OURS),
    Kind(ModelDeployment, _OURS, ("md",), (CATEGORY,), _DEPLOYMENT),
    Kind(AIToolchainModelDeployment, ("v1",), (), (CATEGORY,), _DEPLOYMENT),
    Kind(ModelService, _OURS, ("ms",), (CATEGORY,), _SERVICE),
    Kind(ModelEndpoint, _OURS, ("mep",), (CATEGORY,), _ENDPOINT),
)
