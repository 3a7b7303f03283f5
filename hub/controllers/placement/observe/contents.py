"""Read the objects that a placement selects, each of them once a version."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cachetools import LRUCache
from pydantic import ValidationError

from fleet.api.objects import Key
from fleet.api.snapshot import Demand
from fleet.api.workspace import InferenceSet, Workspace
from fleet.catalog.catalogue import Catalogue
from fleet.engine.demand import DemandError, demand_of
from fleet.engine.snapshots import content_hash
from fleet.kube import wire
from fleet.kube.dynamic import DynamicClient
from fleet.kube.resources import ApiResource
from hub.controllers.placement.observe.selectors import Found
from hub.controllers.placement.plan.actions import Content, Invalid
from hub.controllers.placement.plan.manifests import clean, order
from hub.watches import Meta, Watches

KEPT_BYTES = 64 * 2**20
"""Manifests kept for the next reconcile, as the length of their JSON."""
LARGEST_BYTES = 1_400_000
"""An object of the API must stay below 1.5 MiB, with the rest of its snapshot or Work."""
AT_ONCE = 16
INFERENCE: Mapping[str, type[Workspace | InferenceSet]] = {
    "Workspace": Workspace,
    "InferenceSet": InferenceSet,
}
Address = tuple[ApiResource, Key]
Print = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Body:
    """An object as it goes to members, and by what to tell that it is still the same."""

    mark: Print
    manifest: dict[str, Any]
    digest: str
    size: int
    generation: int


class Bodies:
    """Objects that placements select, the ones used last."""

    def __init__(
        self, dynamic: DynamicClient, watches: Watches, kept_bytes: int = KEPT_BYTES
    ) -> None:
        self._dynamic, self._watches = dynamic, watches
        self._kept: LRUCache[Address, Body] = LRUCache(kept_bytes, getsizeof=lambda b: b.size)
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def read(self, found: Iterable[Found]) -> list[Body]:
        """Give what is there, in the order in which a cluster wants it."""
        bodies = await asyncio.gather(*map(self._one, found))
        return sorted(filter(None, bodies), key=lambda body: order(body.manifest))

    async def _one(self, found: Found) -> Body | None:
        address = found.resource, found.key
        kept = self._kept.get(address)
        if kept and found.meta and kept.mark == mark_of(found.meta):
            return kept
        live = await self._live(found)
        if live is None or live["metadata"].get("deletionTimestamp"):
            self._kept.pop(address, None)
            return None
        body = read(found.resource, live)
        if body.size <= self._kept.maxsize:
            self._kept[address] = body
        return body

    async def _live(self, found: Found) -> Mapping[str, Any] | None:
        whole = self._watches.body(found.resource, found.key)
        if whole is not None:
            return _whole(whole)
        async with self._slots:
            return await self._dynamic.get(found.resource, found.key)


_whole = wire.decoder(dict[str, Any])


def read(resource: ApiResource, live: Mapping[str, Any]) -> Body:
    typed = {"apiVersion": resource.api_version, "kind": resource.kind, **live}
    manifest = clean(typed)
    text = json.dumps(manifest, separators=(",", ":"), ensure_ascii=False).encode()
    meta = wire.shell(wire.encode({"metadata": live["metadata"]})).metadata
    return Body(mark_of(meta), manifest, content_hash(manifest), len(text), meta.generation)


def mark_of(meta: Meta) -> Print:
    """What changes whenever an object changes in something that goes to members.

    Where the server counts generations, a new status is no change.
    """
    if not meta.generation:
        return meta.uid, meta.resource_version
    described = [sorted(meta.labels.items()), sorted(meta.annotations.items())]
    return meta.uid, meta.generation, content_hash(described)


def content_of(bodies: Iterable[Body], catalogue: Catalogue) -> Content | Invalid:
    """Put what is selected together with what it demands."""
    bodies = tuple(bodies)
    large = next((body for body in bodies if body.size > LARGEST_BYTES), None)
    if large:
        return Invalid("ResourceTooLarge", _too_large(large))
    try:
        demands = tuple(d for body in bodies if (d := _demand(body.manifest, catalogue)))
    except DemandError as error:
        return Invalid("UnplaceableWorkload", str(error))
    return Content(
        manifests=tuple(body.manifest for body in bodies),
        demands=demands,
        generations=_generations(bodies),
        resource_hash=content_hash([body.digest for body in bodies]),
    )


def _too_large(body: Body) -> str:
    title = f"{body.manifest['kind']} {body.manifest['metadata']['name']}"
    return f"{title} has {body.size} bytes of JSON; at most {LARGEST_BYTES} can be placed"


def _demand(manifest: Mapping[str, Any], catalogue: Catalogue) -> Demand | None:
    """Compute what an inference workload demands; tuning has no demand of ours."""
    model = _inference(manifest)
    if model is None:
        return None
    try:
        workload = model.model_validate(manifest)
    except ValidationError as error:
        name = manifest["metadata"]["name"]
        raise DemandError(f"{model.kind()} {name} cannot be read: {error.errors()[0]}") from error
    if isinstance(workload, Workspace) and workload.inference is None:
        return None
    return demand_of(workload, catalogue)


def _inference(manifest: Mapping[str, Any]) -> type[Workspace | InferenceSet] | None:
    group = str(manifest["apiVersion"]).partition("/")[0]
    return INFERENCE.get(manifest["kind"]) if group == Workspace.group() else None


def _generations(bodies: Iterable[Body]) -> dict[str, int]:
    """Keep the hub's generation of each workload: the member's own is another number."""
    return {
        f"{kind}/{metadata.get('namespace', '')}/{metadata['name']}": body.generation
        for body in bodies
        if _inference(body.manifest)
        for kind, metadata in [(body.manifest["kind"], body.manifest["metadata"])]
    }
