"""What a decision reads of a member cluster; a heartbeat changes none of it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from fleet.api.binding import WorkloadKey
from fleet.api.cluster import MemberCluster, Pool, Taint
from fleet.api.conditions import find

RESOURCE_PREFIX: Final = "resources.kubernetes-fleet.io/"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    name: str
    region: str
    labels: Mapping[str, str]
    taints: tuple[Taint, ...] = ()
    stocks: Mapping[Slot, Stock] = field(default_factory=dict)
    deleting: bool = False
    joined: bool = False
    unhealthy_since: datetime | None = None
    namespaces: frozenset[str] = frozenset()
    heartbeat_seconds: int = 60
    properties: Mapping[str, str] = field(default_factory=dict)

    def held(self, slot: Slot, owner: Owner) -> int:
        """Count the GPUs of a kind that a workload has here, as the member reported it."""
        stock = self.stocks.get(slot)
        return stock.holds.get(owner, 0) if stock else 0


def row_of(member: MemberCluster) -> Row:
    status = member.status
    return Row(
        name=member.name,
        region=member.region,
        labels=member.metadata.labels,
        taints=member.spec.taints,
        stocks=_stocks(status.inventory.pools),
        deleting=member.deleting,
        joined=member.joined,
        unhealthy_since=_unhealthy_since(member),
        namespaces=frozenset(status.namespaces),
        heartbeat_seconds=member.spec.heartbeat_period_seconds,
        properties=dict(_properties(member)),
    )


def _unhealthy_since(member: MemberCluster) -> datetime | None:
    agent = member.status.agent
    healthy = find(agent.conditions, "Healthy") if agent else None
    return healthy.last_transition_time if healthy and healthy.false else None


def _properties(member: MemberCluster) -> Iterator[tuple[str, str]]:
    for name, property_value in member.status.properties.items():
        yield name, property_value.value
    usage = member.status.resource_usage
    kinds = {
        "total": usage.capacity,
        "allocatable": usage.allocatable,
        "available": usage.available,
    }
    for capacity, amounts in kinds.items():
        for resource, amount in amounts.items():
            yield f"{RESOURCE_PREFIX}{capacity}-{resource}", amount


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
