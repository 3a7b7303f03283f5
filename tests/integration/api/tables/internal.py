"""What the API server says to what the hub makes of placements: snapshots, bindings, Works."""

from collections.abc import Iterator
from typing import Any, Final

from tests.integration.api.rows import KNOWN, TAKEN, Case, Manifest, Row, specs, written
from tests.integration.api.tables.cluster import CONDITION, NOON
from tests.integration.api.tables.placement import R15, R16

DECIDED: Final = {"clusterName": "eu", "selected": True, "reason": "picked"}
BOUND: Final = {
    "state": "Bound",
    "targetCluster": "eu",
    "clusterDecision": DECIDED,
    "resourceSnapshotName": "",
    "schedulingPolicySnapshotName": "chat-0",
}
BINDINGS: Final[list[Case]] = [
    *((f"that is {state}", {"state": state}, TAKEN) for state in ("Scheduled", "Lost")),
    *((f"without {field}", {field: None}, f"spec.{field}: Required value") for field in BOUND),
    *(
        (
            f"whose decision has no {part}",
            {"clusterDecision": DECIDED | {part: None}},
            f"spec.clusterDecision.{part}: Required value",
        )
        for part in DECIDED
    ),
    (
        "of an override in no namespace",
        {"resourceOverrideSnapshots": [{"name": "a"}]},
        "spec.resourceOverrideSnapshots[0].namespace: Required value",
    ),
    (
        "that is applied somehow",
        {"applyStrategy": {"type": "Somehow"}},
        'Unsupported value: "Somehow": supported values: "ClientSideApply"',
    ),
]
NAMED: Final[Manifest] = {"version": "v1", "kind": "ConfigMap", "name": "chat"}
FAILED: Final[Manifest] = NAMED | {"condition": CONDITION}
DRIFTED: Final[Manifest] = NAMED | {
    "observationTime": NOON,
    "firstDriftedObservedTime": NOON,
    "targetClusterObservedGeneration": 1,
}
DIFFED: Final[Manifest] = NAMED | {"observationTime": NOON, "firstDiffedObservedTime": NOON}
FAILURES: Final[dict[str, Manifest]] = {
    "failedPlacements": FAILED,
    "driftedPlacements": DRIFTED,
    "diffedPlacements": DIFFED,
}
ENVELOPES: Final = '"ClusterResourceEnvelope", "ResourceEnvelope"'


def outcomes(version: str) -> Iterator[Case]:
    for field, item in FAILURES.items():
        yield f"{field} of one", {field: [item]}, TAKEN
        many = f"status.{field}: Too many: 101: must have at most 100 items"
        yield f"{field} of 101", {field: [item] * 101}, many
        for part in item:
            said = f"status.{field}[0].{part}: Required value"
            yield f"{field} without {part}", {field: [item | {part: None}]}, said
        older = version == "v1beta1"
        wrapped = {field: [item | {"envelope": {"name": "e", "type": "ConfigMap"}}]}
        said = TAKEN if older else f'Unsupported value: "ConfigMap": supported values: {ENVELOPES}'
        yield f"{field} out of a ConfigMap", wrapped, said
        unnamed = {field: [item | {"envelope": {}}]}
        yield f"{field} out of nothing", unnamed, f"status.{field}[0].envelope.name: Required value"
    paths: Manifest = {"diffedPlacements": [DIFFED | {"observedDiffs": [{}]}]}
    yield "a difference nowhere", paths, "observedDiffs[0].path: Required value"


SNAPSHOTS: Final[list[Case]] = [
    ("whole", {}, TAKEN),
    ("without a hash", {"policyHash": None}, "spec.policyHash: Required value"),
    ("whose hash is odd", {"policyHash": "!"}, "spec.policyHash in body must be of type byte"),
    (
        "that tolerates a value that is there",
        {"policy": {"tolerations": [{"key": "a", "operator": "Exists", "value": "b"}]}},
        R15,
    ),
    ("that tolerates no key", {"policy": {"tolerations": [{"value": "b"}]}}, R16),
    (
        "of any fields together",
        {"policy": {"placementType": "PickFixed", "numberOfClusters": 1}},
        TAKEN,
    ),
]
TARGETS: Final[list[Case]] = [
    ("a decision", {"observedCRPGeneration": 1, "targetClusters": [DECIDED]}, TAKEN),
    ("no generation", {"targetClusters": []}, "status.observedCRPGeneration: Required value"),
    (
        "1001 decisions",
        {"observedCRPGeneration": 1, "targetClusters": [DECIDED] * 1001},
        "status.targetClusters: Too many: 1001: must have at most 1000 items",
    ),
    *(
        (
            f"a decision without {part}",
            {"observedCRPGeneration": 1, "targetClusters": [DECIDED | {part: None}]},
            f"status.targetClusters[0].{part}: Required value",
        )
        for part in DECIDED
    ),
]
OBJECT: Final = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "chat"}}


def embedded(field: str, *path: str) -> Iterator[Case]:
    """Whole objects of any kind, which need their version and kind."""
    yield "of a whole object", _at(path, [OBJECT]), TAKEN
    for part in ("apiVersion", "kind"):
        lacking = {name: value for name, value in OBJECT.items() if name != part}
        yield f"of an object without {part}", _at(path, [lacking]), f"{field}[0].{part}: Required"


