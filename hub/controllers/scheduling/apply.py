"""Carry out a plan. Every step is idempotent, so a crash between steps is harmless."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from fleet.api import names
from fleet.api.binding import Binding
from fleet.api.core import Event
from fleet.api.objects import Metadata, Resource
from fleet.api.placement import Placement
from fleet.kube.client import Client, Patch, swap
from fleet.kube.errors import AlreadyExistsError, NotFoundError
from hub.controllers.scheduling.plan.actions import (
    Action,
    Announce,
    Change,
    Create,
    Delete,
    Hold,
    LetGo,
    Plan,
    Release,
)

HELD_BACK = "FailoverHeldBack"
"""Reason of the event that says why nothing moves."""


async def apply(plan: Plan, client: Client, *, now: datetime) -> None:
    for action in plan.actions:
        await _do(action, client, now)


async def _do(action: Action, client: Client, now: datetime) -> None:
    match action:
        case Hold(placement):
            await client.apply(_held(placement))
        case Release(placement):
            await client.json_patch(placement, _without(placement, names.SCHEDULER_CLEANUP))
        case Create(binding):
            await client.create(binding)
        case Change(old, new):
            await client.json_patch(old, tuple(_change(old, new)))
        case Delete(binding):
            with suppress(NotFoundError):
                await client.delete(binding)
        case LetGo(binding):
            with suppress(NotFoundError):
                await client.json_patch(binding, _without(binding, names.BINDING_CLEANUP))
        case Announce(placement, message):
            with suppress(AlreadyExistsError):
                await client.create(_event(placement, message, now))


def _held(placement: Placement) -> Placement:
    """What we own of a user's object, and its uid: once deleted it is not to come back."""
    metadata = Metadata(
        name=placement.name, uid=placement.metadata.uid, finalizers=(names.SCHEDULER_CLEANUP,)
    )
    if placement.namespace:
        metadata = metadata.model_copy(update={"namespace": placement.namespace})
    return type(placement).model_construct(metadata=metadata)


def _without(resource: Resource, ours: str) -> Patch:
    old = resource.metadata.finalizers
    others = [finalizer for finalizer in old if finalizer != ours]
    return swap("/metadata/finalizers", [*old], others or None)


def _change(old: Binding, new: Binding) -> Iterator[Mapping[str, Any]]:
    """The rollout writes the state too: change it only from what we saw.

    The decision, its policy and its allocations are ours; they go in one patch, so that nobody
    sees one without the others.
    """
    yield from swap("/spec/state", old.spec.state, new.spec.state)
    notes = [dict(binding.metadata.annotations) or None for binding in (old, new)]
    if notes[0] != notes[1]:
        yield from swap("/metadata/annotations", *notes)
    before, after = old.spec.dump(), new.spec.dump()
    for field in ("clusterDecision", "schedulingPolicySnapshotName", "allocations"):
        if before.get(field) != after.get(field):
            yield _put(f"/spec/{field}", before.get(field), after.get(field))


def _put(path: str, old: object, new: object) -> Mapping[str, Any]:
    if new or not old:
        return {"op": "add", "path": path, "value": new}
    return {"op": "remove", "path": path}


def _event(placement: Placement, message: str, now: datetime) -> Event:
    """Name it after what it says, so that it is said once."""
    involved = {
        "apiVersion": placement.API,
        "kind": placement.kind(),
        "name": placement.name,
        "namespace": placement.namespace,
        "uid": placement.metadata.uid,
    }
    return Event(
        metadata=Metadata(
            name=names.cut(placement.name, placement.metadata.uid, HELD_BACK, message),
            namespace=placement.namespace or "default",
        ),
        involved_object={name: value for name, value in involved.items() if value},
        reason=HELD_BACK,
        message=message,
        type="Warning",
        reporting_component="modelfleet-scheduling",
        first_timestamp=now,
        last_timestamp=now,
    )
