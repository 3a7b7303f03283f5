"""ClusterResourcePlacement and ResourcePlacement: what to place, and where it may go."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from fleet.api.affinity import (
    Affinity,
    ClusterAffinity,
    ClusterSelector,
    ClusterSelectorTerm,
    PreferredClusterSelector,
    PropertyRequirement,
    PropertySelector,
    PropertySorter,
    TopologySpreadConstraint,
)
from fleet.api.cluster import Taint
from fleet.api.conditions import Condition
from fleet.api.money import Money
from fleet.api.objects import LabelSelector, Model, Resource
from fleet.api.placement_rules import (
    CLUSTER_SPEC_RULES,
    POLICY_RULES,
    SELECTOR_RULES,
    SPEC_RULES,
    TOLERATION_RULES,
)
from fleet.api.schema import FILLED, INT32, INT64, LIST, REQUIRED, InVersions, Schema
from fleet.api.scoring import Failover, Limits, Profile, Scoring, Weights
from fleet.api.strategy import (
    ApplyStrategy,
    DeleteStrategy,
    ReportBackStrategy,
    RollingUpdate,
    ServerSideApplyConfig,
    Strategy,
)

__all__ = [
    "CLUSTER_SPEC_RULES",
    "Affinity",
    "ApplyStrategy",
    "ClusterAffinity",
    "ClusterPlacementStatus",
    "ClusterResourcePlacement",
    "ClusterSelector",
    "ClusterSelectorTerm",
    "DeleteStrategy",
    "DiffedResource",
    "DriftedResource",
    "Envelope",
    "FailedResource",
    "Failover",
    "Limits",
    "Money",
    "NamespacedName",
    "PatchDetail",
    "Placement",
    "PlacementSpec",
    "PlacementStatus",
    "PlacementType",
    "Policy",
    "PreferredClusterSelector",
    "Profile",
    "PropertyRequirement",
    "PropertySelector",
    "PropertySorter",
    "ReportBackStrategy",
    "ResourceIdentifier",
    "ResourcePlacement",
    "ResourceSelector",
    "RollingUpdate",
    "Scoring",
    "SelectionScope",
    "ServerSideApplyConfig",
    "Strategy",
    "Toleration",
    "TopologySpreadConstraint",
    "Weights",
]

_ENVELOPES: Final = ("ClusterResourceEnvelope", "ResourceEnvelope")
_ENVELOPE: Final = InVersions(("v1",), Schema(enum=_ENVELOPES))
_OLDER_ENVELOPE: Final = InVersions(
    ("v1beta1",), Schema(filled=True, enum=("ConfigMap", *_ENVELOPES))
)


class SelectionScope(StrEnum):
    NAMESPACE_ONLY = "NamespaceOnly"
    NAMESPACE_WITH_RESOURCES = "NamespaceWithResources"
    NAMESPACE_WITH_RESOURCE_SELECTORS = "NamespaceWithResourceSelectors"


class ResourceSelector(Model):
    """Selects objects on the hub by kind, and by name or labels."""

    group: str
    """API group of the objects; empty for the core group."""
    version: str
    """API version of the objects."""
    kind: str
    """Kind of the objects."""
    name: str = ""
    """Name of the one object; not together with labelSelector."""
    label_selector: LabelSelector | None = None
    """Labels of the objects; without it and a name, all objects of the kind."""
    selection_scope: Annotated[SelectionScope, FILLED] = SelectionScope.NAMESPACE_WITH_RESOURCES
    """What comes along with a Namespace: nothing, all in it, or what further selectors name."""


class PlacementType(StrEnum):
    PICK_ALL = "PickAll"
    PICK_N = "PickN"
    PICK_FIXED = "PickFixed"


class Toleration(Model):
    """Lets a placement go to clusters that have a taint."""

    key: str = ""
    """Key of the taint; empty with Exists tolerates every key."""
    operator: Annotated[Literal["Equal", "Exists"], FILLED] = "Equal"
    """Whether the taint's value must equal `value`, or is left out of account."""
    value: str = ""
    """Value of the taint; none with Exists."""
    effect: Annotated[str, Schema(enum=("NoSchedule",))] = ""
    """Effect of the taint; without it every effect."""

    def covers(self, taint: Taint) -> bool:
        if self.effect and self.effect != taint.effect:
            return False
        if self.operator == "Exists":
            return self.key in ("", taint.key)
        return (self.key, self.value) == (taint.key, taint.value)


class Policy(Model):
    """How many clusters to choose, and which."""

    placement_type: Annotated[PlacementType, FILLED] = PlacementType.PICK_ALL
    """PickAll takes every cluster that may be, PickN as many as said, PickFixed those named."""
    cluster_names: Annotated[tuple[str, ...], LIST] = ()
    """Clusters of PickFixed."""
    number_of_clusters: Annotated[int | None, INT32, Schema(minimum=0)] = None
    """How many clusters PickN takes."""
    affinity: Affinity | None = None
    """Clusters that may be chosen, and that are liked."""
    topology_spread_constraints: tuple[TopologySpreadConstraint, ...] = ()
    """How the clusters of PickN are spread."""
    tolerations: Annotated[
        tuple[Toleration, ...], Schema(max_items=100, rules=TOLERATION_RULES)
    ] = ()
    """Taints that do not keep the placement away."""
    scoring: Scoring | None = None
    """How clusters are scored for inference; by cost for PickN, and for others not at all."""

    @property
    def inference_scoring(self) -> Scoring | None:
        """How to score by GPU and price; None leaves it at KubeFleet's rules."""
        if self.scoring is None:
            return Scoring() if self.placement_type is PlacementType.PICK_N else None
        return None if self.scoring.profile is Profile.NONE else self.scoring


