"""Which nodes a Workspace has, which it takes, and which it asks Karpenter for."""

from collections.abc import Iterator, Sequence
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
from fleet.api.objects import LabelSelector, Metadata
from fleet.api.workspace import Workspace
from member_agent.capacity import claimed, reached, sold_out
from member_agent.controllers.workspace.plan.actions import Need, Observed, Share
from member_agent.controllers.workspace.plan.offers import (
    offers,
    paused,
    room_of,
    selling_pools,
)
from member_agent.controllers.workspace.plan.sold_out import waited

OS: Final = "kubernetes.io/os"
TAINT: Final = {"key": "sku", "value": "gpu", "effect": "NoSchedule"}
RESERVED: Final = ("kaito.sh/", "karpenter.kaito.sh/", "inferenceset.kaito.sh/")
"""Prefixes of label keys that a labelSelector may name without effect, as with KAITO."""


def share(workspace: Workspace, need: Need, observed: Observed) -> Share:
    """Keep what the Workspace has, then take free nodes, then ask for new ones."""
    kept = _kept(workspace, need, observed)
    claims = _kept_claims(workspace, need, observed)[: need.nodes - len(kept)]
    lacking = need.nodes - len(kept) - len(claims)
    found = _free(workspace, need, observed, kept)[:lacking]
    existing, lacking = (*kept, *found), lacking - len(found)
    new = _new_claims(workspace, need, observed)[:lacking]
    enough = len(new) == lacking
    why, again = ("", _launch(claims, observed)) if enough else _shortage(need, observed)
    return Share(existing=existing, claims=claims, new=new, shortage=why, wake_after=again)


def selected(workspace: Workspace, node: Node) -> bool:
    """Whether a node matches the labelSelector, keys that are reserved left out."""
    selector = workspace.resource.label_selector
    labels = selector.match_labels.items()
    wanted = {key: value for key, value in labels if not key.startswith(RESERVED)}
    plain = LabelSelector(match_labels=wanted, match_expressions=selector.match_expressions)
    return plain.matches(node.metadata.labels)


def claim_name(workspace: Workspace, index: int) -> str:
    return cut(f"{workspace.name}-{index}", workspace.metadata.uid, str(index))


def _fits(node: Node, need: Need) -> bool:
    kind = node.metadata.labels.get(INSTANCE_TYPE, "")
    return need.instance_type in ("", kind) and (node.gpus >= need.gpus or not node.ready)


def _kept(workspace: Workspace, need: Need, observed: Observed) -> tuple[Node, ...]:
    """Keep nodes taken before, ready or not: one that restarts is not to be replaced."""
    mine = {claim.status.node_name for claim in observed.claims}
    used = set(workspace.status.worker_nodes) - mine - observed.cluster.taken
    nodes = (node for node in observed.cluster.nodes if node.name in used)
    return tuple(node for node in nodes if _fits(node, need))[: need.nodes]


def _kept_claims(workspace: Workspace, need: Need, observed: Observed) -> tuple[NodeClaim, ...]:
    there = {claim.name: claim for claim in observed.claims if not claim.deleting}
    named = (there.get(claim_name(workspace, index)) for index in range(need.nodes))
    return tuple(
        claim for claim in named if claim and claimed(claim).instance_type == need.instance_type
    )


def _free(
    workspace: Workspace, need: Need, observed: Observed, kept: Sequence[Node]
) -> tuple[Node, ...]:
    cluster = observed.cluster
    busy = cluster.taken | {node.name for node in kept}
    busy |= {claim.status.node_name for claim in observed.claims}
    return tuple(
        node
        for node in sorted(cluster.nodes, key=lambda node: node.name)
        if node.name not in busy
        and node.ready
        and not node.spec.unschedulable
        and _fits(node, need)
        and selected(workspace, node)
    )


def _new_claims(workspace: Workspace, need: Need, observed: Observed) -> tuple[NodeClaim, ...]:
    """Make the claims that there is room for; a name is free once its last claim is gone."""
    taken = {claim.name for claim in observed.claims}
    names = (claim_name(workspace, index) for index in range(need.nodes))
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
    selector = workspace.resource.label_selector.match_labels.items()
    wanted = {key: value for key, value in selector if not key.startswith(RESERVED)}
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
    entries = [sold_out(pool).get(need.instance_type) for pool in pools]
    paused_now = [entry for entry in entries if entry and observed.now < entry.until]
    if paused_now and len(paused_now) == len(pools):
        first = min(paused_now, key=lambda entry: entry.until)
        left = (first.until - observed.now).total_seconds()
        again = f"tried again after {first.until:%H:%M:%S} UTC"
        return f"{kind} is sold out: {first.message}; {again}", left
    ending = [claim.name for claim in observed.claims if claim.deleting]
    if ending:
        return f"waits until NodeClaim {ending[0]} is gone", None
    if not pools:
        return f"no free node of type {kind} matches, and no NodePool offers one", None
    full = ", ".join(
        f"{pool.name} (limit {pool.spec.limits.get(GPU)} GPUs)"
        for pool in pools
        if not room_of(pool, need.node_gpus, observed) and not paused(pool, kind, observed)
    )
    return f"no room for another {kind}: {full}", None
