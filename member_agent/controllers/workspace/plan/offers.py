"""NodePools from which a node of a type may be asked for now."""

from dataclasses import dataclass

from fleet.api.karpenter import NodePool
from member_agent.capacity import capacity_types, instance_types, room, sold_out
from member_agent.controllers.workspace.plan.actions import Observed


@dataclass(frozen=True, slots=True)
class Offer:
    pool: NodePool
    room: int
    """Nodes that it may still make."""


def offers(
    instance_type: str, capacity_type: str, gpus: int, observed: Observed
) -> tuple[Offer, ...]:
    """List the pools that have room for a node, and are not sold out; by name."""
    selling = selling_pools(instance_type, capacity_type, observed)
    rooms = (Offer(pool, room_of(pool, gpus, observed)) for pool in selling)
    return tuple(
        offer for offer in rooms if offer.room and not paused(offer.pool, instance_type, observed)
    )


def selling_pools(
    instance_type: str, capacity_type: str, observed: Observed
) -> tuple[NodePool, ...]:
    """List the pools whose requirements allow a type, whether or not they have room."""
    fitting = (
        pool
        for pool in observed.cluster.pools
        if instance_type in instance_types(pool) and capacity_type in capacity_types(pool)
    )
    return tuple(sorted(fitting, key=lambda pool: pool.name))


def paused(pool: NodePool, instance_type: str, observed: Observed) -> bool:
    entry = sold_out(pool).get(instance_type)
    return entry is not None and observed.now < entry.until


def room_of(pool: NodePool, gpus: int, observed: Observed) -> int:
    cluster = observed.cluster
    return room(pool, gpus, cluster.nodes, cluster.claims)
