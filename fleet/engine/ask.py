"""What a placement asks the engine, and what it has already."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from fleet.api.binding import Allocation, ClusterDecision
from fleet.api.placement import PlacementType, Scoring
from fleet.api.snapshot import Demand
from fleet.engine.rules import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A cluster that the placement has a binding for."""

    cluster: str
    decision: ClusterDecision
    allocations: tuple[Allocation, ...] = ()
    in_use: bool = True
    """Else it was let go, and is there until what took its place is ready."""
    current: bool = True
    """Whether it was decided for this very policy and these very demands."""
    same_rules: bool = True
    """Whether the policy is the one it was decided for, whatever became of the demands."""
    bound: bool = False
    ready: bool = False
    fell_silent: bool = False
    """Whether it was let go because its member fell silent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    rules: Rules
    now: datetime
    limit: int | None = None
    """Clusters to pick; None is all of them."""
    demands: tuple[Demand, ...] = ()
    namespace: str = ""
    """Must be on the cluster beforehand; empty where the placement brings it, or needs none."""
    holdings: tuple[Holding, ...] = ()
    silent_seconds: Mapping[str, float] = field(default_factory=dict)
    """The silent clusters, and for how long they were listened to in vain: after the hub's start
    less than their silence lasts."""
    overdue_seconds: Mapping[str, float] = field(default_factory=dict)
    """The clusters whose heartbeat is late and who are not silent yet, and since when."""
    stale: frozenset[str] = frozenset()
    """Clusters not heard since the hub started, whose last heartbeat is older than the timeout."""
    heartbeat_timeout_seconds: float = 300.0
    """After such a silence no new placement chooses a cluster (KubeFleet's value)."""
    health_timeout_seconds: float = 300.0

    @property
    def kind(self) -> PlacementType:
        return self.rules.kind

    @property
    def scoring(self) -> Scoring | None:
        """How to score by GPU and price; None where there is no demand or no wish to."""
        return self.rules.scoring if self.demands else None

    @property
    def toleration_seconds(self) -> float | None:
        """How long a member may be silent before its share is placed anew; None is for ever."""
        return self.rules.failover_seconds

    @property
    def in_use(self) -> Iterator[Holding]:
        return (holding for holding in self.holdings if holding.in_use)

    @property
    def split(self) -> Demand | None:
        """The demand whose replicas may be divided among the clusters."""
        if self.scoring is None or len(self.demands) != 1 or not self.demands[0].split:
            return None
        return self.demands[0]
