"""Objects of kinds that no model describes: plain manifests, and what the server calls them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from msgspec import Struct

from fleet.api.keys import Key
from fleet.kube import wire
from fleet.kube.discovery import Discovery
from fleet.kube.errors import NotFoundError
from fleet.kube.reader import Reader
from fleet.kube.resources import ApiResource
from fleet.kube.verbs import Deletion, Selection, Verbs
from fleet.kube.written import Written

Manifest = Mapping[str, Any]
Body = dict[str, Any]
_body = wire.decoder(Body)


class DynamicClient(Protocol):
    async def resource_for(self, api_version: str, kind: str) -> ApiResource:
        """Ask what a kind is called; NotServedError where the server does not know it."""

    async def served(self) -> tuple[ApiResource, ...]:
        """Give every kind that can be listed and watched, in its group's preferred version."""

    async def get(self, resource: ApiResource, key: Key) -> Body | None: ...

    async def list(
        self, resource: ApiResource, namespace: str = "", label_selector: str = ""
    ) -> list[Body]: ...

    async def create(self, manifest: Manifest) -> Body:
        """Make an object; AlreadyExistsError where its name is taken."""

    async def apply(self, manifest: Manifest, *, force: bool = False) -> Body:
        """Server-side; with a `metadata.uid` only to that very object."""

    async def merge_patch(
        self, resource: ApiResource, key: Key, patch: Manifest, *, subresource: str = ""
    ) -> Body: ...

    async def json_patch(self, resource: ApiResource, key: Key, patch: Any) -> Body:
        """Change what has several writers; a `test` that fails is a ConflictError."""

    async def delete(
        self, resource: ApiResource, key: Key, *, uid: str = "", propagation: str = "Background"
    ) -> None: ...


class ApiDynamicClient:
    """A real API server; what it calls a kind is asked once."""

    def __init__(self, verbs: Verbs, discovery: Discovery, written: Written) -> None:
        self._verbs, self._discovery, self._written = verbs, discovery, written

    async def resource_for(self, api_version: str, kind: str) -> ApiResource:
        return await self._discovery.resource_for(api_version, kind)

    async def served(self) -> tuple[ApiResource, ...]:
        return await self._discovery.served()

    async def get(self, resource: ApiResource, key: Key) -> Body | None:
        body = await self._verbs.get(resource, key)
        return None if body is None else _body(body)

    async def list(
        self, resource: ApiResource, namespace: str = "", label_selector: str = ""
    ) -> list[Body]:
        items, _ = await self._verbs.collect(resource, Selection(namespace, label_selector))
        head = {"apiVersion": resource.api_version, "kind": resource.kind}
        return [head | _body(item) for item in items]

    async def create(self, manifest: Manifest) -> Body:
        resource = await self._resource_of(manifest)
        with self._doubting(resource):
            return self._seen(resource, await self._verbs.create(resource, manifest))

    async def apply(self, manifest: Manifest, *, force: bool = False) -> Body:
        resource = await self._resource_of(manifest)
        with self._doubting(resource):
            return self._seen(resource, await self._verbs.apply(resource, manifest, force=force))

    async def merge_patch(
        self, resource: ApiResource, key: Key, patch: Manifest, *, subresource: str = ""
    ) -> Body:
        body = await self._verbs.merge_patch(resource, key, patch, subresource=subresource)
        return self._seen(resource, body)

    async def json_patch(self, resource: ApiResource, key: Key, patch: Any) -> Body:
        return self._seen(resource, await self._verbs.json_patch(resource, key, patch))

    async def delete(
        self, resource: ApiResource, key: Key, *, uid: str = "", propagation: str = "Background"
    ) -> None:
        answer = await self._verbs.delete(resource, key, Deletion(uid, propagation))
        self._written.see_deleted(resource, key, answer)

    @contextmanager
    def _doubting(self, resource: ApiResource) -> Iterator[None]:
        """Ask what a kind is called again after its place was not found: its CRD may be gone."""
        try:
            yield
        except NotFoundError:
            self._discovery.forget(resource)
            raise

    def _seen(self, resource: ApiResource, body: bytes) -> Body:
        self._written.see(resource, body)
        return _body(body)

    async def _resource_of(self, manifest: Manifest) -> ApiResource:
        return await self.resource_for(manifest["apiVersion"], manifest["kind"])


class PartialObject(Struct, rename="camel", gc=False):
    """An object's metadata alone, as a PartialObjectMetadata has it."""

    metadata: wire.ObjectMeta

    @property
    def key(self) -> Key:
        return Key(self.metadata.namespace, self.metadata.name)


def partial(resource: ApiResource) -> Reader[PartialObject]:
    """Read the metadata of a kind, and have the server send no more than that."""
    parse = wire.decoder(PartialObject)
    return Reader(resource, parse, _same_metadata, metadata_only=True)


def whole(resource: ApiResource) -> Reader[Body]:
    """Read the objects of a kind as they are."""
    return Reader(resource, wire.decoder(Body), _same_body)


def key_of(body: Manifest) -> Key:
    metadata = body["metadata"]
    return Key(metadata.get("namespace", ""), metadata["name"])


def _same_metadata(_old: PartialObject, _new: PartialObject) -> bool:
    """Count each version as a change: what it changed was not sent."""
    return False


def _same_body(old: Body, new: Body) -> bool:
    return _contents(old) == _contents(new)


def _contents(body: Body) -> Body:
    unread = ("resourceVersion", "managedFields")
    metadata = {name: value for name, value in body["metadata"].items() if name not in unread}
    return body | {"metadata": metadata}
