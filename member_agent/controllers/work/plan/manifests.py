"""Manifests of a Work: what each is called, when its turn comes, and how it is written."""

import json
from base64 import b64encode
from collections.abc import Mapping
from copy import deepcopy
from hashlib import sha256
from typing import Any, Final, NamedTuple

from typing_extensions import override

from fleet.api.objects import OwnerReference
from fleet.api.work import WorkResourceIdentifier

Body = dict[str, Any]
SERVERS_OWN: Final = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
)
"""Metadata that is the server's or ours; what a manifest says about it is left out."""
CONFIG_KINDS: Final = frozenset(
    {
        "ClusterRole",
        "ClusterRoleBinding",
        "ConfigMap",
        "IngressClass",
        "LimitRange",
        "NetworkPolicy",
        "PersistentVolume",
        "PersistentVolumeClaim",
        "PriorityClass",
        "ResourceQuota",
        "Role",
        "RoleBinding",
        "RuntimeClass",
        "Secret",
        "ServiceAccount",
        "StorageClass",
    }
)
"""What other objects refer to, and so comes before them."""
LATE_KINDS: Final = frozenset(
    {"APIService", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"}
)
"""What others could be stopped by, and so comes after them."""


class Ref(NamedTuple):
    """An object, in whichever version it is written."""

    group: str
    kind: str
    namespace: str
    name: str

    @override
    def __str__(self) -> str:
        kind = f"{self.kind}.{self.group}" if self.group else self.kind
        return f"{kind} {self.namespace}/{self.name}" if self.namespace else f"{kind} {self.name}"

    @classmethod
    def of(cls, identifier: WorkResourceIdentifier) -> "Ref":
        return cls(identifier.group, identifier.kind, identifier.namespace, identifier.name)


def identifier(ordinal: int, manifest: Mapping[str, Any]) -> WorkResourceIdentifier:
    """Say what a manifest describes, as far as it says so itself."""
    group, _, version = str(manifest.get("apiVersion") or "").rpartition("/")
    metadata = manifest.get("metadata") or {}
    return WorkResourceIdentifier(
        ordinal=ordinal,
        group=group,
        version=version,
        kind=str(manifest.get("kind") or ""),
        namespace=str(metadata.get("namespace") or ""),
        name=str(metadata.get("name") or ""),
    )


def digest(manifest: Mapping[str, Any]) -> str:
    """Tell a manifest from an edited one."""
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def cleaned(manifest: Mapping[str, Any], namespace: str) -> Body:
    """Leave of a manifest what its writer may say, in the namespace where it belongs."""
    metadata = {k: v for k, v in manifest["metadata"].items() if k not in SERVERS_OWN}
    if namespace:
        metadata["namespace"] = namespace
    body = {name: value for name, value in manifest.items() if name != "status"}
    return deepcopy(body | {"metadata": metadata})


def owned(manifest: Body, owner: OwnerReference, uid: str = "") -> Body:
    """Write a manifest as the owner's; with a `uid` it is only to become that very object."""
    metadata = manifest["metadata"] | {"ownerReferences": [owner.dump()]}
    if uid:
        metadata["uid"] = uid
    return manifest | {"metadata": metadata}


def wave(ref: Ref) -> int:
    """Namespaces, definitions, config, all else, and last what could stand in its way."""
    if ref.kind == "Namespace" and not ref.group:
        return 0
    if ref.kind == "CustomResourceDefinition":
        return 1
    if ref.kind in CONFIG_KINDS:
        return 2
    return 4 if ref.kind in LATE_KINDS else 3


def as_kept(manifest: Body) -> Body:
    """Write a Secret as the server keeps it; what it holds is never part of a path to it."""
    if (manifest.get("apiVersion"), manifest.get("kind")) != ("v1", "Secret"):
        return manifest
    plain, encoded = manifest.get("stringData") or {}, manifest.get("data") or {}
    if not isinstance(plain, Mapping) or not isinstance(encoded, Mapping):
        return manifest
    given = {name: b64encode(str(value).encode()).decode() for name, value in plain.items()}
    data = {name: str(value) for name, value in encoded.items()} | given
    rest = {name: value for name, value in manifest.items() if name not in ("data", "stringData")}
    return rest | ({"data": data} if data else {})


def differences(wanted: object, live: object, path: str = "") -> list[str]:
    """List the paths at which an object is not what a manifest says; what it leaves open is not."""
    if isinstance(wanted, Mapping):
        found = live if isinstance(live, Mapping) else {}
        pairs = [(f"{path}/{key}", value, found.get(key)) for key, value in wanted.items()]
        return [item for at, new, old in pairs for item in differences(new, old, at)]
    if isinstance(wanted, list) and isinstance(live, list) and len(wanted) == len(live):
        pairs = [(f"{path}/{i}", *both) for i, both in enumerate(zip(wanted, live, strict=True))]
        return [item for at, new, old in pairs for item in differences(new, old, at)]
    return [] if wanted == live else [path]
