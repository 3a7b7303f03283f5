"""ClusterResourcePlacement and ResourcePlacement: what to place, and where it may go."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field, PlainSerializer

from fleet.api.cluster import Taint
from fleet.api.conditions import Condition
from fleet.api.objects import LabelSelector, Model, Resource

Money = Annotated[Decimal, PlainSerializer(str, when_used="json")]
"""US dollars as a decimal string: there are no floats in a spec."""


class SelectionScope(StrEnum):
    NAMESPACE_ONLY = "NamespaceOnly"
    NAMESPACE_WITH_RESOURCES = "NamespaceWithResources"
    NAMESPACE_WITH_RESOURCE_SELECTORS = "NamespaceWithResourceSelectors"


class ResourceSelector(Model):
    group: str
    version: str
    kind: str
    name: str = ""
    label_selector: LabelSelector | None = None
    selection_scope: SelectionScope = SelectionScope.NAMESPACE_WITH_RESOURCES


class PlacementType(StrEnum):
    PICK_ALL = "PickAll"
    PICK_N = "PickN"
    PICK_FIXED = "PickFixed"


class Toleration(Model):
    key: str = ""
    operator: Literal["Equal", "Exists"] = "Equal"
    value: str = ""
    effect: str = ""

    def covers(self, taint: Taint) -> bool:
        if self.effect and self.effect != taint.effect:
            return False
        if self.operator == "Exists":
            return self.key in ("", taint.key)
        return (self.key, self.value) == (taint.key, taint.value)


class PropertyRequirement(Model):
    name: str
    operator: Literal["Gt", "Ge", "Eq", "Ne", "Lt", "Le"]
    values: tuple[str, ...]


class PropertySelector(Model):
    match_expressions: tuple[PropertyRequirement, ...]


class PropertySorter(Model):
    name: str
    sort_order: Literal["Ascending", "Descending"]


class ClusterSelectorTerm(Model):
    label_selector: LabelSelector | None = None
    property_selector: PropertySelector | None = None
    property_sorter: PropertySorter | None = None


class ClusterSelector(Model):
    cluster_selector_terms: tuple[ClusterSelectorTerm, ...] = ()


class PreferredClusterSelector(Model):
    weight: int
    preference: ClusterSelectorTerm


class ClusterAffinity(Model):
    required: ClusterSelector | None = Field(
        default=None,
        validation_alias="requiredDuringSchedulingIgnoredDuringExecution",
        serialization_alias="requiredDuringSchedulingIgnoredDuringExecution",
    )
    preferred: tuple[PreferredClusterSelector, ...] = Field(
        default=(),
        validation_alias="preferredDuringSchedulingIgnoredDuringExecution",
        serialization_alias="preferredDuringSchedulingIgnoredDuringExecution",
    )


class Affinity(Model):
    cluster_affinity: ClusterAffinity | None = None


class TopologySpreadConstraint(Model):
    max_skew: int = 1
    topology_key: str
    when_unsatisfiable: Literal["DoNotSchedule", "ScheduleAnyway"] = "DoNotSchedule"


class Profile(StrEnum):
    COST = "cost"
    NONE = "none"


class Weights(Model):
    """Points of the inference score: what a dollar an hour costs, what room left over earns."""

    price: int = 100
    """Points that one US dollar an hour costs."""
    headroom: int = 1
    """Points that each GPU left over earns, 20 GPUs at most."""


class Limits(Model):
    usd_per_hour: Money | None = None
    """A cluster where the workload costs more is filtered out."""


class Failover(Model):
    toleration_seconds: int
    """How long a member may be silent before its share is placed anew; three heartbeats at least."""


class Scoring(Model):
    profile: Profile = Profile.COST
    weights: Weights = Weights()
    limits: Limits = Limits()
    failover: Failover | None = None
    max_clusters: int | None = Field(default=None, ge=1)
    """PickN goes up to this many clusters where fewer cannot hold all replicas."""


class Policy(Model):
    placement_type: PlacementType = PlacementType.PICK_ALL
    cluster_names: tuple[str, ...] = ()
    number_of_clusters: int | None = None
    affinity: Affinity | None = None
    topology_spread_constraints: tuple[TopologySpreadConstraint, ...] = ()
    tolerations: tuple[Toleration, ...] = ()
    scoring: Scoring | None = None

    @property
    def inference_scoring(self) -> Scoring | None:
        """How to score by GPU and price; None leaves it at KubeFleet's rules."""
        if self.scoring is None:
            return Scoring() if self.placement_type is PlacementType.PICK_N else None
        return None if self.scoring.profile is Profile.NONE else self.scoring


class ServerSideApplyConfig(Model):
    force: bool = False


class ApplyStrategy(Model):
    type: Literal["ClientSideApply", "ServerSideApply", "ReportDiff"] = "ClientSideApply"
    comparison_option: Literal["PartialComparison", "FullComparison"] = "PartialComparison"
    when_to_apply: Literal["Always", "IfNotDrifted"] = "Always"
    when_to_take_over: Literal["Always", "IfNoDiff", "Never"] = "Always"
    allow_co_ownership: bool = False
    server_side_apply_config: ServerSideApplyConfig | None = None


class RollingUpdate(Model):
    max_unavailable: int | str = "25%"
    max_surge: int | str = "25%"
    unavailable_period_seconds: int = 60


class DeleteStrategy(Model):
    propagation_policy: Literal["Delete", "Abandon"] = "Delete"


class ReportBackStrategy(Model):
    type: Literal["Disabled", "Mirror"] = "Disabled"
    destination: Literal["OriginalResource", "WorkAPI"] | None = None


class Strategy(Model):
    type: Literal["RollingUpdate", "External"] = "RollingUpdate"
    rolling_update: RollingUpdate | None = None
    apply_strategy: ApplyStrategy | None = None
    delete_strategy: DeleteStrategy | None = None
    report_back_strategy: ReportBackStrategy | None = None


class PlacementSpec(Model):
    resource_selectors: tuple[ResourceSelector, ...]
    policy: Policy | None = None
    strategy: Strategy = Strategy()
    revision_history_limit: int = Field(default=10, ge=1, le=1000)
    status_reporting_scope: Literal["ClusterScopeOnly", "NamespaceAccessible"] = "ClusterScopeOnly"


class ResourceIdentifier(Model):
    group: str = ""
    version: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""


class FailedResource(ResourceIdentifier):
    condition: Condition


class ClusterPlacementStatus(Model):
    """What became of a placement on one cluster."""

    cluster_name: str = ""
    observed_resource_index: str = ""
    failed_placements: tuple[FailedResource, ...] = ()
    conditions: tuple[Condition, ...] = ()


class PlacementStatus(Model):
    selected_resources: tuple[ResourceIdentifier, ...] = ()
    observed_resource_index: str = ""
    placement_statuses: tuple[ClusterPlacementStatus, ...] = ()
    conditions: tuple[Condition, ...] = ()


class Placement(Resource):
    """Either scope of placement; one code path serves both."""

    API: ClassVar = "placement.kubernetes-fleet.io/v1beta1"

    spec: PlacementSpec
    status: PlacementStatus = PlacementStatus()

    @property
    def policy(self) -> Policy:
        return self.spec.policy or Policy()


class ClusterResourcePlacement(Placement):
    NAMESPACED: ClassVar = False


class ResourcePlacement(Placement):
    pass
