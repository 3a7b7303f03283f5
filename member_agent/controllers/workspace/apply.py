"""Carry out a plan. Every step is idempotent, so a crash between steps is harmless."""

from contextlib import suppress

from fleet.api.names import CLAIM_FINALIZER, WORKSPACE_FINALIZER
from fleet.api.objects import Metadata, Resource
from fleet.api.workspace import Workspace
from fleet.kube.client import Client, Patch, swap
from fleet.kube.errors import AlreadyExistsError, NotFoundError
from member_agent.controllers.workspace.plan.actions import (
    Action,
    CreateClaim,
    DeleteClaim,
    DeleteStatefulSet,
    Hold,
    NoteSoldOut,
    Plan,
    Release,
    ReleaseClaim,
    WriteService,
    WriteStatefulSet,
)
from member_agent.controllers.workspace.plan.sold_out import annotated


async def apply(plan: Plan, client: Client) -> None:
    for action in plan.actions:
        await _carry_out(action, client)


async def _carry_out(action: Action, client: Client) -> None:
    match action:
        case Hold(workspace):
            await client.apply(_held(workspace))
        case Release(workspace):
            await client.json_patch(workspace, _without(workspace, WORKSPACE_FINALIZER))
        case NoteSoldOut(pool, types):
            old, new = pool.metadata.annotations, annotated(pool, types).metadata.annotations
            patch = swap("/metadata/annotations", dict(old) or None, dict(new) or None)
            await client.json_patch(pool, patch)
        case WriteStatefulSet(made) | WriteService(made):
            await client.apply(made, force=True)
        case DeleteStatefulSet(engine):
            with suppress(NotFoundError):
                await client.delete(engine)
        case _:
            await _claim(action, client)


async def _claim(action: CreateClaim | ReleaseClaim | DeleteClaim, client: Client) -> None:
    match action:
        case CreateClaim(claim):
            with suppress(AlreadyExistsError):
                await client.create(claim)
        case ReleaseClaim(claim):
            with suppress(NotFoundError):
                await client.json_patch(claim, _without(claim, CLAIM_FINALIZER))
        case DeleteClaim(claim):
            with suppress(NotFoundError):
                await client.delete(claim)


def _held(workspace: Workspace) -> Workspace:
    """What we own of a user's object, and its uid: once deleted it is not to come back."""
    held = Metadata(
        name=workspace.name,
        namespace=workspace.namespace,
        uid=workspace.metadata.uid,
        finalizers=(WORKSPACE_FINALIZER,),
    )
    return Workspace(metadata=held)


def _without(resource: Resource, finalizer: str) -> Patch:
    old = resource.metadata.finalizers
    others = [other for other in old if other != finalizer]
    return swap("/metadata/finalizers", [*old], others or None)
