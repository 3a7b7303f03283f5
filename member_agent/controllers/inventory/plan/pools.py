"""Count what GPU capacity a member has, who holds it, and what it may still get. Pure."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from fleet.api import names
from fleet.api.cluster import Hold, Pool
from fleet.api.core import Node
from fleet.api.karpenter import NodePool
from fleet.api.objects import Key
from fleet.api.workspace import InferenceSet, Workspace
from fleet.catalog.catalogue import Catalogue
from member_agent.capacity import (
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
from member_agent.controllers.inventory.plan.observed import Observed


class Slot(NamedTuple):
    """A kind of instance, as it is bought."""

    instance_type: str
    capacity_type: str


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
