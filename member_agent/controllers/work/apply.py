"""Carry out a plan. Every step is idempotent, so a crash between steps is harmless."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from fleet.api.core import Namespace
from fleet.api.names import WORK_BINDING_CLEANUP
from fleet.api.objects import Key, Metadata, OwnerReference
from fleet.api.work import AppliedResource, AppliedWork, AppliedWorkStatus, Work
from fleet.kube.client import Client, Patch, swap
from fleet.kube.errors import (
    AlreadyExistsError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    NotServedError,
    RejectedError,
)
from member_agent.controllers.work.plan.actions import (
    Adopt,
    Apply,
    Drop,
    EnsureNamespace,
    Hold,
    Outcome,
    Plan,
    Reason,
    Release,
    Remove,
    Step,
    Verdict,
)
from member_agent.controllers.work.plan.manifests import owned
from member_agent.controllers.work.plan.sight import remember

REFUSALS = (ConflictError, ForbiddenError, NotFoundError, NotServedError, RejectedError)
"""Answers that concern one manifest; all else concerns the server, and the whole reconcile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What a plan came to."""

    record: AppliedWork | None
    outcomes: tuple[Outcome, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Applier:
    hub: Client
    member: Client

    async def apply(self, plan: Plan, record: AppliedWork | None, *, mirror: bool) -> Applied:
        """Make the record first, for it owns what comes after; then wave after wave."""
        made = await asyncio.gather(*(self._before(action) for action in plan.before))
        record = next((item for item in made if item), record)
        if record and plan.intent is not None:
            status = AppliedWorkStatus(applied_resources=plan.intent)
            record = await self.member.patch_status(record, status)
        outcomes: list[Outcome] = []
        for wave in plan.waves:
            done = await asyncio.gather(*(self._step(s, record, mirror=mirror) for s in wave))
            outcomes += [outcome for outcome in done if outcome]
        for action in plan.after:
            await self._after(action)
        return Applied(record=record, outcomes=tuple(outcomes))

    async def _before(self, action: Hold | Adopt) -> AppliedWork | None:
        match action:
            case Hold(work):
                await self.hub.apply(_held(work))
                return None
            case Adopt(record):
                return await self.member.apply(record)

    async def _step(
        self, step: Step, record: AppliedWork | None, *, mirror: bool
    ) -> Outcome | None:
        match step:
            case EnsureNamespace(name):
                with suppress(AlreadyExistsError):
                    await self.member.create(Namespace(metadata=Metadata(name=name)))
                return None
            case Apply() if record:
                return await self._write(step, owner_of(record), mirror=mirror)
            case Apply(part):
                return Outcome(part, Verdict(Reason.APPLY_FAILED, "there is no AppliedWork"))

    async def _write(self, step: Apply, owner: OwnerReference, *, mirror: bool) -> Outcome:
        part = step.part
        manifest = owned(part.manifest, owner, step.uid)
        try:
            body = await self.member.dynamic.apply(manifest, force=step.force)
        except REFUSALS as error:
            return Outcome(part, Verdict(Reason.APPLY_FAILED, str(error)))
        return Outcome(part, Verdict(Reason.APPLIED), remember(part.digest, body, mirror=mirror))

    async def _after(self, action: Remove | Drop | Release) -> None:
        match action:
            case Remove(resource, uid):
                await self._remove(resource, uid)
            case Drop(record):
                with suppress(NotFoundError):
                    await self.member.delete(record, propagation="Foreground")
            case Release(work):
                await self.hub.json_patch(work, _release(work))

    async def _remove(self, resource: AppliedResource, uid: str) -> None:
        api = f"{resource.group}/{resource.version}" if resource.group else resource.version
        kind = await self.member.dynamic.resource_for(api, resource.kind)
        with suppress(NotFoundError):
            key = Key(resource.namespace, resource.name)
            await self.member.dynamic.delete(kind, key, uid=uid)


def owner_of(record: AppliedWork) -> OwnerReference:
    """Own an object, and stay until it is gone; a Work's objects have no controller in it."""
    return OwnerReference(
        api_version=record.API,
        kind=record.kind(),
        name=record.name,
        uid=record.metadata.uid,
        block_owner_deletion=True,
    )


def _held(work: Work) -> Work:
    """What we own of the hub's object, and its uid: once deleted it is not to come back."""
    held = Metadata(
        name=work.name,
        namespace=work.namespace,
        uid=work.metadata.uid,
        finalizers=(WORK_BINDING_CLEANUP,),
    )
    return Work(metadata=held)


def _release(work: Work) -> Patch:
    old = work.metadata.finalizers
    others = [finalizer for finalizer in old if finalizer != WORK_BINDING_CLEANUP]
    return swap("/metadata/finalizers", [*old], others or None)
