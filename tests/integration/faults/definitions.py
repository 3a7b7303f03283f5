"""CustomResourceDefinitions that a test takes away, or changes, and puts back."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from copy import deepcopy
from functools import partial
from typing import Any, Final

from fleet.api.objects import Key
from fleet.kube.client import ApiClient
from fleet.kube.dynamic import key_of
from fleet.kube.errors import KubeError
from fleet.kube.resources import ApiResource
from fleet.testing.waiting import until

CRDS: Final = ApiResource(
    "apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", False
)
OWNED: Final = (
    ("kaito.sh/v1alpha1", "InferenceSet"),
    ("kaito.sh/v1beta1", "Workspace"),
    ("apps/v1", "StatefulSet"),
    ("v1", "Service"),
)
APPLIED: Final = ("placement.kubernetes-fleet.io/v1beta1", "AppliedWork")
OWNERS: Final = (APPLIED, *OWNED)
FOREGROUND: Final = "foregroundDeletion"
Properties = dict[str, Any]


async def definition(client: ApiClient, name: str) -> dict[str, Any]:
    """Give a definition as it would be installed."""
    found = await client.dynamic.get(CRDS, Key("", name))
    assert found, name
    parts = {part: found[part] for part in ("apiVersion", "kind", "spec")}
    return parts | {"metadata": {"name": name}}


@asynccontextmanager
async def removed(client: ApiClient, *names: str) -> AsyncIterator[None]:
    """Serve kinds no more, with all that there is of them, for as long as the block runs."""
    old = [await definition(client, name) for name in names]
    for name in names:
        await client.dynamic.delete(CRDS, Key("", name))
    try:
        await asyncio.gather(*(until(partial(_unserved, client, made)) for made in old))
        yield
    finally:
        await asyncio.gather(*(until(partial(_applied, client, made)) for made in old))


@asynccontextmanager
async def of_another_version(
    client: ApiClient, changes: Mapping[str, Callable[[Properties], None]]
) -> AsyncIterator[None]:
    """Serve kinds by schemas whose properties are changed, for as long as the block runs."""
    old = {name: await definition(client, name) for name in changes}
    for name, change in changes.items():
        new = deepcopy(old[name]["spec"])
        for version in new["versions"]:
            change(version["schema"]["openAPIV3Schema"]["properties"])
        await client.dynamic.merge_patch(CRDS, Key("", name), {"spec": new})
    try:
        yield
    finally:
        for name, made in old.items():
            await client.dynamic.merge_patch(CRDS, Key("", name), {"spec": made["spec"]})


async def _unserved(client: ApiClient, made: Mapping[str, Any]) -> bool:
    with suppress(KubeError):
        await _release(client)
    return await client.dynamic.get(CRDS, Key("", made["metadata"]["name"])) is None


async def _applied(client: ApiClient, made: Mapping[str, Any]) -> bool:
    """Put a definition back, and say whether it is served."""
    version, names = made["spec"]["versions"][0]["name"], made["spec"]["names"]
    kind = ApiResource(f"{made['spec']['group']}/{version}", names["kind"], names["plural"], True)
    try:
        await client.dynamic.apply(made, force=True)
        await client.served(kind)
    except KubeError:
        return False
    found = await client.dynamic.get(CRDS, Key("", made["metadata"]["name"]))
    return found is not None and "deletionTimestamp" not in found["metadata"]


async def _release(client: ApiClient) -> None:
    """End what is deleted in the foreground, as a cluster's garbage collector does at last: a
    definition stays as long as there is something of it."""
    resource = await client.dynamic.resource_for(*APPLIED)
    for body in await client.dynamic.list(resource, ""):
        finalizers = body["metadata"].get("finalizers", ())
        if FOREGROUND in finalizers:
            others = [each for each in finalizers if each != FOREGROUND]
            patch = {"metadata": {"finalizers": others or None}}
            await client.dynamic.merge_patch(resource, key_of(body), patch)


async def _collect(client: ApiClient, namespace: str) -> None:
    """Delete what belongs to objects that are gone, as a cluster's garbage collector does."""
    owners = {body["metadata"]["uid"] for body in await _all(client, OWNERS, "")}
    for api_version, kind in OWNED:
        resource = await client.dynamic.resource_for(api_version, kind)
        for body in await client.dynamic.list(resource, namespace):
            owned_by = {each["uid"] for each in body["metadata"].get("ownerReferences", ())}
            if owned_by and not owned_by & owners:
                uid = body["metadata"]["uid"]
                await client.dynamic.delete(resource, key_of(body), uid=uid)


async def _all(
    client: ApiClient, kinds: Iterable[tuple[str, str]], namespace: str
) -> list[dict[str, Any]]:
    resources = [await client.dynamic.resource_for(*kind) for kind in kinds]
    return [body for each in resources for body in await client.dynamic.list(each, namespace)]


@asynccontextmanager
async def collecting(client: ApiClient, namespace: str) -> AsyncIterator[None]:
    """Collect garbage for as long as the block runs."""

    async def forever() -> None:
        while True:
            with suppress(KubeError):
                await _collect(client, namespace)
            await asyncio.sleep(0.5)

    task = asyncio.create_task(forever())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
