"""The only door to the Kubernetes API: controllers read from caches and write through this.

A write takes the object as it was observed and carries its uid: what was deleted meanwhile is not
made again, and a namesake is a ConflictError (for which the server says 409, or 422 to an apply).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, Self, TypeVar

from fleet.api.objects import Key, Model, Resource
from fleet.kube.cache import Cache
from fleet.kube.dynamic import DynamicClient

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

    async def create(self, resource: R) -> R:
        """Make an object; AlreadyExistsError (a ConflictError) where its name is taken."""

    async def apply(self, resource: R, *, force: bool = False) -> R:
        """Server-side: for what has one owner. A field left out is given up."""

    async def json_patch(self, resource: R, patch: Patch) -> R:
        """For what has several writers; a `test` that fails (a 422) is a ConflictError."""

    async def patch_status(self, resource: R, status: Model) -> R:
        """Conditions are merged by type, the rest is the reconciler's alone."""

    async def delete(self, resource: Resource, *, propagation: str = "Background") -> None:
        """NotFoundError where it is gone, ConflictError where a namesake is there."""


class WatchingClient(Client, Protocol):
    async def relist(self, cache: Cache[Any]) -> None:
        """Put into a cache all that there is, and take out what is gone."""

    async def follow(self, cache: Cache[Any]) -> None:
        """Keep a cache as the server is, for ever: list, watch, list again after a gap."""


def swap(path: str, old: object, new: object) -> Patch:
    """Put `new` for `old`, or fail where another writer was faster. None is absence."""
    test = {"op": "test", "path": path, "value": old}
    if new is None:
        return test, {"op": "remove", "path": path}
    return test, {"op": "add", "path": path, "value": new}
