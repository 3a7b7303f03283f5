"""Carry out a plan; the namespace of the profiles is made where it is missing."""

from collections.abc import Iterable
from contextlib import suppress

from fleet.api import names
from fleet.api.cluster_profile import ClusterProfile
from fleet.api.core import Namespace
from fleet.api.objects import Metadata
from fleet.kube.client import Client, swap
from fleet.kube.errors import AlreadyExistsError, NotFoundError, NotServedError
from hub.controllers.cluster_profile.plan import Action, Delete, Release, Write


async def apply(actions: Iterable[Action], client: Client) -> None:
    for action in actions:
        match action:
            case Write(profile):
                await _write(profile, client)
            case Delete(profile):
                with suppress(NotFoundError):
                    await client.delete(profile)
            case Release(cluster):
                old = cluster.metadata.finalizers
                others = [each for each in old if each != names.PROFILE_FINALIZER]
                patch = swap("/metadata/finalizers", [*old], others or None)
                with suppress(NotFoundError):
                    await client.json_patch(cluster, patch)


async def _write(profile: ClusterProfile, client: Client) -> None:
    try:
        await client.apply(profile, force=True)
    except NotServedError:
        raise
    except NotFoundError:
        await _make_namespace(profile.namespace, client)
        await client.apply(profile, force=True)


async def _make_namespace(name: str, client: Client) -> None:
    labels = {names.FLEET_RESOURCE: "true"}
    with suppress(AlreadyExistsError):
        await client.create(Namespace(metadata=Metadata(name=name, labels=labels)))
