"""Which nodes a Workspace has, which it takes, and which it asks Karpenter for."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from fleet.api.core import Node
from fleet.api.karpenter import NodeClaim, NodeClaimSpec, NodePool, Requirement
from fleet.api.names import (
    CAPACITY_TYPE,
    CLAIM_FINALIZER,
    DO_NOT_DISRUPT,
    GPU,
    INSTANCE_TYPE,
    NODE_POOL,
    WORKSPACE,
    WORKSPACE_NAMESPACE,
    cut,
)
from fleet.api.objects import Metadata
from fleet.api.workspace import Workspace
from member_agent.capacity import claimed, reached, sold_out
from member_agent.controllers.workspace.plan.actions import Need, Observed, Share
from member_agent.controllers.workspace.plan.offers import (
    offers,
    paused,
    room_of,
    selling_pools,
)
from member_agent.controllers.workspace.plan.selection import usable, wanted_labels
from member_agent.controllers.workspace.plan.sold_out import waited

OS: Final = "kubernetes.io/os"
TAINT: Final = {"key": "sku", "value": "gpu", "effect": "NoSchedule"}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an engine stands beside another one of the same Workspace."""

    own: frozenset[str] = frozenset()
    """Nodes that its pods are on: they are kept before all others."""
    others: frozenset[str] = frozenset()
    """Nodes that the other one has, with no room beside it."""


def share(
    workspace: Workspace, need: Need, observed: Observed, standing: Standing = Standing()
) -> Share:
    """Keep what the Workspace has, then take free nodes, then ask for new ones."""
    kept, claims = _kept(workspace, need, observed, standing)
    lacking = need.nodes - len(kept) - len(claims)
    found = _free(workspace, need, observed, (*kept, *_named(standing.others, observed)))[:lacking]
    existing, lacking = (*kept, *found), lacking - len(found)
    new = _new_claims(workspace, need, observed, standing)[:lacking]
    why, again = ("", None) if len(new) == lacking else _shortage(need, observed)
    waits = [wait for wait in (again, _launch(claims, observed)) if wait is not None]
    return Share(
        existing=existing,
        claims=claims,
        new=new,
        shortage=why,
        wake_after=min(waits, default=None),
    )


def held(nodes: frozenset[str], observed: Observed) -> Share:
    """Keep nodes as they are, for what runs there."""
    claims = tuple(c for c in observed.claims if c.status.node_name in nodes and not c.deleting)
    made = {claim.status.node_name for claim in observed.claims}
    return Share(existing=_named(nodes - made, observed), claims=claims)


def claim_name(workspace: Workspace, index: int) -> str:
    return cut(f"{workspace.name}-{index}", workspace.metadata.uid, str(index))


def _fits(node: Node, need: Need) -> bool:
    kind = node.metadata.labels.get(INSTANCE_TYPE, "")
    return need.instance_type in ("", kind) and (node.gpus >= need.gpus or not node.ready)


def _named(nodes: AbstractSet[str], observed: Observed) -> tuple[Node, ...]:
    return tuple(node for node in observed.cluster.nodes if node.name in nodes)


def _kept(
    workspace: Workspace, need: Need, observed: Observed, standing: Standing
) -> tuple[tuple[Node, ...], tuple[NodeClaim, ...]]:
    """Keep first what the engine's pods are on, then nodes that were found, then those made."""
    nodes = _kept_nodes(workspace, need, observed, standing)
    claims = _kept_claims(workspace, need, observed, standing)
    both: list[tuple[str, Node | NodeClaim]] = [(node.name, node) for node in nodes]
    both += [(claim.status.node_name, claim) for claim in claims]
    ranked = sorted(both, key=lambda item: item[0] not in standing.own)[: need.nodes]
    kept = [item for _, item in ranked]
    return (
        tuple(item for item in kept if isinstance(item, Node)),
        tuple(item for item in kept if isinstance(item, NodeClaim)),
    )


def _kept_nodes(
    workspace: Workspace, need: Need, observed: Observed, standing: Standing
) -> tuple[Node, ...]:
    """List nodes taken before, ready or not: one that restarts is not to be replaced."""
    made = {claim.status.node_name for claim in observed.claims}
    used = {*workspace.status.worker_nodes, *standing.own} - made - standing.others
    nodes = _named(used - observed.cluster.taken, observed)
    return tuple(node for node in nodes if _fits(node, need))


def _kept_claims(
    workspace: Workspace, need: Need, observed: Observed, standing: Standing
) -> tuple[NodeClaim, ...]:
    """List the claims made for it, in the order in which they are named."""
    most = _most(need, observed)
    order = {claim_name(workspace, index): index for index in range(most)}
    there = (claim for claim in observed.claims if not claim.deleting)
    mine = (claim for claim in there if claim.status.node_name not in standing.others)
    fitting = (claim for claim in mine if claimed(claim).instance_type == need.instance_type)
    return tuple(sorted(fitting, key=lambda claim: (order.get(claim.name, most), claim.name)))


