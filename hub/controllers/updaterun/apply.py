"""Carry out a plan. Every step is idempotent, so a crash between steps is harmless."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from fleet.api import names
from fleet.api.binding import Binding, BindingState, BindingStatus
from fleet.api.objects import Metadata
from fleet.api.staged_update import Approval, ApprovalStatus, UpdateRun
from fleet.kube.client import Client, Patch, swap
from fleet.kube.errors import AlreadyExistsError, NotFoundError
from hub.controllers.updaterun.plan.actions import (
    Accept,
    Action,
    Ask,
    Give,
    Hold,
    Plan,
    Release,
    Remove,
    Report,
    Withdraw,
)


@dataclass(frozen=True, slots=True)
class Applier:
    client: Client
    given: Callable[[Binding, str], BindingStatus]
    """What to report on a binding that was given the resources of a run."""
    accepted: Callable[[Approval], ApprovalStatus]

    async def apply(self, plan: Plan) -> None:
        await self._all(plan.first)
        await self._all(plan.then)

    async def _all(self, actions: Iterable[Action]) -> None:
        """Write at the same time what does not depend on each other, and raise the first error."""
        done = await asyncio.gather(*map(self._do, actions), return_exceptions=True)
        for result in done:
            if isinstance(result, BaseException):
                raise result

    async def _do(self, action: Action) -> None:
        match action:
            case Hold(run):
                await self.client.apply(_held(run))
            case Release(run):
                await self.client.json_patch(run, _release(run))
            case Ask(_, approval):
                with suppress(AlreadyExistsError):
                    await self.client.create(approval)
            case Accept(approval):
                await self.client.patch_status(approval, self.accepted(approval))
            case Withdraw(approval):
                with suppress(NotFoundError):
                    await self.client.delete(approval)
            case _:
                await self._do_to_binding(action)

    async def _do_to_binding(self, action: Give | Report | Remove) -> None:
        match action:
            case Give(binding):
                await self.client.json_patch(binding, _give(action))
            case Report(binding, message):
                await self.client.patch_status(binding, self.given(binding, message))
            case Remove(binding):
                with suppress(NotFoundError):
                    await self.client.delete(binding)


def _give(action: Give) -> Patch:
    """Scheduling writes the state and the allocations too: change only what was seen."""
    spec = action.binding.spec
    ways = [way.dump() if way else None for way in (spec.apply_strategy, action.apply_strategy)]
    return (
        *swap("/spec/state", spec.state, BindingState.BOUND),
        *swap("/spec/resourceSnapshotName", spec.resource_snapshot_name, action.snapshot),
        *(swap("/spec/applyStrategy", *ways) if ways[0] != ways[1] else ()),
    )


def _held(run: UpdateRun) -> UpdateRun:
    """What we own of a user's object, and its uid: once deleted it is not to come back."""
    old = run.metadata
    metadata = Metadata(name=old.name, uid=old.uid, finalizers=(names.UPDATE_RUN_FINALIZER,))
    if old.namespace:
        metadata = metadata.model_copy(update={"namespace": old.namespace})
    return type(run).model_construct(metadata=metadata)


def _release(run: UpdateRun) -> Patch:
    old = run.metadata.finalizers
    others = [finalizer for finalizer in old if finalizer != names.UPDATE_RUN_FINALIZER]
    return swap("/metadata/finalizers", [*old], others or None)
