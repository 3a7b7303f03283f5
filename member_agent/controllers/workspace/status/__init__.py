"""Report a Workspace as KAITO does, so that its users find what they know. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from fleet.api.conditions import Condition, ConditionStatus, find, since
from fleet.api.workspace import Workspace, WorkspaceState, WorkspaceStatus
from member_agent.controllers.workspace.plan import ready_nodes
from member_agent.controllers.workspace.plan.actions import Observed, Outcome, Refusal
from member_agent.controllers.workspace.plan.engines import (
    looked_at,
    newest_ready,
    pods_of,
    said_to_serve,
)
from member_agent.controllers.workspace.plan.workload import SUCCEEDED
from member_agent.controllers.workspace.status.nodes import Finding, claims, nodes, worker_nodes
from member_agent.controllers.workspace.status.pods import Reason, trouble
from member_agent.inputs import content, inputs

MAX_MESSAGE: Final = 1024
CLAIMS: Final = "NodeClaimReady"
NODES: Final = "NodesReady"
RESOURCE: Final = "ResourceReady"
INFERENCE: Final = "InferenceReady"
OURS: Final = (CLAIMS, NODES, RESOURCE, INFERENCE, SUCCEEDED)


def report(workspace: Workspace, outcome: Outcome, observed: Observed) -> WorkspaceStatus | None:
    """Say how far a Workspace is, or None where it says so already."""
    old = workspace.status
    found = dict(_findings(outcome, observed))
    conditions = tuple(
        since(old.conditions, _condition(kind, finding, workspace, observed))
        for kind, finding in found.items()
    )
    new = WorkspaceStatus(
        worker_nodes=worker_nodes(outcome),
        state=_state(found[SUCCEEDED], outcome, old),
        target_node_count=outcome.need.nodes if outcome.need else old.target_node_count,
        conditions=conditions,
        observed_inputs=observed_inputs(workspace, observed),
    )
    said = tuple(c for kind in found if (c := find(old.conditions, kind)))
    gone = any(c.type in OURS and c.type not in found for c in old.conditions)
    same = new == old.model_copy(update={"conditions": conditions, "performance": None})
    return None if same and said == conditions and not gone else new


def observed_inputs(workspace: Workspace, observed: Observed) -> str:
    config = observed.config
    return inputs(workspace).with_config(content(config.data) if config else "")


def _findings(outcome: Outcome, observed: Observed) -> Iterator[tuple[str, Finding]]:
    of_claims, of_nodes = claims(outcome), nodes(outcome, observed)
    if of_claims:
        yield CLAIMS, of_claims
    yield NODES, of_nodes
    resource = _resource(outcome.refusal, of_claims, of_nodes)
    yield RESOURCE, resource
    inference = _inference(outcome, observed, resource)
    yield INFERENCE, inference
    yield SUCCEEDED, _succeeded(outcome, resource, inference)


def _resource(refusal: Refusal | None, of_claims: Finding | None, of_nodes: Finding) -> Finding:
    waiting = "workspaceResourceStatusNotReady"
    if of_nodes.done:
        return Finding(True, "workspaceResourceStatusSuccess", of_nodes.message)
    if refusal:
        return Finding(False, waiting, refusal.message)
    first = of_claims if of_claims and not of_claims.done else of_nodes
    return Finding(False, waiting, first.message)


def _inference(outcome: Outcome, observed: Observed, resource: Finding) -> Finding:
    engine, refusal, newest = observed.stateful_set, outcome.refusal, outcome.newest
    if engine is None or (refusal and outcome.need):
        started = "the engine is being started" if resource.done else resource.message
        return Finding(False, Reason.PENDING, refusal.message if refusal else started)
    if newest and newest_ready(newest) and not outcome.outdated and not refusal:
        return Finding(True, Reason.READY, "the engine answers")
    if said_to_serve(engine):
        why = refusal.message if refusal else outcome.waits or _new_pods(outcome, observed)
        return Finding(False, Reason.UPDATING, f"the earlier engine answers still: {why}")
    found = trouble(observed.pods)
    if found:
        return Finding(False, found.reason, found.message)
    count = f"{engine.status.ready_replicas} of {engine.spec.replicas} pods are ready"
    return Finding(False, Reason.PENDING, count)


def _new_pods(outcome: Outcome, observed: Observed) -> str:
    """Say how far the pods are that are to take over, beside the earlier ones or in their place."""
    newest, other = outcome.newest, outcome.other
    if newest is None and other:
        mine = replace(outcome, share=other, nodes=ready_nodes(other, outcome.need, observed))
        found = claims(mine)
        waits = found if found and not found.done else nodes(mine, observed)
        return "the new one is being started" if waits.done else waits.message
    if newest is None:
        return "the new one is being started"
    found_trouble = trouble(pods_of(newest, observed) if other else observed.pods)
    if found_trouble:
        return found_trouble.message
    seen = looked_at(newest) and (other or not outcome.outdated)
    ready = newest.status.ready_replicas if other else newest.status.updated_replicas
    return f"{ready if seen else 0} of {newest.spec.replicas} new pods are ready"


def _succeeded(outcome: Outcome, resource: Finding, inference: Finding) -> Finding:
    refusal = outcome.refusal
    if refusal and refusal.final:
        return Finding(False, "workspaceFailed", refusal.message)
    if inference.done and not refusal:
        return Finding(True, "workspaceSucceeded", inference.message)
    pending = inference if resource.done else resource
    return Finding(False, "workspacePending", refusal.message if refusal else pending.message)


def _state(succeeded: Finding, outcome: Outcome, old: WorkspaceStatus) -> WorkspaceState:
    if succeeded.done:
        return WorkspaceState.READY
    if outcome.refusal and outcome.refusal.final:
        return WorkspaceState.FAILED
    served = (WorkspaceState.READY, WorkspaceState.NOT_READY)
    return WorkspaceState.NOT_READY if old.state in served else WorkspaceState.PENDING


def _condition(kind: str, finding: Finding, workspace: Workspace, observed: Observed) -> Condition:
    return Condition(
        type=kind,
        status=ConditionStatus.of(finding.done),
        reason=finding.reason,
        message=finding.message[:MAX_MESSAGE],
        observed_generation=workspace.metadata.generation,
        last_transition_time=observed.now,
    )
