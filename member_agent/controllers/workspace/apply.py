"""Carry out a plan. Every step is idempotent, so a crash between steps is harmless."""

from collections.abc import Callable, Iterable
from contextlib import suppress

from fleet.api.happenings import Happening
from fleet.api.karpenter import NodeClaim
from fleet.api.names import CLAIM_FINALIZER, WORKSPACE_FINALIZER
from fleet.api.objects import Metadata, Resource
from fleet.api.workspace import Workspace
from fleet.kube.client import Client, Patch, swap
from fleet.kube.errors import AlreadyExistsError, ForbiddenError, NotFoundError, RejectedError
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
from member_agent.controllers.workspace.plan.wording import claim_created, claim_refused

Told = Callable[[Iterable[Happening]], None]
"""Tells the users of the Workspace."""


async def apply(plan: Plan, client: Client, told: Told) -> None:
    for action in plan.actions:
        await _carry_out(action, client, told)


async def _carry_out(action: Action, client: Client, told: Told) -> None:
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
        case CreateClaim(claim):
            await _create(claim, client, told)
        case _:
            await _let_go(action, client)


async def _create(claim: NodeClaim, client: Client, told: Told) -> None:
    try:
        await client.create(claim)
    except AlreadyExistsError:
        return
    except (RejectedError, ForbiddenError) as error:
        told((claim_refused(claim, str(error)),))
        raise
    told((claim_created(claim),))


async def _let_go(action: ReleaseClaim | DeleteClaim, client: Client) -> None:
    match action:
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
