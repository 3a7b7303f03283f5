"""All tables of what our definitions of KubeFleet's kinds take and refuse, and their rules."""

from collections.abc import Iterator
from typing import Any, Final

import yaml

from fleet.testing.kinds import CRDS
from tests.integration.api.rows import Row
from tests.integration.api.tables import (
    cluster,
    cluster_profile,
    envelope,
    eviction,
    internal,
    override,
    placement,
    staged_update,
)

TABLES: Final[Any] = (
    cluster,
    placement,
    internal,
    staged_update,
    override,
    eviction,
    envelope,
    cluster_profile,
)
ROWS: Final[list[Row]] = [row for table in TABLES for row in table.ROWS]
GROUPS: Final = (
    "cluster.kubernetes-fleet.io",
    "placement.kubernetes-fleet.io",
    "multicluster.x-k8s.io",
)
FILES: Final = [path for path in sorted(CRDS.glob("*.yaml")) if path.name.startswith(GROUPS)]
BY_POLICY: Final = "a policy where there was none"
"""What the definitions take of a ClusterResourcePlacement, and its policy refuses."""
Served = tuple[str, str]
"""A kind, and its group and version."""


def rules() -> dict[Served, set[str]]:
    """Give the messages of all rules of all versions of all kinds."""
    found = {}
    for file in FILES:
        spec = yaml.load(file.read_text("utf-8"), yaml.CSafeLoader)["spec"]
        for version in spec["versions"]:
            served = (spec["names"]["kind"], f"{spec['group']}/{version['name']}")
            found[served] = set(_messages(version["schema"]["openAPIV3Schema"]))
    return found


def _messages(schema: dict[str, Any]) -> Iterator[str]:
    for rule in schema.get("x-kubernetes-validations", ()):
        yield rule["message"]
    nested = [schema["items"]] if "items" in schema else []
    for part in (*schema.get("properties", {}).values(), *nested):
        yield from _messages(part)


def served(row: Row) -> Served:
    return row.manifest["kind"], row.manifest["apiVersion"]


def sides() -> Iterator[Row]:
    """Give of each kind what each rule refuses, and what is taken new and as a change, once."""
    messages, seen = rules(), set()
    for row in ROWS:
        said = [message for message in messages[served(row)] if message in row.said]
        key = (row.manifest["kind"], *sorted(said), row.change is None)
        whole = not row.subresource and row.what != BY_POLICY
        if (said or not row.said) and whole and key not in seen:
            seen.add(key)
            yield row