def _most(need: Need, observed: Observed) -> int:
    """Count the names that are enough for those there and as many again."""
    return need.nodes + len(observed.claims)


def _free(
    workspace: Workspace, need: Need, observed: Observed, kept: Sequence[Node]
) -> tuple[Node, ...]:
    cluster = observed.cluster
    busy = cluster.taken | {node.name for node in kept}
    busy |= {claim.status.node_name for claim in observed.claims}
    return tuple(
        node
        for node in sorted(cluster.nodes, key=lambda node: node.name)
        if node.name not in busy and usable(node, workspace) and _fits(node, need)
    )


def _new_claims(
    workspace: Workspace, need: Need, observed: Observed, standing: Standing
) -> tuple[NodeClaim, ...]:
    """Make the claims that there is room for; a name is free once its last claim is gone."""
    taken = {claim.name for claim in observed.claims}
    most = _most(need, observed) if standing.others else need.nodes
    names = (claim_name(workspace, index) for index in range(most))
    free = [name for name in names if name not in taken]
    pools = _places(need, observed)
    return tuple(
        _claim(name, pool, workspace, need) for name, pool in zip(free, pools, strict=False)
    )


def _places(need: Need, observed: Observed) -> Iterator[NodePool]:
    """Name the pool of each node that may still be made, pool after pool."""
    for offer in offers(need.instance_type, need.capacity_type, need.node_gpus, observed):
        for _ in range(offer.room):
            yield offer.pool


def _claim(name: str, pool: NodePool, workspace: Workspace, need: Need) -> NodeClaim:
    template = pool.spec.template
    ours = {
        NODE_POOL: pool.name,
        WORKSPACE: workspace.name,
        WORKSPACE_NAMESPACE: workspace.namespace,
    }
    wanted = wanted_labels(workspace)
    requirements = {
        NODE_POOL: pool.name,
        INSTANCE_TYPE: need.instance_type,
        CAPACITY_TYPE: need.capacity_type,
        OS: "linux",
    }
    return NodeClaim(
        metadata=Metadata(
            name=name,
            labels={**template.metadata.labels, **wanted, **ours},
            annotations={**template.metadata.annotations, DO_NOT_DISRUPT: "true"},
            finalizers=(CLAIM_FINALIZER,),
        ),
        spec=NodeClaimSpec(
            node_class_ref=template.spec.node_class_ref,
            requirements=tuple(
                Requirement(key=key, operator="In", values=(value,))
                for key, value in requirements.items()
            ),
            taints=(TAINT,),
            resources={"requests": {GPU: str(need.node_gpus)}},
            expire_after="Never",
        ),
    )


def _launch(claims: Sequence[NodeClaim], observed: Observed) -> float | None:
    """Seconds until the first claim has waited too long for its instance."""
    limit = observed.rules.launch_seconds
    left = [
        limit - waited(claim, observed).total_seconds()
        for claim in claims
        if not reached(claim, "Launched")
    ]
    return max(1.0, min(left)) if left else None


def _shortage(need: Need, observed: Observed) -> tuple[str, float | None]:
    """Say why a node is lacking, and when that may end by itself."""
    kind = need.instance_type or "GPU"
    pools = selling_pools(need.instance_type, need.capacity_type, observed)
    waiting = [pool for pool in pools if paused(pool, need.instance_type, observed)]
    told, left = _pause(need.instance_type, waiting, observed) if waiting else ("", None)
    if waiting and len(waiting) == len(pools):
        return f"{kind} is sold out: {told}", left
    ending = [claim.name for claim in observed.claims if claim.deleting]
    if ending:
        return f"waits until NodeClaim {ending[0]} is gone", left
    if not pools:
        return f"no free node of type {kind} matches, and no NodePool offers one", None
    full = ", ".join(
        f"{pool.name} (limit {pool.spec.limits.get(GPU)} GPUs)"
        for pool in pools
        if pool not in waiting and not room_of(pool, need.node_gpus, observed)
    )
    elsewhere = f"; elsewhere it is sold out: {told}" if waiting else ""
    return f"no room for another {kind}: {full}{elsewhere}", left


def _pause(kind: str, pools: Sequence[NodePool], observed: Observed) -> tuple[str, float]:
    """Say what the cloud told of a type that is sold out, and until when."""
    first = min((sold_out(pool)[kind] for pool in pools), key=lambda entry: entry.until)
    left = (first.until - observed.now).total_seconds()
    return f"{first.message}; tried again after {first.until:%H:%M:%S} UTC", left
