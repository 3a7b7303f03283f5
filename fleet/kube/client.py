"""The only door to the Kubernetes API: controllers read from caches and write through this.

A write takes the object as it was observed and carries its uid: what was deleted meanwhile is not
made again, and a namesake is a ConflictError (for which the server says 409, or 422 to an apply).
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, Self, TypeVar

from fleet.api.keys import Key
from fleet.api.objects import Model, Resource
from fleet.kube.cache import Cache
from fleet.kube.config import Connection
from fleet.kube.discovery import Discovery
from fleet.kube.dynamic import ApiDynamicClient, DynamicClient
from fleet.kube.errors import ConflictError
from fleet.kube.fence import Fence
from fleet.kube.fields import Field
from fleet.kube.follow import Follower, Pace, relist
from fleet.kube.resources import ApiResource
from fleet.kube.transport import Timeouts, Transport
from fleet.kube.undeclared import Undeclared
from fleet.kube.verbs import Deletion, Selection, Verbs
from fleet.kube.written import Written

R = TypeVar("R", bound=Resource)
Patch = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Listing(Generic[R]):
    """The objects that there were at a version; `items` are whole, as JSON."""

    model: type[R]
    items: Sequence[bytes]
    version: int

    def objects(self) -> tuple[R, ...]:
        return tuple(self.model.model_validate_json(item) for item in self.items)


class Client(Protocol):
    @property
    def dynamic(self) -> DynamicClient:
        """The same server and field manager, for manifests of any kind."""

    def as_manager(self, name: str) -> Self:
        """Write over the same connections as another field manager."""

    async def get(self, model: type[R], key: Key) -> R | None:
        """Ask the server itself; None where there is no such object."""

    async def list(
        self, model: type[R], namespace: str = "", label_selector: str = ""
    ) -> Listing[R]:
        """For what no cache holds; a kind that is not served is a NotFoundError."""

    async def create(self, resource: R, *, whole: bool = False) -> R:
        """Make an object; AlreadyExistsError (a ConflictError) where its name is taken.

        Where a field is not known the server drops it, or where the object is of use as a `whole`
        only, refuses it.
        """

    async def apply(self, resource: R, *, force: bool = False) -> R:
        """Server-side: for what has one owner. A field left out is given up."""

    async def json_patch(self, resource: R, patch: Patch) -> R:
        """For what has several writers; a `test` that fails (a 422) is a ConflictError."""

    async def patch_status(self, resource: R, status: Model) -> R:
        """Conditions are merged by type, the rest is the reconciler's alone."""

    async def delete(
        self,
        resource: Resource,
        *,
        propagation: str = "Background",
        grace_seconds: int | None = None,
    ) -> None:
        """NotFoundError where it is gone, ConflictError where a namesake is there."""

    async def request_token(self, account: Key, seconds: int) -> str:
        """Have the server sign a token for a ServiceAccount."""

    async def version(self) -> str:
        """Ask which Kubernetes the server is: v1.36.3."""

    async def removing(self, kind: ApiResource) -> bool:
        """Ask whether the server takes a kind away, with all that there is of it."""
        ...


class WatchingClient(Client, Protocol):
    async def relist(self, cache: Cache[Any]) -> None:
        """Put into a cache all that there is, and take out what is gone."""

    async def follow(self, cache: Cache[Any]) -> None:
        """Keep a cache as the server is, for ever: list, watch, list again after a gap."""


