"""What was found of each cluster, with the reason."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from fleet.api.binding import Allocation
from fleet.engine.wording import describe

NOTHING: Final[Mapping[str, int]] = MappingProxyType({})


class Score(NamedTuple):
    """Compared from first to last: what a user said comes before price."""

    topology: int = 0
    affinity: int = 0
    parts: Mapping[str, int] = NOTHING
    """Points of the inference score by name; empty where there is no demand."""
    kept: int = 0
    """1 where the cluster is in use under an older policy."""

    @property
    def points(self) -> int:
        return sum(self.parts.values())

    @property
    def named(self) -> Mapping[str, int]:
        """All parts, without those of KubeFleet's that are nothing."""
        spread = {"topology spread": self.topology, "affinity": self.affinity}
        return {name: points for name, points in spread.items() if points} | dict(self.parts)


class Rejected(NamedTuple):
    cluster: str
    by: str
    reason: str


class Ranked(NamedTuple):
    """A cluster that can take the placement, and what it would take there."""

    cluster: str
    score: Score | None = None
    """None for PickFixed, where nothing is compared."""
    allocations: tuple[Allocation, ...] = ()
    said: str = ""
    """The reason, where it was given before."""
    kept: bool = False
    """Whether it was decided before and is left as it was."""

    @property
    def reason(self) -> str:
        return self.said or describe(self.score.named if self.score else {}, self.allocations)

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
