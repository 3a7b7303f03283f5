"""The API's verbs over JSON, for one field manager."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import replace
from typing import Any, NamedTuple, Self

from fleet.api.keys import Key
from fleet.kube import wire
from fleet.kube.answers import APPLY_PATCH, JSON, JSON_PATCH, MERGE_PATCH
from fleet.kube.books import Metadata, booked, renewed, renewing, unreadable
from fleet.kube.errors import (
    ConflictError,
    ExpiredError,
    ForbiddenError,
    NotFoundError,
    NotPermittedError,
    NotServedError,
    RejectedError,
)
from fleet.kube.fence import Fence
from fleet.kube.quiet import unquoted
from fleet.kube.resources import ApiResource
from fleet.kube.transport import Request, Transport

PAGE = 500
PARTIAL_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
PARTIAL = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
SERVICE_ACCOUNTS = ApiResource("v1", "ServiceAccount", "serviceaccounts", namespaced=True)
STRICT = {"fieldValidation": "Strict"}
"""Refuse fields that are not known, of which the server would say nothing."""
NOBODY = "modelfleet-in-thought"
"""A name that no object has."""
IN_THOUGHT = {"name": NOBODY}
BOOKS = (
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
    "selfLink",
)
"""What only the server writes into metadata."""


class Selection(NamedTuple):
    """Which objects of a kind, and how much of them."""

    namespace: str = ""
    label_selector: str = ""
    metadata_only: bool = False
    field_selector: str = ""

    def query(self) -> dict[str, str]:
        asked = {"labelSelector": self.label_selector, "fieldSelector": self.field_selector}
        return {name: value for name, value in asked.items() if value}


class Deletion(NamedTuple):
    """Only the object of a uid where there is one; with the kind's own grace period or another."""

    uid: str = ""
    propagation: str = "Background"
    grace_seconds: int | None = None

    def options(self) -> dict[str, Any]:
        given: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": self.propagation,
        }
        if self.uid:
            given["preconditions"] = {"uid": self.uid}
        if self.grace_seconds is not None:
            given["gracePeriodSeconds"] = self.grace_seconds
        return given


