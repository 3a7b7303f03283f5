"""Reasons in a few words, for a status or a table."""

from collections.abc import Mapping, Sequence

from fleet.api.binding import Allocation


def describe(points: Mapping[str, int], allocations: Sequence[Allocation]) -> str:
    """Say what is taken, and the parts of the score."""
    taken = [allocated(allocation) for allocation in allocations]
    parts = ", ".join(f"{name} {number:+d}" for name, number in points.items())
    return "; ".join(filter(None, (*taken, parts))) or "eligible"


def allocated(allocation: Allocation) -> str:
    """As `2 x Standard_NC24ads_A100_v4 at $8.30/h`."""
    kind = allocation.instance_type
    spot = "" if allocation.capacity_type == "on-demand" else f" {allocation.capacity_type}"
    return f"{allocation.nodes} x {kind}{spot} at ${allocation.usd_per_hour:.2f}/h"
