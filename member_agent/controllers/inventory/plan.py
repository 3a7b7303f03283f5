"""Count what GPU capacity a member has, who holds it, and what it may still get. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from fleet.api import names
from fleet.api.cluster import Hold, InternalMemberCluster, Inventory, Pool
from fleet.api.core import Namespace, Node, Pod
from fleet.api.karpenter import NodeClaim, NodePool
from fleet.api.objects import Key
from fleet.api.workspace import InferenceSet, Workspace
from fleet.catalog.catalogue import Catalogue
from fleet.engine.quantity import parse
from member_agent.capacity import (
    ENDED,
    ON_DEMAND,
    capacity_types,
    claimed,
    gpus_in_use,
    holder,
    in_flight,
    instance_types,
    room,
    sold_out,
)

RESOURCES: Final = ("cpu", "memory", names.GPU)
"""What the usage of a cluster is told in."""
MAX_NAMESPACES: Final = 200
NODE_COUNT: Final = "kubernetes-fleet.io/node-count"
GPU_COUNT: Final = "gpus.modelfleet.dev/{}"
INSTANCE_COUNT: Final = "kubernetes.azure.com/vm-sizes/{}/count"
VERSION: Final = "k8s.io/k8s-version"


class Slot(NamedTuple):
    """A kind of instance, as it is bought."""

    instance_type: str
    capacity_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """All that is looked at, read once at the start of the reconcile."""

    membership: InternalMemberCluster | None
    nodes: tuple[Node, ...]
    pods: tuple[Pod, ...]
    claims: tuple[NodeClaim, ...]
    pools: tuple[NodePool, ...]
    workspaces: tuple[Workspace, ...]
    namespaces: tuple[Namespace, ...]
    catalogue: Catalogue
    now: datetime
    works_held: bool = False
    """Whether a Work still bears our finalizer."""
    version: str = ""
    """Of Kubernetes; empty where it is not known."""
    release: str = ""
    """Of the agent itself."""


class Usage(NamedTuple):
    """Amounts of all nodes together, as quantities."""

    capacity: Mapping[str, str]
    allocatable: Mapping[str, str]
    available: Mapping[str, str]


class Facts(NamedTuple):
    """What a member reports of itself; a heartbeat changes none of it."""

    inventory: Inventory
    usage: Usage
    properties: Mapping[str, str]
    namespaces: Mapping[str, str]


def plan(observed: Observed) -> Facts:
    """Take stock."""
    return Facts(
        inventory=Inventory(pools=tuple(pools(observed))),
        usage=usage(observed),
        properties=dict(sorted(properties(observed))),
        namespaces=dict(_namespaces(observed)),
    )


def pools(observed: Observed) -> Iterator[Pool]:
    """Make one pool of each kind of GPU instance that there is or may be."""
    nodes = [node for node in observed.nodes if node.gpus]
    slots = {slot_of(node) for node in nodes} | {
        Slot(kind, capacity)
        for pool in observed.pools
        for kind in instance_types(pool)
        for capacity in capacity_types(pool)
    }
    held, holds = _held_nodes(observed), _holds(observed)
    for slot in sorted(slots):
        mine = [node for node in nodes if slot_of(node) == slot]
        gpus = _gpus_per_node(slot, mine, observed.catalogue)
        if not gpus:
            continue
        offering = [pool for pool in observed.pools if _offers(pool, slot)]
        yield Pool(
            instance_type=slot.instance_type,
            capacity_type=slot.capacity_type,
            gpus_per_node=gpus,
            nodes=len(mine),
            gpus_free=sum(node.gpus for node in mine if node.name not in held and _usable(node)),
            nodes_provisionable=sum(
                room(pool, gpus, observed.nodes, observed.claims) for pool in offering
            ),
            sold_out_until=_sold_out_until(slot, offering, observed.now),
            holds=tuple(_told(holds.get(slot, Counter()))),
        )


def slot_of(node: Node) -> Slot:
    labels = node.metadata.labels
    capacity = labels.get(names.CAPACITY_TYPE, ON_DEMAND)
    return Slot(labels.get(names.INSTANCE_TYPE, ""), capacity)


def _usable(node: Node) -> bool:
    return node.ready and not node.spec.unschedulable


def _offers(pool: NodePool, slot: Slot) -> bool:
    kinds = instance_types(pool)
    return slot.instance_type in kinds and slot.capacity_type in capacity_types(pool)


def _gpus_per_node(slot: Slot, nodes: list[Node], catalogue: Catalogue) -> int:
    sku = catalogue.sku(slot.instance_type)
    return max((node.gpus for node in nodes), default=sku.gpus if sku else 0)


def _sold_out_until(slot: Slot, offering: list[NodePool], now: datetime) -> datetime | None:
    """Tell the first moment at which a node may be asked for again; None where one may be now."""
    notes = [sold_out(pool).get(slot.instance_type) for pool in offering]
    waits = [note.until for note in notes if note and note.until > now]
    return min(waits) if waits and len(waits) == len(offering) else None


def _held_nodes(observed: Observed) -> frozenset[str]:
    """Name the nodes that a Workspace has, or that pods use GPUs of: a node serves one of them."""
    used = {name for name, gpus in gpus_in_use(observed.pods).items() if gpus}
    used |= {node.name for node in observed.nodes if holder(node.metadata.labels)}
    used |= {name for workspace in observed.workspaces for name in workspace.status.worker_nodes}
    return frozenset(used)


Holders = dict[Slot, Counter[tuple[str, Key]]]


def _holds(observed: Observed) -> Holders:
    """Count the GPUs that each workload has, or is about to get, by kind of instance."""
    owners = {workspace.key: _owner(workspace) for workspace in observed.workspaces}
    found: Holders = {}
    for slot, workspace, gpus in (*_of_nodes(observed), *_of_claims(observed)):
        owner = owners.get(workspace, (Workspace.kind(), workspace))
        found.setdefault(slot, Counter())[owner] += gpus
    return found


def _owner(workspace: Workspace) -> tuple[str, Key]:
    """Name the workload that the fleet knows: an InferenceSet rather than one of its replicas."""
    name = workspace.metadata.labels.get(names.INFERENCE_SET)
    if name:
        return InferenceSet.kind(), Key(workspace.namespace, name)
    return Workspace.kind(), workspace.key


def _of_nodes(observed: Observed) -> Iterator[tuple[Slot, Key, int]]:
    taken = {n: w.key for w in observed.workspaces for n in w.status.worker_nodes}
    for node in observed.nodes:
        workspace = holder(node.metadata.labels) or taken.get(node.name)
        if workspace and node.gpus:
            yield slot_of(node), workspace, node.gpus


def _of_claims(observed: Observed) -> Iterator[tuple[Slot, Key, int]]:
    for claim in in_flight(observed.claims, observed.nodes):
        workspace, wanted = holder(claim.metadata.labels), claimed(claim)
        if workspace and not claim.deleting:
            yield Slot(wanted.instance_type, wanted.capacity_type), workspace, wanted.gpus


def _told(holders: Counter[tuple[str, Key]]) -> Iterator[Hold]:
    for (kind, key), gpus in sorted(holders.items()):
        yield Hold(kind=kind, namespace=key.namespace, name=key.name, gpus=gpus)


def usage(observed: Observed) -> Usage:
    """Add up the nodes, and take off what pods have asked for."""
    nodes = [node.name for node in observed.nodes]
    capacity = _sum(node.status.capacity for node in observed.nodes)
    allocatable = _sum(node.status.allocatable for node in observed.nodes)
    running = (pod for pod in observed.pods if pod.status.phase not in ENDED)
    asked = _sum(_requests(pod) for pod in running if pod.spec.node_name in nodes)
    available = {name: allocatable[name] - asked[name] for name in RESOURCES}
    return Usage(_written(capacity), _written(allocatable), _written(available))


def _requests(pod: Pod) -> Mapping[str, str]:
    parts = [container.resources for container in pod.spec.containers]
    amounts = [part.get("requests") or part.get("limits") or {} for part in parts]
    return _written(_sum(amounts))


def _sum(amounts: Iterable[Mapping[str, str]]) -> dict[str, Decimal]:
    total = dict.fromkeys(RESOURCES, Decimal(0))
    for amount in amounts:
        for name in RESOURCES:
            total[name] += parse(str(amount.get(name, "0"))) or 0
    return total


def _written(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {name: _quantity(amount) for name, amount in amounts.items() if amount}


def _quantity(amount: Decimal) -> str:
    """Write an amount in whole units, or in thousandths where it is none."""
    whole = amount.to_integral_value()
    return str(whole) if whole == amount else f"{int(amount * 1000)}m"


def properties(observed: Observed) -> Iterator[tuple[str, str]]:
    """Name and count what placements may select and sort by."""
    yield NODE_COUNT, str(len(observed.nodes))
    types = Counter(node.metadata.labels.get(names.INSTANCE_TYPE, "") for node in observed.nodes)
    for kind, count in types.items():
        if kind:
            yield INSTANCE_COUNT.format(kind), str(count)
    gpus: Counter[str] = Counter()
    for node in observed.nodes:
        sku = observed.catalogue.sku(node.metadata.labels.get(names.INSTANCE_TYPE, ""))
        if node.gpus and sku:
            gpus[sku.gpu_model.replace(" ", "-")] += node.gpus
    for model, count in gpus.items():
        yield GPU_COUNT.format(model), str(count)
    if observed.version:
        yield VERSION, observed.version
    if observed.release:
        yield names.AGENT_VERSION, observed.release


def _namespaces(observed: Observed) -> Iterator[tuple[str, str]]:
    """Name the namespaces, each with the AppliedWork that owns it."""
    for namespace in sorted(observed.namespaces, key=lambda item: item.name)[:MAX_NAMESPACES]:
        owners = namespace.metadata.owner_references
        yield namespace.name, next((o.name for o in owners if o.kind == "AppliedWork"), "")
