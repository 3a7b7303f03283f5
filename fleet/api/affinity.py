"""Which clusters attract a placement, and how it is spread over them."""

from typing import Annotated, Literal

from pydantic import Field

from fleet.api.objects import LabelSelector, Model
from fleet.api.schema import FILLED, INT32, REQUIRED, Schema


class PropertyRequirement(Model):
    """Compares a property of a cluster with a quantity."""

    name: str
    """Name of the property."""
    operator: str
    """How the property must compare: Gt, Ge, Eq, Ne, Lt or Le; by no other does a cluster match."""
    values: Annotated[tuple[str, ...], Schema(max_items=1)]
    """The one quantity that it is compared with."""


class PropertySelector(Model):
    """Selects clusters by their properties."""

    match_expressions: tuple[PropertyRequirement, ...]
    """Requirements, all of which must hold."""


class PropertySorter(Model):
    """Ranks clusters by a property."""

    name: str
    """Name of the property."""
    sort_order: Literal["Ascending", "Descending"]
    """Which clusters get most of the weight: those with the least (Ascending) or the most."""


class ClusterSelectorTerm(Model):
    """Selects clusters by labels and properties, both of which must hold."""

    label_selector: LabelSelector | None = None
    """Labels of the cluster."""
    property_selector: PropertySelector | None = None
    """Properties of the cluster; in required terms only."""
    property_sorter: PropertySorter | None = None
    """Property to rank by; in preferred terms only."""


class ClusterSelector(Model):
    """Selects clusters that one term at least holds for."""

    cluster_selector_terms: Annotated[
        tuple[ClusterSelectorTerm, ...], REQUIRED, Schema(max_items=10)
    ] = ()
    """Terms, of which one must hold."""


class PreferredClusterSelector(Model):
    """Gives points to clusters."""

    weight: Annotated[int, INT32, Schema(minimum=-100, maximum=100)]
    """Points of a cluster that the preference holds for."""
    preference: ClusterSelectorTerm
    """Which clusters get the points."""


class ClusterAffinity(Model):
    """Which clusters may be chosen, and which are liked."""

    required: ClusterSelector | None = Field(
        default=None,
        validation_alias="requiredDuringSchedulingIgnoredDuringExecution",
        serialization_alias="requiredDuringSchedulingIgnoredDuringExecution",
    )
    """Clusters that may be chosen; what is placed stays when they change."""
    preferred: tuple[PreferredClusterSelector, ...] = Field(
        default=(),
        validation_alias="preferredDuringSchedulingIgnoredDuringExecution",
        serialization_alias="preferredDuringSchedulingIgnoredDuringExecution",
    )
    """Clusters that are liked, for PickN."""


class Affinity(Model):
    """Which clusters attract the placement."""

    cluster_affinity: ClusterAffinity | None = None
    """Clusters that may be chosen, and that are liked."""


class TopologySpreadConstraint(Model):
    """Spreads the chosen clusters over the values of a label."""

    max_skew: Annotated[int, INT32, FILLED, Schema(minimum=1)] = 1
    """By how many clusters two values may differ."""
    topology_key: str
    """The label whose values are the domains."""
    when_unsatisfiable: Annotated[Literal["DoNotSchedule", "ScheduleAnyway"], FILLED] = (
        "DoNotSchedule"
    )
    """Whether a cluster that would skew the spread too much is left out, or only liked less."""
