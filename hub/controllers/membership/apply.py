"""Carry out a plan. Every step is idempotent, so a crash between steps is harmless."""

import asyncio
from contextlib import suppress

from fleet.api import names
from fleet.api.cluster import MemberCluster
from fleet.api.objects import Metadata
from fleet.api.times import stamp
from fleet.kube.client import Client, Patch, swap
from fleet.kube.errors import NotFoundError
from hub.controllers.membership.plan import (
    Action,
    Delete,
    Hold,
    Make,
    Plan,
    Release,
    SetState,
    Strip,
)


async def apply(plan: Plan, client: Client) -> None:
    for step in plan.steps:
        writes = (_do(action, client) for action in step)
        for result in await asyncio.gather(*writes, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result


async def _do(action: Action, client: Client) -> None:
    match action:
        case Hold(cluster):
            # Whoever applies an empty map of labels owns the whole of it.
            await client.apply(_held(cluster), force=True)
        case Release(cluster):
            await client.json_patch(cluster, _release(cluster))
        case Make(resource):
            await client.apply(resource, force=True)
        case SetState(internal, _, _):
            await client.json_patch(internal, _set(action))
        case Strip(work):
            finalizers = [*work.metadata.finalizers]
            await client.json_patch(work, swap("/metadata/finalizers", finalizers, None))
        case Delete(resource):
            with suppress(NotFoundError):
                await client.delete(resource)


def _held(cluster: MemberCluster) -> MemberCluster:
    """What we own of a user's object, and its uid: once deleted it is not to come back."""
    return MemberCluster.model_construct(
        metadata=Metadata(
            name=cluster.name,
            uid=cluster.metadata.uid,
            labels={names.MEMBER_NAME: cluster.name},
            finalizers=(names.MEMBER_CLUSTER_FINALIZER,),
        )
    )


def _set(action: SetState) -> Patch:
    """Write beside the state since when the agent is to leave."""
    internal, old = action.internal, dict(action.internal.metadata.annotations)
    new = {name: value for name, value in old.items() if name != names.LEAVE_ASKED}
    if action.asked:
        new[names.LEAVE_ASKED] = stamp(action.asked)
    return (
        *swap("/spec/state", internal.spec.state, action.state),
        *swap("/metadata/annotations", old or None, new or None),
    )


def _release(cluster: MemberCluster) -> Patch:
    old = cluster.metadata.finalizers
    others = [finalizer for finalizer in old if finalizer != names.MEMBER_CLUSTER_FINALIZER]
    return swap("/metadata/finalizers", [*old], others or None)
