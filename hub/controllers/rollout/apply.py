"""Carry out a plan. Every step is idempotent, so a crash between steps is harmless."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from fleet.api.binding import Binding, BindingState, BindingStatus
from fleet.kube.client import Client, Patch, swap
from fleet.kube.errors import NotFoundError
from hub.controllers.rollout.plan import Action, Advance, Delete, Plan, Report

Started = Callable[[Binding], BindingStatus]
"""What to report on a binding that has the latest resources."""


async def apply(plan: Plan, client: Client, started: Started) -> None:
    """Write to all bindings at the same time, and raise the first error."""
    writes = (_do(action, client, started) for action in plan.actions)
    done = await asyncio.gather(*writes, return_exceptions=True)
    for result in done:
        if isinstance(result, BaseException):
            raise result


async def _do(action: Action, client: Client, started: Started) -> None:
    match action:
        case Advance(binding, snapshot):
            live = await client.json_patch(binding, _advance(binding, snapshot))
            await client.patch_status(live, started(live))
        case Report(binding):
            await client.patch_status(binding, started(binding))
        case Delete(binding):
            with suppress(NotFoundError):
                await client.delete(binding)


def _advance(binding: Binding, snapshot: str) -> Patch:
    """Scheduling writes the state and the allocations too: change only what was seen."""
    spec = binding.spec
    return (
        *swap("/spec/state", spec.state, BindingState.BOUND),
        *swap("/spec/resourceSnapshotName", spec.resource_snapshot_name, snapshot),
    )