class ApiClient:
    """A real API server, as one field manager."""

    def __init__(
        self,
        connection: Connection,
        manager: str,
        *,
        timeouts: Timeouts | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._transport = Transport(connection, timeouts=timeouts)
        self._discovery = Discovery(self._transport)
        self._verbs = Verbs(self._transport, manager)
        self._written, self._undeclared = Written(), Undeclared()
        self._pace = pace

    @property
    def connection(self) -> Connection:
        return self._transport.connection

    def now(self) -> datetime:
        """Tell the time as the server has it: its objects are dated so."""
        return self._transport.time.now()

    @property
    def dynamic(self) -> ApiDynamicClient:
        return ApiDynamicClient(self._verbs, self._discovery, self._written)

    def as_manager(self, name: str) -> Self:
        view = copy(self)
        view._verbs = self._verbs.as_manager(name)  # noqa: SLF001
        return view

    def fenced(self, fence: Fence) -> Self:
        """Write over the same connections for as long as the fence lets us."""
        view = copy(self)
        view._verbs = Verbs(self._transport, self._verbs.manager, fence)  # noqa: SLF001
        return view

    async def close(self) -> None:
        await self._transport.close()

    async def get(self, model: type[R], key: Key) -> R | None:
        body = await self._verbs.get(ApiResource.of(model), key)
        return None if body is None else model.model_validate_json(body)

    async def list(
        self, model: type[R], namespace: str = "", label_selector: str = ""
    ) -> Listing[R]:
        selection = Selection(namespace, label_selector)
        items, version = await self._verbs.collect(ApiResource.of(model), selection)
        return Listing(model, items, version)

    async def create(self, resource: R, *, whole: bool = False) -> R:
        kind, manifest = ApiResource.of(resource), resource.manifest()
        return self._seen(resource, await self._verbs.create(kind, manifest, whole=whole))

    async def apply(self, resource: R, *, force: bool = False) -> R:
        kind, manifest = ApiResource.of(resource), resource.manifest()
        stored = await self._undeclared.apply(self._verbs, kind, manifest, force=force)
        return self._seen(resource, stored)

    async def json_patch(self, resource: R, patch: Patch) -> R:
        kind, uid = ApiResource.of(resource), resource.metadata.uid
        body = await self._verbs.json_patch(kind, resource.key, patch, uid=uid)
        return self._seen(resource, body)

    async def patch_status(self, resource: R, status: Model) -> R:
        manifest = _identity(resource) | {"status": status.dump()}
        kind = ApiResource.of(resource)
        stored = await self._undeclared.apply(
            self._verbs, kind, manifest, force=True, subresource="status"
        )
        return _of_the_same(resource, self._seen(resource, stored))

    async def delete(
        self,
        resource: Resource,
        *,
        propagation: str = "Background",
        grace_seconds: int | None = None,
    ) -> None:
        kind, key = ApiResource.of(resource), resource.key
        how = Deletion(resource.metadata.uid, propagation, grace_seconds)
        answer = await self._verbs.delete(kind, key, how)
        self._written.see_deleted(kind, key, answer)

    async def request_token(self, account: Key, seconds: int) -> str:
        """Have the server sign a token for a ServiceAccount, valid for so long."""
        return await self._verbs.request_token(account, seconds)

    async def version(self) -> str:
        return await self._verbs.server_version()

    async def knows(self, field: Field) -> bool:
        """Ask whether a kind has a field, as far as we may."""
        empty: object = [] if field.holds_list else {}
        return await self._verbs.knows(ApiResource.of(field.model), field.path, empty)

    def lacks(self, field: Field) -> bool:
        """Say whether a field was left out when an object of its kind was written last."""
        return field.lack in self._undeclared.lacks

    async def removing(self, kind: ApiResource) -> bool:
        return await self._discovery.removing(kind)

    async def served(self, resource: ApiResource, namespace: str = "") -> None:
        """Raise NotFoundError where the server does not know a kind."""
        await self._verbs.served(resource, namespace)

    def remember(self, caches: Iterable[Cache[Any]]) -> None:
        """Let caches see this client's writes at once, as its views' too."""
        self._written.remember(caches)

    def _seen(self, resource: R, body: bytes) -> R:
        kind = type(resource)
        read = self._written.see(ApiResource.of(resource), body)
        return read if type(read) is kind else kind.model_validate_json(body)

    async def relist(self, cache: Cache[Any]) -> None:
        await relist(self._verbs, cache)

    async def follow(self, cache: Cache[Any]) -> None:
        await Follower(self._verbs, cache, pace=self._pace).run()


def _of_the_same(asked: R, answered: R) -> R:
    """Notice a namesake: the server does not look at the uid when it applies a status.

    Its own status is put right when it is observed.
    """
    if asked.metadata.uid and asked.metadata.uid != answered.metadata.uid:
        raise ConflictError(f"{asked.kind()} {asked.key} is another object now")
    return answered


def _identity(resource: Resource) -> dict[str, Any]:
    """Name an object without saying anything about it."""
    metadata = resource.metadata
    named = {"name": metadata.name, "namespace": metadata.namespace, "uid": metadata.uid}
    return {
        "apiVersion": resource.API,
        "kind": resource.kind(),
        "metadata": {field: value for field, value in named.items() if value},
    }


def swap(path: str, old: object, new: object) -> Patch:
    """Put `new` for `old`, or fail where another writer was faster. None is absence."""
    test = {"op": "test", "path": path, "value": old}
    if new is None:
        return test, {"op": "remove", "path": path}
    return test, {"op": "add", "path": path, "value": new}
