"""An API server that is a dictionary: objects of any kind, their versions, owners and watchers."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, NamedTuple

from fleet.api.keys import Key
from fleet.kube.errors import (
    AlreadyExistsError,
    ConflictError,
    KubeError,
    NotFoundError,
    NotPermittedError,
    TransientError,
)
from fleet.kube.resources import ApiResource
from fleet.testing.merging import merge_patched, merged, operate

Body = dict[str, Any]
BOOKS = ("uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp")
"""What only the server writes into metadata."""


class Address(NamedTuple):
    group: str
    kind: str
    namespace: str
    name: str


def address_of(manifest: Mapping[str, Any]) -> Address:
    metadata = manifest["metadata"]
    group = manifest["apiVersion"].rpartition("/")[0]
    return Address(group, manifest["kind"], metadata.get("namespace", ""), metadata["name"])


def at(resource: ApiResource, key: Key) -> Address:
    return Address(resource.group, resource.kind, key.namespace, key.name)


class FakeServer:
    """Keeps the server's books; what `writes_left` runs out of, the connection does not bring."""

    def __init__(self) -> None:
        self.objects: dict[Address, Body] = {}
        self.not_served: set[str] = set()
        self.not_permitted: set[str] = set()
        self.removing: set[str] = set()
        self.writes_left = 1_000
        self.version = 0
        self.watchers: list[Callable[[str, Body], None]] = []
        self._applied: dict[tuple[Address, str, str], Body] = {}

    def live(
        self, address: Address, uid: str = "", absent: type[KubeError] = NotFoundError
    ) -> Body:
        body = self.objects.get(address)
        if body is None:
            raise absent(f"{address.kind} {address.name} not found")
        if uid and body["metadata"]["uid"] != uid:
            raise ConflictError(f"{address.kind} {address.name} is another object now")
        return deepcopy(body)

    def put(self, manifest: Mapping[str, Any]) -> Body:
        """Write as somebody else: given parts replace what was there."""
        new = deepcopy(dict(manifest))
        old = self.objects.get(address_of(new), {"metadata": {}})
        return self.store(old | new | {"metadata": old["metadata"] | new["metadata"]})

    def create(self, manifest: Mapping[str, Any]) -> Body:
        address = address_of(manifest)
        if address in self.objects:
            raise AlreadyExistsError(f"{address.kind} {address.name} already exists")
        new = deepcopy(dict(manifest))
        new.pop("status", None)
        return self.store(new)

    def apply(
        self, manifest: Mapping[str, Any], manager: str, *, force: bool, part: str = ""
    ) -> Body:
        new, address = deepcopy(dict(manifest)), address_of(manifest)
        uid, record = new["metadata"].get("uid", ""), (address, manager, part)
        if part:
            live = self.live(address, uid)
            new = {part: new.get(part, {})}
        else:
            live = self.live(address, uid, ConflictError) if uid else self.objects.get(address, {})
            new.pop("status", None)
            new["metadata"] = {k: v for k, v in new["metadata"].items() if k not in BOOKS}
        done = merged(live, self._applied.get(record), new, force=force)
        stored = self.store(done)
        if address in self.objects:
            self._applied[record] = new
        return stored

    def json_patch(self, address: Address, uid: str, patch: Any) -> Body:
        body = self.live(address, uid)
        for operation in patch:
            operate(body, deepcopy(dict(operation)))
        return self.store(body)

    def merge_patch(self, address: Address, patch: Mapping[str, Any]) -> Body:
        live = self.live(address)
        observed = patch.get("metadata", {}).get("resourceVersion")
        if observed not in (None, live["metadata"]["resourceVersion"]):
            raise ConflictError(f"{address.kind} {address.name} was written since")
        body: Body = merge_patched(live, deepcopy(dict(patch)))
        return self.store(body)

    def delete(self, address: Address, uid: str = "") -> None:
        body = self.live(address, uid)
        body["metadata"].setdefault("deletionTimestamp", "2026-01-01T00:00:00Z")
        self.store(body)

    def select(self, resource: ApiResource, namespace: str, label_selector: str) -> list[Body]:
        if resource.kind in self.not_served:
            raise NotFoundError(resource.kind)
        if resource.kind in self.not_permitted:
            raise NotPermittedError(f'User "hub" cannot list resource "{resource.plural}"')
        return [
            deepcopy(body)
            for address, body in sorted(self.objects.items())
            if (address.group, address.kind) == (resource.group, resource.kind)
            and namespace in ("", address.namespace)
            and selected(body, label_selector)
        ]

    def store(self, new: Body) -> Body:
        """Give an object its next version; a write that changes nothing is none."""
        address, metadata = address_of(new), new["metadata"]
        old = self.objects.get(address, {})
        if not self.writes_left:
            raise TransientError("connection lost")
        self.writes_left -= 1
        if new == old:
            return deepcopy(new)
        self._enter(metadata, old, new)
        if "deletionTimestamp" in metadata and not metadata.get("finalizers"):
            self._drop(address)
            self._tell("DELETED", new)
        else:
            self.objects[address] = new
            self._tell("MODIFIED" if old else "ADDED", new)
        return deepcopy(new)

    def _enter(self, metadata: Body, old: Body, new: Body) -> None:
        self.version += 1
        metadata.setdefault("uid", f"uid-{self.version}")
        metadata.setdefault("creationTimestamp", "2026-01-01T00:00:00Z")
        metadata["resourceVersion"] = str(self.version)
        changed = _specified(new) != _specified(old)
        metadata["generation"] = metadata.get("generation", 0) + changed

    def _drop(self, address: Address) -> None:
        self.objects.pop(address, None)
        for record in [record for record in self._applied if record[0] == address]:
            del self._applied[record]

    def _tell(self, what: str, body: Body) -> None:
        for watcher in self.watchers:
            watcher(what, deepcopy(body))


def _specified(body: Body) -> Body:
    return {key: value for key, value in body.items() if key not in ("metadata", "status")}


def selected(body: Body, label_selector: str) -> bool:
    """Match `a=b,c!=d,e`: equality and existence, which is what programs ask for."""
    labels = body["metadata"].get("labels", {})
    return all(_holds(labels, part) for part in label_selector.split(",") if part)


def _holds(labels: Mapping[str, str], requirement: str) -> bool:
    if "!=" in requirement:
        name, _, value = requirement.partition("!=")
        return labels.get(name) != value
    name, equals, value = requirement.replace("==", "=").partition("=")
    return labels.get(name) == value if equals else name in labels
