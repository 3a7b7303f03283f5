"""Clients whose API server is a dictionary, with the manners of the real one."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Self, TypeVar

from fleet.api.keys import Key
from fleet.api.objects import Model, Resource
from fleet.kube.cache import Cache
from fleet.kube.client import Listing, Patch
from fleet.kube.dynamic import key_of
from fleet.kube.errors import NotPermittedError, NotServedError
from fleet.kube.resources import ApiResource
from fleet.kube.wire import to_json
from fleet.testing.server import Body, FakeServer, address_of, at, selected

R = TypeVar("R", bound=Resource)


class FakeClient:
    """The view of one field manager; `put` writes as somebody else."""

    def __init__(self, *resources: Resource, manager: str = "test") -> None:
        self.server = FakeServer()
        self.manager = manager
        for resource in resources:
            self.put(resource)

    @property
    def dynamic(self) -> "FakeDynamicClient":
        return FakeDynamicClient(self.server, self.manager)

    @property
    def objects(self) -> Mapping[Any, Body]:
        return self.server.objects

    @property
    def not_served(self) -> set[str]:
        """Kinds that this server does not know."""
        return self.server.not_served

    @property
    def not_permitted(self) -> set[str]:
        """Kinds that this server lets nobody list."""
        return self.server.not_permitted

    @property
    def removed(self) -> set[str]:
        """Kinds that this server takes away, with all that there is of them."""
        return self.server.removing

    @property
    def writes_left(self) -> int:
        """Writes that still reach the server, before the connection is lost."""
        return self.server.writes_left

    @writes_left.setter
    def writes_left(self, count: int) -> None:
        self.server.writes_left = count

    def as_manager(self, name: str) -> Self:
        view = type(self)(manager=name)
        view.server = self.server
        return view

    def put(self, resource: Resource | Mapping[str, Any]) -> None:
        manifest = resource.manifest() if isinstance(resource, Resource) else resource
        self.server.put(manifest)

    def all(self, model: type[R]) -> list[R]:
        """Give the objects of a kind, for a test to look at, in the order of their names."""
        found = self.server.select(ApiResource.of(model), "", "")
        return [model.model_validate(body) for body in found]

    def bodies(self, model: type[Resource]) -> list[Body]:
        return self.server.select(ApiResource.of(model), "", "")

    async def get(self, model: type[R], key: Key) -> R | None:
        body = self.server.objects.get(at(ApiResource.of(model), key))
        return None if body is None else model.model_validate(body)

    async def list(
        self, model: type[R], namespace: str = "", label_selector: str = ""
    ) -> Listing[R]:
        found = self.server.select(ApiResource.of(model), namespace, label_selector)
        return Listing(model, [to_json(body) for body in found], self.server.version)

    async def create(self, resource: R, *, whole: bool = False) -> R:
        del whole
        return _as(resource, self.server.create(resource.manifest()))

    async def apply(self, resource: R, *, force: bool = False) -> R:
        return _as(resource, self.server.apply(resource.manifest(), self.manager, force=force))

    async def json_patch(self, resource: R, patch: Patch) -> R:
        address = address_of(resource.manifest())
        return _as(resource, self.server.json_patch(address, resource.metadata.uid, patch))

    async def patch_status(self, resource: R, status: Model) -> R:
        manifest = resource.manifest() | {"status": status.dump()}
        stored = self.server.apply(manifest, self.manager, force=True, part="status")
        return _as(resource, stored)

    async def delete(
        self,
        resource: Resource,
        *,
        propagation: str = "Background",
        grace_seconds: int | None = None,
    ) -> None:
        del propagation, grace_seconds
        self.server.delete(address_of(resource.manifest()), resource.metadata.uid)

    async def request_token(self, account: Key, seconds: int) -> str:
        return f"token-of-{account}-for-{seconds}"

    async def version(self) -> str:
        return "v1.36.3"

    async def removing(self, kind: ApiResource) -> bool:
        return kind.kind in self.server.removing

    async def relist(self, cache: Cache[Any]) -> None:
        bodies = self.server.select(cache.resource, cache.namespace, cache.label_selector)
        for body in bodies:
            cache.put(body)
        cache.sweep([key_of(body) for body in bodies], self.server.version)
        cache.fill()

    async def follow(self, cache: Cache[Any]) -> None:
        """Keep a cache as the server is, at once, until cancelled."""
        try:
            await self.relist(cache)
        except NotPermittedError as error:
            cache.refuse(str(error))
        watcher = feeding(cache)
        self.server.watchers.append(watcher)
        try:
            await asyncio.Event().wait()
        finally:
            self.server.watchers.remove(watcher)

    def feed(self, *caches: Cache[Any]) -> None:
        """Let caches see every later write at once, as after a perfect watch."""
        self.server.watchers.extend(feeding(cache) for cache in caches)


class FakeDynamicClient:
    """The same server, for manifests; every kind's plural is its name and an s."""

    def __init__(self, server: FakeServer, manager: str = "test") -> None:
        self.server = server
        self.manager = manager

    async def resource_for(self, api_version: str, kind: str) -> ApiResource:
        if kind in self.server.not_served:
            raise NotServedError(f"{api_version} {kind}")
        return ApiResource(api_version, kind, f"{kind.lower()}s", kind not in CLUSTER_SCOPED)

    async def served(self) -> tuple[ApiResource, ...]:
        """Give the kinds of which there is an object."""
        bodies = self.server.objects.values()
        kinds = sorted({(body["apiVersion"], body["kind"]) for body in bodies})
        return tuple([await self.resource_for(*kind) for kind in kinds])

    async def get(self, resource: ApiResource, key: Key) -> Body | None:
        return self.server.objects.get(at(resource, key))

    async def list(
        self, resource: ApiResource, namespace: str = "", label_selector: str = ""
    ) -> list[Body]:
        return self.server.select(resource, namespace, label_selector)

    async def create(self, manifest: Mapping[str, Any]) -> Body:
        return self.server.create(manifest)

    async def apply(self, manifest: Mapping[str, Any], *, force: bool = False) -> Body:
        return self.server.apply(manifest, self.manager, force=force)

    async def merge_patch(
        self,
        resource: ApiResource,
        key: Key,
        patch: Mapping[str, Any],
        *,
        subresource: str = "",
    ) -> Body:
        del subresource
        return self.server.merge_patch(at(resource, key), patch)

    async def json_patch(self, resource: ApiResource, key: Key, patch: Any) -> Body:
        return self.server.json_patch(at(resource, key), "", patch)

    async def delete(
        self, resource: ApiResource, key: Key, *, uid: str = "", propagation: str = "Background"
    ) -> None:
        del propagation
        self.server.delete(at(resource, key), uid)


CLUSTER_SCOPED = {"Namespace", "Node", "ClusterRole", "ClusterRoleBinding", "MemberCluster"}
"""Kinds of manifests in tests that live in no namespace."""


def feeding(cache: Cache[Any]) -> Callable[[str, Body], None]:
    """Make a watcher that does to a cache what a watch would."""

    def see(what: str, body: Body) -> None:
        address, resource = address_of(body), cache.resource
        if (address.group, address.kind) != (resource.group, resource.kind):
            return
        if cache.namespace not in ("", address.namespace):
            return
        if what == "DELETED" or not selected(body, cache.label_selector):
            cache.remove(key_of(body), version=int(body["metadata"]["resourceVersion"]))
        else:
            cache.put(body)

    return see


def _as(resource: R, body: Body) -> R:
    return type(resource).model_validate(body)
