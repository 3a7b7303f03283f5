"""Carry out a plan. Every step is idempotent, so a crash between steps is harmless."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress

from fleet.api import names
from fleet.api.objects import Metadata
from fleet.api.placement import Placement
from fleet.api.snapshot import PolicySnapshot, Snapshot
from fleet.kube.client import Client, Patch, swap
from fleet.kube.errors import NotFoundError
from hub.controllers.placement.plan.actions import (
    Action,
    Annotate,
    Create,
    Delete,
    Demote,
    Hold,
    Plan,
    Release,
)


async def apply(plan: Plan, client: Client) -> None:
    await _all(plan.first, client)
    await _all(plan.then, client)


async def _all(actions: Iterable[Action], client: Client) -> None:
    """Write at the same time what does not depend on each other, and raise the first error."""
    done = await asyncio.gather(*(_do(a, client) for a in actions), return_exceptions=True)
    for result in done:
        if isinstance(result, BaseException):
            raise result


async def _do(action: Action, client: Client) -> None:
    match action:
        case Hold(placement, finalizer):
            await client.apply(_held(placement, finalizer))
        case Release(placement, finalizer):
            await client.json_patch(placement, _release(placement, finalizer))
        case Create(snapshot):
            await client.create(snapshot, whole=True)
        case Demote(snapshot):
            await client.json_patch(snapshot, swap(_path("labels", names.LATEST), "true", "false"))
        case Annotate(snapshot, annotations):
            await client.json_patch(snapshot, _annotate(snapshot, annotations))
        case Delete(snapshot):
            with suppress(NotFoundError):
                await client.delete(snapshot)


def _held(placement: Placement, finalizer: str) -> Placement:
    """What we own of a user's object, and its uid: once deleted it is not to come back."""
    old = placement.metadata
    metadata = Metadata(
        name=old.name, namespace=old.namespace, uid=old.uid, finalizers=(finalizer,)
    )
    return type(placement).model_construct(metadata=metadata)


def _release(placement: Placement, finalizer: str) -> Patch:
    old = placement.metadata.finalizers
    others = [other for other in old if other != finalizer]
    return swap("/metadata/finalizers", [*old], others or None)


def _annotate(snapshot: Snapshot | PolicySnapshot, annotations: Mapping[str, str]) -> Patch:
    return [
        {"op": "add", "path": _path("annotations", name), "value": value}
        for name, value in annotations.items()
        if snapshot.metadata.annotations.get(name) != value
    ]


def _path(part: str, name: str) -> str:
    return f"/metadata/{part}/{name.replace('~', '~0').replace('/', '~1')}"
