"""How far a Workspace's nodes are. Pure."""

from enum import StrEnum
from typing import Final, NamedTuple

from fleet.api.conditions import find
from fleet.api.karpenter import NodeClaim
from member_agent.capacity import reached
from member_agent.controllers.workspace.plan.actions import Observed, Outcome

STAGES: Final = ("Launched", "Registered", "Initialized")


class Reason(StrEnum):
    CLAIMS_READY = "NodeClaimsReady"
    CLAIMS_NOT_READY = "NodeClaimNotReady"
    NO_CAPACITY = "InsufficientCapacity"
    NODES_READY = "NodesReady"
    NODES_NOT_READY = "NodeNotReady"
    PLUGINS_NOT_READY = "NodePluginsNotReady"


class Finding(NamedTuple):
    done: bool
    reason: str
    message: str


def claims(outcome: Outcome) -> Finding | None:
    """Say how far the claims are; nothing of a Workspace that needs none."""
    share, need = outcome.share, outcome.need
    if need is None:
        return None
    if share.shortage:
        return Finding(False, Reason.NO_CAPACITY, share.shortage)
    wanted = need.nodes - len(share.existing)
    return _progress(outcome, wanted, need.instance_type) if wanted > 0 else None


def _progress(outcome: Outcome, wanted: int, kind: str) -> Finding:
    if outcome.share.new:
        asked = f"asks for {len(outcome.share.new)} of {wanted} nodes of type {kind}"
        return Finding(False, Reason.CLAIMS_NOT_READY, asked)
    for claim in outcome.share.claims:
        if finding := _stage(claim):
            return finding
    return Finding(True, Reason.CLAIMS_READY, f"all {wanted} NodeClaims are ready")


def _stage(claim: NodeClaim) -> Finding | None:
    for stage in STAGES:
        if not reached(claim, stage):
            condition = find(claim.status.conditions, stage)
            told = f": {condition.message}" if condition and condition.message else ""
            reason = condition.reason if condition and condition.reason else ""
            message = f"NodeClaim {claim.name} is not {stage} yet{told}"
            return Finding(False, reason or Reason.CLAIMS_NOT_READY, message)
    return None


def nodes(outcome: Outcome, observed: Observed) -> Finding:
    need, ready = outcome.need, outcome.nodes
    if need is None:
        return Finding(False, Reason.NODES_NOT_READY, "it is not known which nodes are needed")
    if len(ready) >= need.nodes:
        return Finding(True, Reason.NODES_READY, f"all {need.nodes} nodes are ready")
    count = f"{len(ready)} of {need.nodes} nodes are ready"
    names = worker_nodes(outcome)
    there = [node for node in observed.cluster.nodes if node.name in names]
    for node in there:
        if node.ready and node.gpus < need.gpus:
            why = f"{count}: node {node.name} offers {node.gpus} of {need.gpus} GPUs"
            return Finding(False, Reason.PLUGINS_NOT_READY, why)
    down = [node.name for node in there if not node.ready]
    why = f": node {down[0]} is not Ready" if down else ""
    return Finding(False, Reason.NODES_NOT_READY, count + why)


def worker_nodes(outcome: Outcome) -> tuple[str, ...]:
    """Name the nodes that the Workspace has, ready or not."""
    shares = (outcome.share, outcome.other) if outcome.other else (outcome.share,)
    found = {node.name for share in shares for node in share.existing}
    found |= {claim.status.node_name for share in shares for claim in share.claims}
    if outcome.need is None:
        found |= {node.name for node in outcome.nodes}
    return tuple(sorted(found - {""}))
