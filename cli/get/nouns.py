"""What `get` shows of each kind: its columns, and the cells of an object. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from cli.age import NOTHING, age
from cli.cordon.taints import named
from fleet.api import names
from fleet.api.binding import Binding, ClusterResourceBinding, ResourceBinding
from fleet.api.cluster import MemberCluster
from fleet.api.conditions import Condition, find
from fleet.api.objects import Resource
from fleet.api.placement import ClusterResourcePlacement, Placement, ResourcePlacement
from fleet.api.service import ModelEndpoint
from fleet.api.work import Work

Cells = Iterator[str]


class Noun(StrEnum):
    MEMBERS = "members"
    PLACEMENTS = "placements"
    BINDINGS = "bindings"
    WORKS = "works"
    ENDPOINTS = "endpoints"


@dataclass(frozen=True, slots=True)
class Columns:
    """How the objects of some kinds are shown."""

    kinds: tuple[type[Resource], ...]
    headings: tuple[str, ...]
    cells: Callable[[Any, datetime], Cells]


def rows(noun: Noun, resources: Iterable[Resource], now: datetime) -> list[list[str]]:
    """Give the cells of each object, in the order of namespaces and names."""
    cells = NOUNS[noun].cells
    ordered = sorted(resources, key=lambda r: (r.namespace, r.name))
    return [list(cells(resource, now)) for resource in ordered]


def _state(conditions: Iterable[Condition], kind: str) -> str:
    """Show a condition's status, and why where it is not True."""
    condition = find(conditions, kind)
    if condition is None:
        return NOTHING
    return "True" if condition.true else f"{condition.status} ({condition.reason})"


def _member(member: MemberCluster, now: datetime) -> Cells:
    pools, gateway = member.status.inventory.pools, member.status.gateway
    yield member.name
    yield member.region
    yield _state(member.status.conditions, "Joined")
    yield age(member.heartbeat, now)
    yield str(sum(pool.nodes for pool in pools))
    yield str(sum(pool.gpus_free for pool in pools))
    yield NOTHING if gateway is None else "ready" if gateway.ready else "not ready"
    yield ", ".join(map(named, member.spec.taints)) or NOTHING
    yield age(member.metadata.creation_timestamp, now)


def _placement(placement: Placement, now: datetime) -> Cells:
    kind, conditions = placement.kind(), placement.status.conditions
    policy = placement.spec.policy
    yield placement.namespace or NOTHING
    yield placement.name
    yield policy.placement_type if policy else "PickAll"
    for stage in ("Scheduled", "Applied", "Available"):
        yield _state(conditions, f"{kind}{stage}")
    yield age(placement.metadata.creation_timestamp, now)


def _binding(binding: Binding, now: datetime) -> Cells:
    given = binding.spec.allocations
    yield binding.namespace or NOTHING
    yield binding.metadata.labels.get(names.PARENT, NOTHING)
    yield binding.spec.target_cluster
    yield binding.spec.state
    yield ", ".join(f"{a.nodes} x {a.instance_type}" for a in given) or NOTHING
    yield f"{sum((a.usd_per_hour for a in given), Decimal()):.2f}" if given else NOTHING
    yield _state(binding.status.conditions, "Available")
    yield age(binding.metadata.creation_timestamp, now)


def _work(work: Work, now: datetime) -> Cells:
    conditions = work.status.conditions
    yield names.member_cluster(work.namespace) or work.namespace
    yield work.name
    yield str(len(work.spec.workload.manifests))
    yield _state(conditions, "Applied")
    yield _state(conditions, "Available")
    yield age(work.metadata.creation_timestamp, now)


def _endpoint(endpoint: ModelEndpoint, now: datetime) -> Cells:
    spec, status = endpoint.spec, endpoint.status
    yield endpoint.namespace
    yield endpoint.name
    yield spec.service
    yield spec.region or NOTHING
    yield f"{status.ready_replicas}/{status.replicas}"
    yield _state(status.conditions, "Ready")
    yield NOTHING if status.usd_per_hour is None else f"{status.usd_per_hour:.2f}"
    yield spec.url
    yield age(endpoint.metadata.creation_timestamp, now)


NOUNS: Final[Mapping[Noun, Columns]] = {
    Noun.MEMBERS: Columns(
        (MemberCluster,),
        ("NAME", "REGION", "JOINED", "HEARTBEAT", "NODES", "FREE GPUS", "GATEWAY", "TAINTS", "AGE"),
        _member,
    ),
    Noun.PLACEMENTS: Columns(
        (ClusterResourcePlacement, ResourcePlacement),
        ("NAMESPACE", "NAME", "TYPE", "SCHEDULED", "APPLIED", "AVAILABLE", "AGE"),
        _placement,
    ),
    Noun.BINDINGS: Columns(
        (ClusterResourceBinding, ResourceBinding),
        ("NAMESPACE", "PLACEMENT", "CLUSTER", "STATE", "TAKES", "$/H", "AVAILABLE", "AGE"),
        _binding,
    ),
    Noun.WORKS: Columns(
        (Work,),
        ("MEMBER", "NAME", "MANIFESTS", "APPLIED", "AVAILABLE", "AGE"),
        _work,
    ),
    Noun.ENDPOINTS: Columns(
        (ModelEndpoint,),
        ("NAMESPACE", "NAME", "SERVICE", "REGION", "REPLICAS", "READY", "$/H", "URL", "AGE"),
        _endpoint,
    ),
}
