"""What is said of an eviction: KubeFleet's words, which clients compare."""

from enum import StrEnum


class Said(StrEnum):
    VALID = "Eviction is valid"
    NO_PLACEMENT = "Failed to find ClusterResourcePlacement targeted by eviction"
    LEAVING = "Found deleting ClusterResourcePlacement targeted by eviction"
    FIXED = "Found ClusterResourcePlacement with PickFixed placement type targeted by eviction"
    NOT_THERE = "Failed to find scheduler decision for placement in cluster targeted by eviction"
    SEVERAL = "Found more than one scheduler decision for placement in cluster targeted by eviction"
    GOING = (
        "Eviction is allowed, resources propagated by placement is currently being removed from"
        " cluster targeted by eviction"
    )
    NOT_ARRIVED = (
        "Eviction is blocked, placement has not propagated resources to target cluster yet"
    )
    FAILED = "Eviction is allowed, placement has failed"
    NO_BUDGET = "Eviction is allowed, no ClusterResourcePlacementDisruptionBudget specified"
    WRONG_BUDGET = (
        "Eviction is blocked by misconfigured ClusterResourcePlacementDisruptionBudget, either"
        " MaxUnavailable is specified or MinAvailable is specified as a percentage for PickAll"
        " ClusterResourcePlacement"
    )


def by_budget(*, allowed: bool, available: int, total: int) -> str:
    verb = "allowed" if allowed else "blocked"
    budget = f"Eviction is {verb} by specified ClusterResourcePlacementDisruptionBudget"
    return f"{budget}, availablePlacements: {available}, totalPlacements: {total}"
