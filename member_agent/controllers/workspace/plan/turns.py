"""Whose turn it is when the replicas of an InferenceSet change: one after another, by name."""

from collections.abc import Iterable

from fleet.api.conditions import find
from fleet.api.core import ConfigMap
from fleet.api.names import INFERENCE_SET
from fleet.api.workspace import UPDATING, Workspace
from member_agent.controllers.workspace.plan.actions import Observed, Sibling
from member_agent.controllers.workspace.plan.workload import SUCCEEDED
from member_agent.inputs import content, inputs

INFERENCE, RESOURCE = "InferenceReady", "ResourceReady"


def waits_for(workspace: Workspace, observed: Observed) -> str:
    """Name the replica that has to be done first; empty where it is this one's turn.

    One that does not come up in its new form holds the others: they serve on as they are. One
    that has no node holds nobody.
    """
    by_name = sorted(observed.siblings, key=lambda sibling: sibling.workspace.name)
    found = (s for s in by_name if _holds(s, workspace, observed.config))
    return next((sibling.workspace.name for sibling in found), "")


def _holds(sibling: Sibling, workspace: Workspace, config: ConfigMap | None) -> bool:
    other = sibling.workspace
    if other.deleting:
        return False
    if sibling.leftovers:
        return True
    current = _current(other, config)
    if current and _true(other, SUCCEEDED):
        return False
    if _answers(other):
        return other.name < workspace.name
    return current and _true(other, RESOURCE)


def _current(other: Workspace, config: ConfigMap | None) -> bool:
    """Whether its status speaks of what it is made from now."""
    made = inputs(other)
    known = config if config and made.config == config.key else None
    return other.status.observed_inputs == made.with_config(content(known.data) if known else "")


def _answers(other: Workspace) -> bool:
    said = find(other.status.conditions, INFERENCE)
    return said is not None and (said.true or said.reason == UPDATING)


def _true(other: Workspace, kind: str) -> bool:
    said = find(other.status.conditions, kind)
    return said is not None and said.true


def siblings_of(workspace: Workspace, others: Iterable[Workspace]) -> list[Workspace]:
    """Find the other replicas of the InferenceSet that a Workspace is a replica of."""
    mine = workspace.metadata.labels.get(INFERENCE_SET)
    found = (each for each in others if mine and each.metadata.labels.get(INFERENCE_SET) == mine)
    return [other for other in found if other.key != workspace.key]
