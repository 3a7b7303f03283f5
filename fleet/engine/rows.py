"""What a decision reads of a member cluster; a heartbeat changes none of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final, NamedTuple

from fleet.api.binding import WorkloadKey
from fleet.api.cluster import AgentStatus, MemberCluster, Pool
from fleet.api.conditions import find

NAMESPACES_COLLECTED: Final = "NamespaceCollectionSucceeded"
TOTAL: Final = "resources.kubernetes-fleet.io/total-"
ALLOCATABLE: Final = "resources.kubernetes-fleet.io/allocatable-"
AVAILABLE: Final = "resources.kubernetes-fleet.io/available-"


class Taint(NamedTuple):
    key: str
    value: str
    effect: str


class Slot(NamedTuple):
    """A kind of instance that one may have."""

    instance_type: str
    capacity_type: str


class Owner(NamedTuple):
    """A workload that has GPUs."""

    kind: str
    namespace: str
    name: str

    @classmethod
    def of(cls, key: WorkloadKey) -> "Owner":
        return cls(key.kind, key.namespace, key.name)


@dataclass(frozen=True, slots=True)
class Stock:
    """Whole nodes of one kind in one cluster."""

    gpus_per_node: int
    free: int = 0
    """That are there, and nobody's."""
    provisionable: int = 0
    sold_out_until: datetime | None = None
    """Set where no zone has any; one that has some counts alone."""
    holds: Mapping[Owner, int] = field(default_factory=dict)
    """GPUs that each workload has."""


NO_STOCKS: Final[Mapping[Slot, Stock]] = MappingProxyType({})
NO_PROPERTIES: Final[Mapping[str, str]] = MappingProxyType({})


class Row(NamedTuple):
    name: str
    region: str
    labels: Mapping[str, str]
    taints: tuple[Taint, ...] = ()
    stocks: Mapping[Slot, Stock] = NO_STOCKS
    deleting: bool = False
    joined: bool = False
    """Whether its agent has joined, reports its health, and has sent a heartbeat."""
    unhealthy_since: datetime | None = None
    namespaces: frozenset[str] | None = None
    """None where the cluster does not report them."""
    heartbeat_seconds: int = 60
    properties: Mapping[str, str] = NO_PROPERTIES

    def lacks(self, namespace: str) -> bool:
        return self.namespaces is not None and namespace not in self.namespaces

    def held(self, slot: Slot, owner: Owner) -> int:
        """Count the GPUs of a kind that a workload has here, as the member reported it."""
        stock = self.stocks.get(slot)
        return stock.holds.get(owner, 0) if stock else 0


def row_of(member: MemberCluster) -> Row:
    spec, status = member.spec, member.status
    joined, unhealthy_since = _health(status.agent)
    return Row(
        name=member.name,
        region=member.region,
        labels=member.metadata.labels,
        taints=tuple(Taint(t.key, t.value, t.effect) for t in spec.taints) if spec.taints else (),
        stocks=_stocks(status.inventory.pools) if status.inventory.pools else NO_STOCKS,
        deleting=member.deleting,
        joined=joined,
        unhealthy_since=unhealthy_since,
        namespaces=_namespaces(member),
        heartbeat_seconds=spec.heartbeat_period_seconds,
        properties=_properties(member),
    )


def _health(agent: AgentStatus | None) -> tuple[bool, datetime | None]:
    """Say whether an agent has joined, and since when it is unhealthy."""
    if agent is None:
        return False, None
    said = {condition.type: condition for condition in agent.conditions}
    joined, healthy = said.get("Joined"), said.get("Healthy")
    heard = agent.last_received_heartbeat is not None
    there = heard and joined is not None and joined.true and healthy is not None
    unhealthy = healthy is not None and not healthy.true
    return there, healthy.last_transition_time if healthy and unhealthy else None


def _namespaces(member: MemberCluster) -> frozenset[str] | None:
    """A cluster is judged by its namespaces once its agent reports some, or how it fared."""
    found = frozenset(member.status.namespaces)
    return found if found or find(member.status.conditions, NAMESPACES_COLLECTED) else None


def _properties(member: MemberCluster) -> Mapping[str, str]:
    status, usage = member.status, member.status.resource_usage
    found = {name: given.value for name, given in status.properties.items()}
    for prefix, amounts in (
        (TOTAL, usage.capacity),
        (ALLOCATABLE, usage.allocatable),
        (AVAILABLE, usage.available),
    ):
        for resource, amount in amounts.items():
            found[prefix + resource] = amount
    return found


def _stocks(pools: Iterable[Pool]) -> Mapping[Slot, Stock]:
    """Add up the zones: a placement chooses the kind of instance, its agent the zone."""
    zones: dict[Slot, list[Pool]] = {}
    for pool in pools:
        zones.setdefault(Slot(pool.instance_type, pool.capacity_type), []).append(pool)
    return {slot: _stock(alike) for slot, alike in zones.items()}


def _stock(zones: list[Pool]) -> Stock:
    selling = [pool for pool in zones if pool.sold_out_until is None]
    waits = [pool.sold_out_until for pool in zones if pool.sold_out_until is not None]
    holds: dict[Owner, int] = {}
    for pool in zones:
        for hold in pool.holds:
            owner = Owner(hold.kind, hold.namespace, hold.name)
            holds[owner] = holds.get(owner, 0) + hold.gpus
    return Stock(
        gpus_per_node=zones[0].gpus_per_node,
        free=sum(pool.gpus_free // max(1, pool.gpus_per_node) for pool in zones),
        provisionable=sum(pool.nodes_provisionable for pool in selling or zones),
        sold_out_until=None if selling else min(waits),
        holds=holds,
    )
