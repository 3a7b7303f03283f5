"""Read everything `plan` needs, once, from the caches."""

from typing import Final, NamedTuple

from fleet.api.core import Pod
from fleet.api.objects import Key, Resource
from fleet.api.work import AppliedWork
from fleet.api.workspace import InferenceSet, Workspace
from fleet.kube.cache import Cache
from member_agent.controllers.kaito_pods.plan import Observed
from member_agent.workspace_index import BY_WORKSPACE

WORK: Final = AppliedWork.kind()


class Reads(NamedTuple):
    """The kinds that are read here, and no others."""

    workspaces: Cache[Workspace]
    inference_sets: Cache[InferenceSet]
    pods: Cache[Pod]


def observe(reads: Reads, key: Key) -> Observed:
    workspace = reads.workspaces.get(key)
    return Observed(
        workspace=workspace,
        placed=_placed(reads, workspace) if workspace else None,
        pods=reads.pods.by(BY_WORKSPACE, str(key)),
    )


def _placed(reads: Reads, workspace: Workspace) -> Workspace | InferenceSet | None:
    if owner(workspace, WORK):
        return workspace
    name = owner(workspace, InferenceSet.kind())
    found = reads.inference_sets.get(Key(workspace.namespace, name))
    return found if found and owner(found, WORK) else None


def owner(resource: Resource, kind: str) -> str:
    """Name the owner of a kind; empty where there is none."""
    owners = resource.metadata.owner_references
    return next((each.name for each in owners if each.kind == kind), "")
