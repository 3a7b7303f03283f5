"""Carry out a plan. Every step is idempotent, so a crash between steps is harmless."""

import asyncio
from contextlib import suppress

from fleet.api import names
from fleet.api.binding import Binding
from fleet.api.objects import Metadata
from fleet.api.work import Work
from fleet.kube.client import Client, Patch, swap
from fleet.kube.errors import NotFoundError
from hub.controllers.work_generation.plan import OURS
from hub.controllers.work_generation.plan.actions import (
    Action,
    Change,
    Create,
    Delete,
    Hold,
    Plan,
    Release,
)


async def apply(plan: Plan, client: Client) -> dict[str, Work]:
    """Write everything at the same time; give the Works as they are now, by name."""
    writes = (_do(action, client) for action in plan.actions)
    done = await asyncio.gather(*writes, return_exceptions=True)
    for result in done:
        if isinstance(result, BaseException):
            raise result
    return {result.name: result for result in done if isinstance(result, Work)}


async def _do(action: Action, client: Client) -> Work | None:
    match action:
        case Create(work):
            return await client.create(work)
        case Change(old, new):
            return await client.json_patch(old, _change(old, new))
        case Delete(work):
            with suppress(NotFoundError):
                await client.delete(work)
        case Hold(binding):
            await client.apply(_held(binding))
        case Release(binding):
            await client.json_patch(binding, _release(binding))
    return None


def _change(old: Work, new: Work) -> Patch:
    """Only this controller writes what it replaces here, so there is nothing to test."""
    annotations = {k: v for k, v in old.metadata.annotations.items() if k not in OURS}
    return [
        {"op": "add", "path": "/spec", "value": new.spec.dump()},
        {
            "op": "add",
            "path": "/metadata/labels",
            "value": {**old.metadata.labels, **new.metadata.labels},
        },
        {
            "op": "add",
            "path": "/metadata/annotations",
            "value": annotations | {**new.metadata.annotations},
        },
    ]


def _held(binding: Binding) -> Binding:
    old = binding.metadata
    finalizers = (names.WORK_BINDING_CLEANUP,)
    metadata = Metadata(name=old.name, namespace=old.namespace, uid=old.uid, finalizers=finalizers)
    return type(binding).model_construct(metadata=metadata)


def _release(binding: Binding) -> Patch:
    old = binding.metadata.finalizers
    others = [finalizer for finalizer in old if finalizer != names.WORK_BINDING_CLEANUP]
    return swap("/metadata/finalizers", [*old], others or None)
