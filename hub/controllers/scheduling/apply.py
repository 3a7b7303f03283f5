"""Carry out a plan. Every step is idempotent, so a crash between steps is harmless."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from fleet.api import names
from fleet.api.binding import Binding
from fleet.api.happenings import Happening
from fleet.api.objects import Metadata, Resource
from fleet.api.placement import Placement
from fleet.kube.client import Client, Patch, swap
from fleet.kube.errors import NotFoundError
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

Told = Callable[[Iterable[Happening]], None]
"""Tells the users of the placement."""


async def apply(plan: Plan, client: Client, told: Told) -> None:
    """Make what is new all at once, and change and take away only when it is there."""
    new = [action for action in plan.actions if isinstance(action, Hold | Create)]
    done = await asyncio.gather(*(_do(a, client, told) for a in new), return_exceptions=True)
    for result in done:
        if isinstance(result, BaseException):
            raise result
    for action in plan.actions:
        if not isinstance(action, Hold | Create):
            await _do(action, client, told)


async def _do(action: Action, client: Client, told: Told) -> None:
    match action:
        case Hold(placement):
            await client.apply(_held(placement))
        case Release(placement):
            await client.json_patch(placement, _without(placement, names.SCHEDULER_CLEANUP))
        case Create(binding, happening):
            await client.create(binding, whole=True)
            told((happening,))
        case Change(old, new, happened):
            await client.json_patch(old, tuple(_change(old, new)))
            told(happened)
        case Delete(binding):
            with suppress(NotFoundError):
                await client.delete(binding)
        case LetGo(binding):
            with suppress(NotFoundError):
                await client.json_patch(binding, _without(binding, names.BINDING_CLEANUP))
        case Announce(happening):
            told((happening,))


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
    labels = [dict(binding.metadata.labels) or None for binding in (old, new)]
    if labels[0] != labels[1]:
        yield from swap("/metadata/labels", *labels)
    held = [list(binding.metadata.finalizers) or None for binding in (old, new)]
    if held[0] != held[1]:
        yield from swap("/metadata/finalizers", *held)
    before, after = old.spec.dump(), new.spec.dump()
    for field in (
        "targetCluster",
        "clusterDecision",
        "schedulingPolicySnapshotName",
        "allocations",
    ):
        if before.get(field) != after.get(field):
            yield _put(f"/spec/{field}", before.get(field), after.get(field))


def _put(path: str, old: object, new: object) -> Mapping[str, Any]:
    if new or not old:
        return {"op": "add", "path": path, "value": new}
    return {"op": "remove", "path": path}