def _at(path: tuple[str, ...], value: Any) -> Manifest:
    nested = value if len(path) == 1 else _at(path[1:], value)
    return {path[0]: nested}


MANIFEST: Final = {"identifier": {"ordinal": 0}, "conditions": []}
DRIFT: Final = {
    "observationTime": NOON,
    "firstDriftedObservedTime": NOON,
    "observedInMemberClusterGeneration": 1,
}
DIFF: Final = {"observationTime": NOON, "firstDiffedObservedTime": NOON}


def reported(**fields: Any) -> Manifest:
    return {"conditions": [], "manifestConditions": [MANIFEST | fields]}


WORKS: Final[list[Case]] = [
    ("a report", reported(), TAKEN),
    ("no conditions", {"manifestConditions": []}, "status.conditions: Required value"),
    (
        "a manifest without conditions",
        reported(conditions=None),
        "status.manifestConditions[0].conditions: Required value",
    ),
    (
        "a manifest of no place",
        reported(identifier={}),
        "status.manifestConditions[0].identifier.ordinal: Required value",
    ),
    ("a drift", reported(driftDetails=DRIFT), TAKEN),
    *(
        (
            f"a drift without {part}",
            reported(driftDetails=DRIFT | {part: None}),
            f"driftDetails.{part}: Required value",
        )
        for part in DRIFT
    ),
    ("a difference", reported(diffDetails=DIFF), TAKEN),
    *(
        (
            f"a difference without {part}",
            reported(diffDetails=DIFF | {part: None}),
            f"diffDetails.{part}: Required value",
        )
        for part in DIFF
    ),
]
BACK: Final[list[Case]] = [
    ("a status of its own", reported(backReportedStatus={"observationTime": NOON}), TAKEN),
    (
        "a status of no time",
        reported(backReportedStatus={}),
        "backReportedStatus.observationTime: Required value",
    ),
]
MIRROR: Final = {"type": "Mirror", "destination": "WorkAPI"}
OF_WORK: Final[list[Case]] = [
    ("that reports back", {"reportBackStrategy": MIRROR}, TAKEN),
    ("that reports back to nowhere", {"reportBackStrategy": {"type": "Mirror"}}, TAKEN),
    (
        "that reports back somehow",
        {"reportBackStrategy": MIRROR | {"type": "Now"}},
        'spec.reportBackStrategy.type: Unsupported value: "Now": supported values: "Disabled"',
    ),
    ("that may report back", {"reportBackStrategy": {"destination": "WorkAPI"}}, TAKEN),
    (
        "that is applied never",
        {"applyStrategy": {"whenToApply": "Never"}},
        'Unsupported value: "Never": supported values: "Always", "IfNotDrifted"',
    ),
]
RECORD: Final = {"workName": "chat-work", "workNamespace": "fleet-member-eu"}
APPLIED: Final[list[Case]] = [
    ("whole", {}, TAKEN),
    *((f"without {part}", {part: None}, f"spec.{part}: Required value") for part in RECORD),
]


def statuses(kind: str, version: str, spec: Manifest, table: list[Case]) -> Iterator[Row]:
    for what, status, said in table:
        yield Row(what, written(kind, version, spec), said, {"status": status}, "status")


def bindings() -> Iterator[Row]:
    for kind in ("ClusterResourceBinding", "ResourceBinding"):
        for version in KNOWN[kind].versions:
            yield from specs(kind, version, BINDINGS, BOUND)
    for kind, version in (("ClusterResourceBinding", "v1"), ("ResourceBinding", "v1beta1")):
        yield from statuses(kind, version, BOUND, list(outcomes(version)))


def snapshots() -> Iterator[Row]:
    policy = {"policyHash": "YQ=="}
    for kind in ("ClusterSchedulingPolicySnapshot", "SchedulingPolicySnapshot"):
        for version in KNOWN[kind].versions:
            yield from specs(kind, version, SNAPSHOTS, policy)
            yield from statuses(kind, version, policy, TARGETS)
    for kind in ("ClusterResourceSnapshot", "ResourceSnapshot"):
        for version in KNOWN[kind].versions:
            field = "spec.selectedResources"
            yield from specs(kind, version, embedded(field, "selectedResources"), {})
            yield Row("of nothing", written(kind, version, {}), f"{field}: Required value")


def works() -> Iterator[Row]:
    for version in KNOWN["Work"].versions:
        manifests = list(embedded("spec.workload.manifests", "workload", "manifests"))
        yield from specs("Work", version, manifests, {})
        yield from statuses("Work", version, {}, WORKS)
        yield from specs("AppliedWork", version, APPLIED, RECORD)
        applied = "status.appliedResources[0].ordinal: Required value"
        table: list[Case] = [
            ("an object", {"appliedResources": [{"ordinal": 0}]}, TAKEN),
            ("an object of no place", {"appliedResources": [{}]}, applied),
        ]
        yield from statuses("AppliedWork", version, RECORD, table)
    yield from specs("Work", "v1beta1", OF_WORK, {})
    yield from statuses("Work", "v1beta1", {}, BACK)
    yield from statuses("Work", "v1", {}, [(what, status, TAKEN) for what, status, _ in BACK])


ROWS: Final = (*bindings(), *snapshots(), *works())
