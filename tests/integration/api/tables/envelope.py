"""What the API server says to kinds that have no spec: envelopes, and reported statuses."""

from collections.abc import Iterator
from typing import Final

from tests.integration.api.rows import STABLE, TAKEN, Manifest, Row, bare

QUOTA: Final = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "chat"}}
NOON: Final = "2026-01-01T12:00:00Z"
ENVELOPES: Final[list[tuple[str, Manifest, str]]] = [
    ("of one object", {"data": {"quota.yaml": QUOTA}}, TAKEN),
    ("of what is no object", {"data": {"odd": {"any": [1, None]}}}, TAKEN),
    ("of 50 objects", {"data": {f"q{n}": QUOTA for n in range(50)}}, TAKEN),
    (
        "of 51 objects",
        {"data": {f"q{n}": QUOTA for n in range(51)}},
        "data: Too many: 51: must have at most 50 items",
    ),
    ("of no objects", {"data": {}}, "data in body should have at least 1 properties"),
    ("of nothing", {}, "data: Required value"),
    ("of text", {"data": {"quota.yaml": "text"}}, "data.quota.yaml in body must be of type object"),
]
REPORTED: Final = {
    "sourceStatus": {"placementStatuses": [{"clusterName": "eu"}]},
    "lastUpdatedTime": NOON,
}
SELECTED: Final = {"version": "v1", "kind": "ConfigMap", "name": "chat"}


def reported(version: str) -> Iterator[Row]:
    kind = "ClusterResourcePlacementStatus"
    whole = bare(kind, version)
    yield Row("whole", whole | REPORTED)
    for field in REPORTED:
        lacking = REPORTED | {field: None}
        yield Row(f"without {field}", whole | lacking, f"{field}: Required value")
    wrong = REPORTED | {"lastUpdatedTime": "noon"}
    yield Row("at no time", whole | wrong, "lastUpdatedTime in body must be of type date-time")
    nameless = REPORTED | {"sourceStatus": {"selectedResources": [SELECTED | {"name": None}]}}
    said = "sourceStatus.selectedResources[0].name: Required value"
    yield Row("of an object without a name", whole | nameless, said)


def rows() -> Iterator[Row]:
    for kind in ("ClusterResourceEnvelope", "ResourceEnvelope"):
        for what, data, said in ENVELOPES:
            yield Row(what, bare(kind, "v1beta1") | data, said)
    for version in STABLE:
        yield from reported(version)


ROWS: Final = tuple(rows())