class PlacementSpec(Model):
    """What to place, where it may go, and how it gets there."""

    RULES: ClassVar = SPEC_RULES

    resource_selectors: Annotated[
        tuple[ResourceSelector, ...], Schema(min_items=1, max_items=100, rules=SELECTOR_RULES)
    ]
    """Objects on the hub to place."""
    policy: Annotated[Policy | None, Schema(rules=POLICY_RULES)] = None
    """How many clusters to choose, and which; every cluster without it."""
    strategy: Strategy = Strategy()
    """How the placement reaches its clusters."""
    revision_history_limit: Annotated[int, INT32, Field(ge=1, le=1000), FILLED] = 10
    """How many snapshots of policy and resources are kept."""
    status_reporting_scope: Annotated[
        Literal["ClusterScopeOnly", "NamespaceAccessible"], FILLED
    ] = "ClusterScopeOnly"
    """Whether the status is also kept in the namespace that is placed."""


class Envelope(Model):
    """The object that another came wrapped in."""

    name: str
    """Name of the envelope."""
    namespace: str = ""
    """Namespace of the envelope."""
    type: Annotated[str, _ENVELOPE, _OLDER_ENVELOPE] = "ConfigMap"
    """Kind of the envelope."""


class ResourceIdentifier(Model):
    """Names an object."""

    group: str = ""
    """API group of the object; empty for the core group."""
    version: Annotated[str, REQUIRED] = ""
    """API version of the object."""
    kind: Annotated[str, REQUIRED] = ""
    """Kind of the object."""
    name: Annotated[str, REQUIRED] = ""
    """Name of the object."""
    namespace: str = ""
    """Namespace of the object, if it has one."""
    envelope: Envelope | None = None
    """The object that it came wrapped in, if any."""


class FailedResource(ResourceIdentifier):
    """An object that could not be placed."""

    condition: Condition
    """Why not."""


class PatchDetail(Model):
    """A field that differs between hub and member."""

    path: str
    """JSON pointer to the field."""
    value_in_hub: str = ""
    """What the hub wants; nothing where it has no such field."""
    value_in_member: str = ""
    """What the member has; nothing where it has no such field."""


class DriftedResource(ResourceIdentifier):
    """An object that was changed in the member."""

    observation_time: datetime
    """When it was last seen to differ."""
    first_drifted_observed_time: datetime
    """When it was first seen to differ."""
    target_cluster_observed_generation: Annotated[int, INT64]
    """Its generation in the member."""
    observed_drifts: tuple[PatchDetail, ...] = ()
    """The fields that differ."""


class DiffedResource(ResourceIdentifier):
    """An object in the member that differs from what would be placed."""

    observation_time: datetime
    """When it was last seen to differ."""
    first_diffed_observed_time: datetime
    """When it was first seen to differ."""
    target_cluster_observed_generation: Annotated[int | None, INT64] = None
    """Its generation in the member, where it is there."""
    observed_diffs: tuple[PatchDetail, ...] = ()
    """The fields that differ."""


class NamespacedName(Model):
    """Names an object of a known kind."""

    name: str
    """Name of the object."""
    namespace: str
    """Namespace of the object."""


class ClusterPlacementStatus(Model):
    """What became of a placement on one cluster."""

    cluster_name: str = ""
    """The cluster; empty for one that could not be found."""
    observed_resource_index: str = ""
    """Index of the resource snapshot that the cluster has."""
    applicable_cluster_resource_overrides: tuple[str, ...] = ()
    """ClusterResourceOverrides that change what the cluster gets."""
    applicable_resource_overrides: tuple[NamespacedName, ...] = ()
    """ResourceOverrides that change what the cluster gets."""
    failed_placements: Annotated[tuple[FailedResource, ...], LIST] = ()
    """Objects that could not be placed, 100 at most."""
    drifted_placements: Annotated[tuple[DriftedResource, ...], LIST] = ()
    """Objects that were changed in the member, 100 at most."""
    diffed_placements: Annotated[tuple[DiffedResource, ...], LIST] = ()
    """Objects that differ from what would be placed, 100 at most."""
    conditions: tuple[Condition, ...] = ()
    """How far the placement is on the cluster."""


class PlacementStatus(Model):
    """What was selected, and what became of it."""

    selected_resources: tuple[ResourceIdentifier, ...] = ()
    """Objects that are placed."""
    observed_resource_index: str = ""
    """Index of the newest resource snapshot."""
    placement_statuses: tuple[ClusterPlacementStatus, ...] = ()
    """What became of the placement on each cluster."""
    conditions: tuple[Condition, ...] = ()
    """How far the placement is on all its clusters together."""


class Placement(Resource):
    """Places objects of the hub on clusters of the fleet."""

    API: ClassVar = "placement.kubernetes-fleet.io/v1beta1"

    spec: PlacementSpec
    """What to place, where it may go, and how it gets there."""
    status: PlacementStatus = PlacementStatus()
    """What was selected, and what became of it."""

    @property
    def policy(self) -> Policy:
        return self.spec.policy or Policy()


class ClusterResourcePlacement(Placement):
    """Places objects of the whole hub, namespaces with all in them too."""

    NAMESPACED: ClassVar = False


class ResourcePlacement(Placement):
    """Places objects of its own namespace."""
