"""What was found of each cluster, with the reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from fleet.api.binding import Allocation


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Compared from first to last: what a user said comes before price."""

    topology: int = 0
    affinity: int = 0
    parts: Mapping[str, int] = field(default_factory=dict)
    """Points of the inference score by name; empty where there is no demand."""
    kept: int = 0
    """1 where the cluster is in use under an older policy."""

    @property
    def points(self) -> int:
        return sum(self.parts.values())


@dataclass(frozen=True, slots=True)
class Rejected:
    cluster: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A cluster that can take the placement, and what it would take there."""

    cluster: str
    score: Score | None = None
    """None for PickFixed, where nothing is compared."""
    allocations: tuple[Allocation, ...] = ()
    reason: str = ""
    kept: bool = False
    """Whether it was decided before and is left as it was."""

    @property
    def usd_per_hour(self) -> Decimal:
        return sum((a.usd_per_hour for a in self.allocations), Decimal(0))


Verdict = Ranked | Rejected


class Cause(StrEnum):
    """Why a cluster in use is let go."""

    LEFT = "the cluster left the fleet"
    SILENT = "the member is silent"
    SOLD_OUT = "the instance type is sold out"
    UNFIT = "the policy or the demand changed"
    SURPLUS = "fewer clusters are wanted, or another is better"
    REPLACED = "the former cluster answers again"
