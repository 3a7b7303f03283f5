"""Evictions: a placement taken off a cluster, and how many clusters may lose it so."""

from typing import Annotated, ClassVar, Final

from fleet.api.conditions import Condition
from fleet.api.objects import Model, Resource
from fleet.api.schema import Rule, Schema

_SHARE: Final = Schema(
    rules=(
        Rule(
            "type(self) == int ? self >= 0 : self.matches('^(100|[0-9]{1,2})%$')",
            "If supplied value is String should match regex '^(100|[0-9]{1,2})%$'"
            " or If supplied value is Integer must be greater than or equal to 0",
        ),
    )
)


def _named(field: str) -> Schema:
    stays = Rule("self == oldSelf", f"The {field} field is immutable")
    return Schema(max_length=255, rules=(stays,))


class EvictionSpec(Model):
    """Which placement is to go from which cluster."""

    placement_name: Annotated[str, _named("PlacementName")]
    """The ClusterResourcePlacement."""
    cluster_name: Annotated[str, _named("ClusterName")]
    """The cluster that it is to go from."""


class EvictionStatus(Model):
    """What became of an eviction."""

    conditions: tuple[Condition, ...] = ()
    """Whether it is valid, and whether it was carried out."""


class ClusterResourcePlacementEviction(Resource):
    """Takes a ClusterResourcePlacement off a cluster, once."""

    API: ClassVar = "placement.kubernetes-fleet.io/v1beta1"
    NAMESPACED: ClassVar = False

    spec: EvictionSpec
    """Which placement is to go from which cluster."""
    status: EvictionStatus = EvictionStatus()
    """What became of it."""


class DisruptionBudgetSpec(Model):
    """How many clusters may lose a placement; one of the two is said."""

    RULES: ClassVar = (
        Rule(
            "!(has(self.maxUnavailable) && has(self.minAvailable))",
            "Both MaxUnavailable and MinAvailable cannot be specified",
        ),
    )

    max_unavailable: Annotated[int | str | None, _SHARE] = None
    """How many clusters may be without it; a number or a percentage."""
    min_available: Annotated[int | str | None, _SHARE] = None
    """How many clusters must have it; a number or a percentage."""


class ClusterResourcePlacementDisruptionBudget(Resource):
    """Holds evictions of the ClusterResourcePlacement of the same name to a limit."""

    API: ClassVar = "placement.kubernetes-fleet.io/v1beta1"
    NAMESPACED: ClassVar = False

    spec: DisruptionBudgetSpec
    """How many clusters may lose the placement."""