class Verbs:
    def __init__(self, transport: Transport, manager: str, fence: Fence | None = None) -> None:
        self.transport = transport
        self.manager = manager
        self.fence = fence
        """Before whatever changes an object."""

    def as_manager(self, name: str) -> Self:
        return type(self)(self.transport, name, self.fence)

    async def get(self, resource: ApiResource, key: Key) -> bytes | None:
        request = Request("GET", resource.path(key.namespace, key.name), {})
        try:
            return await self.transport.send(request)
        except NotFoundError:
            return None

    async def pages(
        self, resource: ApiResource, selection: Selection, *, limit: int = PAGE
    ) -> AsyncIterator[wire.Page]:
        """List in pages as of one version; ExpiredError when the server forgot it meanwhile."""
        path, params = resource.path(selection.namespace), selection.query()
        accept = PARTIAL_LIST if selection.metadata_only else JSON
        if limit:
            params["limit"] = str(limit)
        while True:
            page = wire.page(await self.transport.send(Request("GET", path, params, accept=accept)))
            yield page
            if not page.metadata.next:
                return
            params["continue"] = page.metadata.next

    async def collect(
        self, resource: ApiResource, selection: Selection, *, limit: int = PAGE
    ) -> tuple[list[bytes], int]:
        """List all, and the version of the list."""
        items: list[bytes] = []
        version = 0
        try:
            async for page in self.pages(resource, selection, limit=limit):
                items += map(bytes, page.items or ())
                version = version or int(page.metadata.resource_version)
        except ExpiredError:
            if not limit:
                raise
            return await self.collect(resource, selection, limit=0)
        return items, version

    def watch(
        self, resource: ApiResource, selection: Selection, version: int, *, seconds: int
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Open a watch of what happens after a version, that the server ends after `seconds`."""
        params = selection.query() | {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": str(version),
            "timeoutSeconds": str(seconds),
        }
        accept = PARTIAL if selection.metadata_only else JSON
        path = resource.path(selection.namespace)
        return self.transport.stream(Request("GET", path, params, accept=accept))

    async def create(
        self, resource: ApiResource, manifest: Mapping[str, Any], *, whole: bool = False
    ) -> bytes:
        path = resource.path(manifest["metadata"].get("namespace", ""))
        body = wire.encode(ours(manifest, but=("uid", *BOOKS)))
        params = self._signed() | (STRICT if whole else {})
        return await self._write(resource, Request("POST", path, params, body))

    async def apply(
        self,
        resource: ApiResource,
        manifest: Mapping[str, Any],
        *,
        force: bool,
        subresource: str = "",
    ) -> bytes:
        metadata = manifest["metadata"]
        path = resource.path(metadata.get("namespace", ""), metadata["name"], subresource)
        params = self._signed() | {"force": "true" if force else "false"}
        body = ours(manifest)
        if not subresource:
            body.pop("status", None)
        request = Request("PATCH", path, params, wire.encode(body), APPLY_PATCH)
        try:
            return await self._write(resource, request)
        except RejectedError as error:
            key = Key(metadata.get("namespace", ""), metadata["name"])
            if not (unreadable(error) and await self._renew(resource, key)):
                raise
        return await self._write(resource, request)

    async def _renew(self, resource: ApiResource, key: Key) -> bool:
        """Have an object's books say our version; False where they do, or we may not write them."""
        body = await self.get(resource, key)
        metadata = booked(body).metadata if body else Metadata()
        new = renewed(metadata, resource.api_version)
        if not new:
            return False
        with suppress(ForbiddenError):
            await self.json_patch(resource, key, renewing(metadata, new), uid=metadata.uid)
            return True
        return False

    async def json_patch(
        self, resource: ApiResource, key: Key, patch: Sequence[Mapping[str, Any]], *, uid: str = ""
    ) -> bytes:
        guard = [{"op": "test", "path": "/metadata/uid", "value": uid}] if uid else []
        path, body = resource.path(key.namespace, key.name), wire.encode([*guard, *patch])
        return await self._write(resource, Request("PATCH", path, self._signed(), body, JSON_PATCH))

    async def merge_patch(
        self, resource: ApiResource, key: Key, patch: Mapping[str, Any], *, subresource: str = ""
    ) -> bytes:
        path, body = resource.path(key.namespace, key.name, subresource), wire.encode(patch)
        return await self._write(
            resource, Request("PATCH", path, self._signed(), body, MERGE_PATCH)
        )

    async def delete(self, resource: ApiResource, key: Key, how: Deletion) -> bytes:
        path = resource.path(key.namespace, key.name)
        return await self._write(resource, Request("DELETE", path, {}, wire.encode(how.options())))

    async def reached(self, resource: ApiResource, selection: Selection, version: int) -> bool:
        """Ask whether the server's history has come to a version: else it began anew.

        It says so of any name; only who may not get objects needs a list for it.
        """
        path = resource.path(selection.namespace or "default", NOBODY)
        at_least = {"resourceVersion": str(version)}
        try:
            await self.transport.send(Request("GET", path, at_least, accept=PARTIAL))
        except NotServedError:
            raise
        except NotFoundError:
            return True
        except ExpiredError:
            return False
        except NotPermittedError:
            return await self._version(resource, selection) >= version
        return True

    async def _version(self, resource: ApiResource, selection: Selection) -> int:
        async for page in self.pages(resource, selection._replace(metadata_only=True), limit=1):
            return int(page.metadata.resource_version)
        raise AssertionError("unreachable")

    async def served(self, resource: ApiResource, namespace: str = "") -> None:
        """Raise NotFoundError where the server does not know a kind."""
        await self.transport.send(Request("GET", resource.path(namespace), {"limit": "1"}))

    async def server_version(self) -> str:
        return wire.version(await self.transport.send(Request("GET", "/version", {})))

    async def request_token(self, account: Key, seconds: int) -> str:
        """Have the server sign a token for a ServiceAccount."""
        path = SERVICE_ACCOUNTS.path(account.namespace, account.name, "token")
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": seconds},
        }
        answer = await self.transport.send(Request("POST", path, {}, wire.encode(body)))
        return wire.token(answer)

    async def knows(self, resource: ApiResource, field: str, empty: object) -> bool:
        """Ask whether a kind has a field, by an object that the server makes in thought only.

        Where we may not make any, it has.
        """
        content: Any = empty
        for step in reversed(field.split(".")):
            content = {step: content}
        body = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": IN_THOUGHT}
        params = self._signed() | STRICT | {"dryRun": "All"}
        request = Request("POST", resource.path("default"), params, wire.encode(body | content))
        try:
            await self.transport.send(request)
        except RejectedError as error:
            return f'unknown field "{field}"' not in str(error)
        except (ConflictError, NotFoundError, NotPermittedError):
            return True
        return True

    async def _write(self, resource: ApiResource, request: Request) -> bytes:
        with unquoted(resource, request.path):
            return await self.transport.send(replace(request, fence=self.fence))

    def _signed(self) -> dict[str, str]:
        return {"fieldManager": self.manager}


def ours(manifest: Mapping[str, Any], *, but: Sequence[str] = BOOKS) -> dict[str, Any]:
    """Leave out of a manifest what the server keeps its books with."""
    metadata = {name: value for name, value in manifest["metadata"].items() if name not in but}
    return {**manifest, "metadata": metadata}
