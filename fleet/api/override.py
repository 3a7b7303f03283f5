"""Overrides: what of a placed object is another in some clusters, and the record of each change."""

from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final, Literal

from fleet.api.affinity import ClusterSelector
from fleet.api.objects import Model, Resource
from fleet.api.placement import ResourceSelector
from fleet.api.schema import FILLED, STABLE, Rule, Schema

_FEW: Final = Schema(min_items=1, max_items=20)
_PLACEMENT_STAYS: Final = Rule(
    "has(self.placement) ? has(oldSelf.placement) && self.placement == oldSelf.placement"
    " : !has(oldSelf.placement)",
    "The placement field is immutable",
    versions=STABLE,
)
_OF_THE_CLUSTER: Final = Rule(
    "!has(self.spec.placement) || self.spec.placement.scope != 'Namespaced'",
    "clusterResourceOverride placement reference cannot be Namespaced scope",
)


class PlacementScope(StrEnum):
    CLUSTER = "Cluster"
    NAMESPACED = "Namespaced"


class PlacementReference(Model):
    """Names a placement."""

    name: str
    """Name of the placement."""
    scope: Annotated[PlacementScope, FILLED] = PlacementScope.CLUSTER
    """Cluster for a ClusterResourcePlacement, Namespaced for a ResourcePlacement."""


class OverrideType(StrEnum):
    JSON_PATCH = "JSONPatch"
    DELETE = "Delete"


class JSONPatch(Model):
    """One change of an object, as RFC 6902 has it."""

    op: Literal["add", "remove", "replace"]
    """What to do at the path."""
    path: str
    """JSON pointer to the field."""
    value: Any = None
    """The value to add or put there; in text ${MEMBER-CLUSTER-NAME} and
    ${MEMBER-CLUSTER-LABEL-KEY-<key>} become the cluster's name and label."""


class OverrideRule(Model):
    """What is another in which clusters."""

    cluster_selector: ClusterSelector | None = None
    """Clusters that it is for, by labels; without it, or with no terms, all of them."""
    override_type: Annotated[OverrideType, FILLED] = OverrideType.JSON_PATCH
    """JSONPatch changes the object, Delete leaves it out."""
    json_patch_overrides: Annotated[
        tuple[JSONPatch, ...],
        _FEW,
    ] = ()
    """The changes in their order; none with Delete."""


class OverridePolicy(Model):
    """What is another, rule by rule."""

    override_rules: Annotated[tuple[OverrideRule, ...], _FEW]
    """The rules in their order; each that is for a cluster is applied."""


class OverrideSpec(Model):
    """Which objects are another where, in either scope."""

    RULES: ClassVar = (_PLACEMENT_STAYS,)

    placement: PlacementReference | None = None
    """The placement by which the objects come; without it, any."""
    policy: OverridePolicy
    """What is another in which clusters."""


class ClusterResourceOverrideSpec(OverrideSpec):
    """Which cluster-scoped objects are another where."""

    cluster_resource_selectors: Annotated[tuple[ResourceSelector, ...], _FEW]
    """The objects, by name; a Namespace stands for all in it."""


class NamedResource(Model):
    """Names an object of a namespace that is known."""

    group: str
    """API group of the object; empty for the core group."""
    version: str
    """API version of the object."""
    kind: str
    """Kind of the object."""
    name: str
    """Name of the object."""


class ResourceOverrideSpec(OverrideSpec):
    """Which objects of a namespace are another where."""

    resource_selectors: Annotated[tuple[NamedResource, ...], _FEW]
    """The objects, in the override's own namespace."""


class ClusterResourceOverride(Resource):
    """Changes placed objects of the whole hub in some clusters."""

    API: ClassVar = "placement.kubernetes-fleet.io/v1beta1"
    NAMESPACED: ClassVar = False
    RULES: ClassVar = (_OF_THE_CLUSTER,)

    spec: ClusterResourceOverrideSpec
    """Which objects are another where."""


class ResourceOverride(Resource):
    """Changes placed objects of its namespace in some clusters."""

    API: ClassVar = "placement.kubernetes-fleet.io/v1beta1"

    spec: ResourceOverrideSpec
    """Which objects are another where."""


_HASH: Final = Schema(required=True, format="byte")


class ClusterResourceOverrideSnapshotSpec(Model):
    """A ClusterResourceOverride at one time."""

    override_spec: ClusterResourceOverrideSpec
    """What it said."""
    override_hash: Annotated[str, _HASH] = ""
    """Hash of what it said, in base64."""


class ResourceOverrideSnapshotSpec(Model):
    """A ResourceOverride at one time."""

    override_spec: ResourceOverrideSpec
    """What it said."""
    override_hash: Annotated[str, _HASH] = ""
    """Hash of what it said, in base64."""


class ClusterResourceOverrideSnapshot(Resource):
    """A ClusterResourceOverride at one time."""

    API: ClassVar = "placement.kubernetes-fleet.io/v1beta1"
    NAMESPACED: ClassVar = False

    spec: ClusterResourceOverrideSnapshotSpec
    """The override at that time."""


class ResourceOverrideSnapshot(Resource):
    """A ResourceOverride at one time."""

    API: ClassVar = "placement.kubernetes-fleet.io/v1beta1"

    spec: ResourceOverrideSnapshotSpec
    """The override at that time."""
