"""Objects as they come over the wire: JSON of which only the metadata is looked at."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Raw, Struct

T = TypeVar("T")


class OwnerRef(Struct, rename="camel", gc=False):
    api_version: str = ""
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool | None = False


class ObjectMeta(Struct, rename="camel", gc=False):
    """What every object says about itself; indices are computed from it."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    finalizers: list[str] = []
    owner_references: list[OwnerRef] = []
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None

    @property
    def version(self) -> int:
        """The resourceVersion as a number; 0 where there is none."""
        return int(self.resource_version or 0)


class Shell(Struct, rename="camel", gc=False):
    """An object without its contents."""

    metadata: ObjectMeta
    api_version: str = ""
    kind: str = ""


class ListMeta(Struct, rename="camel"):
    resource_version: str = ""
    next: str = msgspec.field(default="", name="continue")


class Page(Struct):
    """A part of a list; the last one has no `metadata.next`."""

    items: list[Raw] | None = None
    metadata: ListMeta = msgspec.field(default_factory=ListMeta)


class WatchEvent(Struct, gc=False):
    type: str
    object: Raw


class Cause(Struct):
    reason: str = ""
    message: str = ""
    field: str = ""


class Details(Struct, rename="camel"):
    uid: str = ""
    """Of the object that a delete was about."""
    causes: list[Cause] = []
    retry_after_seconds: float = 0


class Status(Struct):
    """The server's answer to what it does not do."""

    message: str = ""
    reason: str = ""
    code: int = 0
    details: Details | None = None


def decoder(shape: type[T]) -> Callable[[bytes], T]:
    return msgspec.json.Decoder(shape).decode


class _TokenStatus(Struct):
    token: str = ""


class _TokenRequest(Struct):
    status: _TokenStatus


def token(body: bytes) -> str:
    """Read the token from the answer to a TokenRequest."""
    return _token_request(body).status.token


class _Version(Struct, rename="camel"):
    git_version: str = ""


def version(body: bytes) -> str:
    """Read the name of a release of Kubernetes from the answer to GET /version."""
    return _version(body).git_version


class _Kind(Struct):
    kind: str = ""


def kind_of(body: bytes) -> str:
    return _kind(body).kind


_kind = decoder(_Kind)
_version = decoder(_Version)
_token_request = decoder(_TokenRequest)
encode = msgspec.json.encode
shell = decoder(Shell)
page = decoder(Page)
watch_event = decoder(WatchEvent)
status = decoder(Status)


def to_json(body: Mapping[str, Any] | bytes) -> bytes:
    """Give an object as JSON that shares nothing with where it came from."""
    return body if isinstance(body, bytes) else encode(dict(body))
