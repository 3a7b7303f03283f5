"""Carry out a plan. Every step is idempotent, so a crash between steps is harmless."""

from contextlib import suppress

from fleet.api.names import INFERENCE_SET_FINALIZER
from fleet.api.objects import Metadata
from fleet.api.workspace import InferenceSet
from fleet.kube.client import Client, Patch, swap
from fleet.kube.errors import NotFoundError
from member_agent.controllers.inference_set.plan import Delete, Hold, Plan, Release, Write


async def apply(plan: Plan, client: Client) -> None:
    for action in plan.actions:
        match action:
            case Hold(owner):
                await client.apply(_held(owner))
            case Release(owner):
                await client.json_patch(owner, _release(owner))
            case Write(child):
                await client.apply(child, force=True)
            case Delete(child):
                with suppress(NotFoundError):
                    await client.delete(child)


def _held(owner: InferenceSet) -> InferenceSet:
    """What we own of a user's object, and its uid: once deleted it is not to come back."""
    held = Metadata(
        name=owner.name,
        namespace=owner.namespace,
        uid=owner.metadata.uid,
        finalizers=(INFERENCE_SET_FINALIZER,),
    )
    return InferenceSet.model_construct(_fields_set={"metadata"}, metadata=held)


def _release(owner: InferenceSet) -> Patch:
    old = owner.metadata.finalizers
    others = [other for other in old if other != INFERENCE_SET_FINALIZER]
    return swap("/metadata/finalizers", [*old], others or None)
