"""Reasons in a few words, for a status or a table."""

from collections.abc import Sequence

from fleet.api.binding import Allocation
from fleet.engine.verdicts import Score


def describe(score: Score | None, allocations: Sequence[Allocation]) -> str:
    """Say what is taken, and the parts of the score that are not nothing."""
    taken = [allocated(allocation) for allocation in allocations]
    return "; ".join([*taken, *_parts(score)]) or "eligible"


def allocated(allocation: Allocation) -> str:
    """As `2 x Standard_NC24ads_A100_v4 at $8.30/h`."""
    kind = allocation.instance_type
    spot = "" if allocation.capacity_type == "on-demand" else f" {allocation.capacity_type}"
    return f"{allocation.nodes} x {kind}{spot} at ${allocation.usd_per_hour:.2f}/h"


def _parts(score: Score | None) -> list[str]:
    if score is None:
        return []
    spread = {"topology spread": score.topology, "affinity": score.affinity}
    named = {name: points for name, points in spread.items() if points}
    parts = ", ".join(f"{name} {points:+d}" for name, points in {**named, **score.parts}.items())
    return [parts] if parts else []
