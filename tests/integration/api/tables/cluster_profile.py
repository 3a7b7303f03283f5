"""What the API server says to ClusterProfiles."""

from collections.abc import Iterator
from typing import Final

from tests.integration.api.rows import TAKEN, Case, Change, Manifest, Row, changes, specs, written

KIND: Final = "ClusterProfile"
MANAGED: Final = {"clusterManager": {"name": "modelfleet"}}
SPECS: Final[list[Case]] = [
    ("whole", {"displayName": "Europe"}, TAKEN),
    ("without a manager", {"clusterManager": None}, "spec.clusterManager: Required value"),
    (
        "whose manager has no name",
        {"clusterManager": {}},
        "spec.clusterManager.name: Required value",
    ),
]
CHANGES: Final[list[Change]] = [
    ("another name", {}, {"displayName": "Asia"}, TAKEN),
    (
        "another manager",
        {},
        {"clusterManager": {"name": "other"}},
        "spec.clusterManager: Invalid value: ClusterManager is immutable",
    ),
]
ADDRESS: Final = {
    "server": "https://eu.example",
    "tls-server-name": "eu",
    "insecure-skip-tls-verify": False,
    "certificate-authority": "/ca.crt",
    "certificate-authority-data": "YQ==",
    "proxy-url": "https://proxy.example",
    "disable-compression": True,
    "extensions": [{"name": "client.authentication.k8s.io/exec", "extension": {"any": 1}}],
}
STATUSES: Final[list[Case]] = [
    ("an address", {"accessProviders": [{"name": "exec", "cluster": ADDRESS}]}, TAKEN),
    ("an old address", {"credentialProviders": [{"name": "exec", "cluster": ADDRESS}]}, TAKEN),
    (
        "an address without a server",
        {"accessProviders": [{"name": "exec", "cluster": {}}]},
        "status.accessProviders[0].cluster.server: Required value",
    ),
    (
        "a provider without a name",
        {"credentialProviders": [{}]},
        "status.credentialProviders[0].name: Required value",
    ),
    ("a version", {"version": {"kubernetes": "v1.36.3"}}, TAKEN),
    ("a property", {"properties": [{"name": "nodes", "value": "3"}]}, TAKEN),
    ("long properties", {"properties": [{"name": "n" * 253, "value": "v" * 1024}]}, TAKEN),
    (
        "a property without a value",
        {"properties": [{"name": "nodes"}]},
        "status.properties[0].value: Required value",
    ),
    (
        "a property with an empty value",
        {"properties": [{"name": "nodes", "value": ""}]},
        "properties[0].value in body should be at least 1 chars long",
    ),
    (
        "a property with too long a value",
        {"properties": [{"name": "nodes", "value": "v" * 1025}]},
        "status.properties[0].value: Too long: may not be more than 1024 bytes",
    ),
    (
        "a property with too long a name",
        {"properties": [{"name": "n" * 254, "value": "3"}]},
        "status.properties[0].name: Too long: may not be more than 253 bytes",
    ),
]


def rows() -> Iterator[Row]:
    yield from specs(KIND, "v1alpha1", SPECS, MANAGED)
    yield from changes(KIND, "v1alpha1", CHANGES, MANAGED)
    whole = written(KIND, "v1alpha1", MANAGED)
    for what, status, said in STATUSES:
        change: Manifest = {"status": status}
        yield Row(what, whole, said, change, "status")


ROWS: Final = tuple(rows())
