"""Carry out a plan. Every step is idempotent, so a crash between steps is harmless."""

import asyncio
from contextlib import suppress

from fleet.api.binding import Binding, BindingState
from fleet.kube.client import Client, Patch, swap
from fleet.kube.errors import NotFoundError
from fleet.runtime.clock import Clock
from hub.controllers.rollout.plan import Action, Advance, Delete, Plan, Report
from hub.controllers.rollout.status import started


async def apply(plan: Plan, client: Client, clock: Clock) -> None:
    """Write to all bindings at the same time, and raise the first error."""
    writes = (_do(action, client, clock) for action in plan.actions)
    done = await asyncio.gather(*writes, return_exceptions=True)
    for result in done:
        if isinstance(result, BaseException):
            raise result


async def _do(action: Action, client: Client, clock: Clock) -> None:
    match action:
        case Advance(binding, snapshot):
            live = await client.json_patch(binding, _advance(binding, snapshot))
            await client.patch_status(live, started(live, now=clock()))
        case Report(binding):
            await client.patch_status(binding, started(binding, now=clock()))
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
