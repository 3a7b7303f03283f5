"""What is refused for the sake of other objects, in KubeFleet's words; no words, nothing wrong."""

from collections.abc import Iterable, Sequence
from typing import Final

from fleet.api.eviction import ClusterResourcePlacementDisruptionBudget
from fleet.api.override import ClusterResourceOverride, NamedResource, ResourceOverride
from fleet.api.placement import Placement, PlacementType, ResourceSelector

Override = ClusterResourceOverride | ResourceOverride
Selector = ResourceSelector | NamedResource
MOST_OVERRIDES: Final = 100
FULL: Final = {
    ClusterResourceOverride: "clusterResourceOverride limit has been reached: at most 100 cluster"
    " resources can be created.",
    ResourceOverride: "resourceOverride limit has been reached: at most 100 resources can be"
    " created.",
}


def of_override(made: Override, present: Sequence[Override], *, new: bool) -> str:
    """Hold overrides to a number, and each resource to one override.

    `present` are those of the same scope: all, or all of its namespace.
    """
    if new and len(present) >= MOST_OVERRIDES:
        return FULL[type(made)]
    owners = {
        selector: other.name
        for other in present
        if other.name != made.name
        for selector in _selectors(other)
    }
    return _joined(
        f"invalid resource selector {selector}: the resource has been selected by both"
        f" {made.name} and {owners[selector]}, which is not supported"
        for selector in _selectors(made)
        if selector in owners
    )


def of_eviction(placement: Placement | None) -> str:
    """Evict only from a placement that stays and that does not name its clusters."""
    if placement is None:
        return ""
    if placement.deleting:
        return f"cluster resource placement {placement.name} is being deleted"
    if placement.policy.placement_type is PlacementType.PICK_FIXED:
        return "cluster resource placement policy type PickFixed is not supported"
    return ""


def of_budget(budget: ClusterResourcePlacementDisruptionBudget, placement: Placement | None) -> str:
    """Of a placement on all clusters only a least number is a limit: it has no target."""
    if placement is None or placement.policy.placement_type is not PlacementType.PICK_ALL:
        return ""
    most, least = budget.spec.max_unavailable, budget.spec.min_available
    kind = "cluster resource placement policy type PickAll is not supported with"
    faults = [f"{kind} any specified max unavailable {most}"] if most is not None else []
    if isinstance(least, str):
        faults.append(f"{kind} min available as a percentage {least}")
    return _joined(faults)


def of_leaving(exports: Iterable[str]) -> str:
    """Let a member go once it exports no Service; `exports` are their namespaces and names."""
    first = next(iter(exports), "")
    if not first:
        return ""
    said = f"Please delete serviceExport {first} in the member cluster before leaving"
    return f"{said}, request is denied"


def printed(selector: Selector) -> str:
    """Write a selector as Go does."""
    said = f"Group:{selector.group} Version:{selector.version} Kind:{selector.kind}"
    said = f"{said} Name:{selector.name}"
    if isinstance(selector, ResourceSelector):
        said = f"{said} LabelSelector:nil SelectionScope:{selector.selection_scope}"
    return f"{{{said}}}"


def _selectors(override: Override) -> Iterable[str]:
    """Write each selector as it is compared and printed."""
    match override:
        case ClusterResourceOverride():
            return map(printed, override.spec.cluster_resource_selectors)
        case ResourceOverride():
            return map(printed, override.spec.resource_selectors)


def _joined(faults: Iterable[str]) -> str:
    found = tuple(faults)
    return f"[{', '.join(found)}]" if len(found) > 1 else "".join(found)
