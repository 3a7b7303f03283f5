"""What the API server says to overrides, and to the snapshots of them."""

from collections.abc import Iterator
from typing import Any, Final

from tests.integration.api.rows import (
    STABLE,
    TAKEN,
    Case,
    Change,
    Manifest,
    Row,
    changes,
    specs,
    written,
)

ALL: Final = ("v1alpha1", *STABLE)
CLUSTER: Final = "ClusterResourceOverride"
NAMESPACED: Final = "ResourceOverride"
SELECTORS: Final = {CLUSTER: "clusterResourceSelectors", NAMESPACED: "resourceSelectors"}
FULL: Final = {CLUSTER: "v1beta1", NAMESPACED: "v1"}
"""Where the whole table is tried: what is the same in all versions comes from one model."""
SELECTED: Final = {"group": "", "version": "v1", "kind": "ConfigMap", "name": "chat"}
PATCH: Final = {"op": "add", "path": "/metadata/labels/a", "value": "b"}
EVERYWHERE: Final = {"jsonPatchOverrides": [PATCH]}
IMMUTABLE: Final = "spec: Invalid value: The placement field is immutable"
NO_NAMESPACE: Final = (
    "<nil>: Invalid value: clusterResourceOverride placement reference cannot be Namespaced scope"
)


def rules(*found: Manifest) -> Manifest:
    return {"policy": {"overrideRules": list(found)}}


def rule(**fields: Any) -> Manifest:
    return rules(EVERYWHERE | fields)


def patch(**fields: Any) -> Manifest:
    return rule(jsonPatchOverrides=[PATCH | fields])


def base(kind: str) -> Manifest:
    return {SELECTORS[kind]: [SELECTED], **rules(EVERYWHERE)}


LABELLED: Final = {"labelSelector": {"matchLabels": {"region": "eu"}}}
TYPES: Final = 'Unsupported value: "Merge": supported values: "JSONPatch", "Delete"'
RULES: Final = "policy.overrideRules"
PATCHES: Final = f"{RULES}[0].jsonPatchOverrides"
TERMS: Final = f"{RULES}[0].clusterSelector.clusterSelectorTerms"
POLICIES: Final[list[Case]] = [
    ("that adds", {}, TAKEN),
    ("that removes", patch(op="remove", value=None), TAKEN),
    ("that replaces", patch(op="replace", value={"any": ["thing", 1, None, True]}), TAKEN),
    ("that adds a number", patch(value=3), TAKEN),
    ("that deletes", rules({"overrideType": "Delete"}), TAKEN),
    ("that does nothing", rules({}), TAKEN),
    ("for some clusters", rule(clusterSelector={"clusterSelectorTerms": [LABELLED]}), TAKEN),
    ("for all clusters", rule(clusterSelector={"clusterSelectorTerms": []}), TAKEN),
    ("of a placement", {"placement": {"name": "chat"}}, TAKEN),
    ("of 20 rules", rules(*[EVERYWHERE] * 20), TAKEN),
    ("of 20 patches", rule(jsonPatchOverrides=[PATCH] * 20), TAKEN),
    ("of no policy", {"policy": None}, "policy: Required value"),
    ("of no rules", {"policy": {}}, f"{RULES}: Required value"),
    ("of an empty list of rules", rules(), f"{RULES} in body should have at least 1 items"),
    (
        "of 21 rules",
        rules(*[EVERYWHERE] * 21),
        f"{RULES}: Too many: 21: must have at most 20 items",
    ),
    (
        "of an empty list of patches",
        rule(jsonPatchOverrides=[]),
        f"{PATCHES} in body should have at least 1 items",
    ),
    (
        "of 21 patches",
        rule(jsonPatchOverrides=[PATCH] * 21),
        f"{PATCHES}: Too many: 21: must have at most 20 items",
    ),
    (
        "that tests",
        patch(op="test"),
        f'{PATCHES}[0].op: Unsupported value: "test": supported values: "add", "remove", "replace"',
    ),
    ("that says nothing to do", patch(op=None), f"{PATCHES}[0].op: Required value"),
    ("that says nowhere", patch(path=None), f"{PATCHES}[0].path: Required value"),
    (
        "of an unknown type",
        rule(overrideType="Merge"),
        f"{RULES}[0].overrideType: {TYPES}",
    ),
    ("for no terms", rule(clusterSelector={}), f"{TERMS}: Required value"),
    (
        "for 11 terms",
        rule(clusterSelector={"clusterSelectorTerms": [LABELLED] * 11}),
        f"{TERMS}: Too many: 11: must have at most 10 items",
    ),
    ("of a placement without a name", {"placement": {}}, "placement.name: Required value"),
    (
        "of a placement in an unknown scope",
        {"placement": {"name": "chat", "scope": "Fleet"}},
        'placement.scope: Unsupported value: "Fleet": supported values: "Cluster", "Namespaced"',
    ),
]
NAMED: Final = {"placement": {"name": "chat"}}
CHANGES: Final[list[Change]] = [
    ("another policy", NAMED, rules({"overrideType": "Delete"}), TAKEN),
    ("the same placement", NAMED, NAMED, TAKEN),
    ("the same placement in so many words", NAMED, {"placement": {"scope": "Cluster"}}, TAKEN),
    ("another placement", NAMED, {"placement": {"name": "other"}}, IMMUTABLE),
    ("no placement any more", NAMED, {"placement": None}, IMMUTABLE),
    ("a placement where there was none", {}, NAMED, IMMUTABLE),
    ("another policy of any placement", {}, rules({"overrideType": "Delete"}), TAKEN),
]
ALPHA_CHANGES: Final[list[Change]] = [
    (what, old, new, TAKEN) for what, old, new, said in CHANGES if said
]
IN_A_NAMESPACE: Final = {"placement": {"name": "chat", "scope": "Namespaced"}}


def selectors(kind: str) -> Iterator[Case]:
    field = SELECTORS[kind]
    yield "of 20 objects", {field: [SELECTED] * 20}, TAKEN
    yield "of nothing", {field: None}, f"{field}: Required value"
    yield "of an empty list", {field: []}, f"{field} in body should have at least 1 items"
    too_many = f"{field}: Too many: 21: must have at most 20 items"
    yield "of 21 objects", {field: [SELECTED] * 21}, too_many
    for part in ("group", "version", "kind"):
        lacking = {field: [SELECTED | {part: None}]}
        yield f"of an object without its {part}", lacking, f"{field}[0].{part}: Required value"


def own(kind: str) -> Iterator[Case]:
    """What is said to one of the two kinds alone."""
    field = SELECTORS[kind]
    nameless = {field: [SELECTED | {"name": None}]}
    if kind == NAMESPACED:
        yield "of an object without a name", nameless, f"{field}[0].name: Required value"
        yield "of a ResourcePlacement", IN_A_NAMESPACE, TAKEN
        return
    yield "of all objects of a kind", nameless, TAKEN
    scope = {field: [SELECTED | {"selectionScope": "All"}]}
    yield "in an unknown scope", scope, f'{field}[0].selectionScope: Unsupported value: "All"'


def overrides() -> Iterator[Row]:
    for kind in SELECTORS:
        for version in ALL:
            same = [*POLICIES, *selectors(kind)] if version == FULL[kind] else POLICIES[:1]
            cases = [*same, *own(kind)]
            said = [(what, spec, said and f"spec.{said}") for what, spec, said in cases]
            yield from specs(kind, version, said, base(kind))
            table = ALPHA_CHANGES if version == "v1alpha1" else CHANGES
            yield from changes(kind, version, table, base(kind))
    for version in ALL:
        taken = base(CLUSTER) | NAMED
        whole = written(CLUSTER, version, base(CLUSTER) | IN_A_NAMESPACE)
        yield Row("of a ResourcePlacement", whole, NO_NAMESPACE)
        whole = written(CLUSTER, version, taken)
        yield Row("moved to a ResourcePlacement", whole, NO_NAMESPACE, {"spec": IN_A_NAMESPACE})


def snapshots() -> Iterator[Row]:
    for kind in SELECTORS:
        snapshot = f"{kind}Snapshot"
        for version in ALL:
            whole = {"overrideHash": "YQ==", "overrideSpec": base(kind)}
            cases: list[Case] = [
                ("whole", {}, TAKEN),
                ("of nothing", {"overrideSpec": None}, "spec.overrideSpec: Required value"),
                ("without a hash", {"overrideHash": None}, "spec.overrideHash: Required value"),
                (
                    "whose hash is not in base64",
                    {"overrideHash": "!"},
                    "spec.overrideHash in body must be of type byte",
                ),
                (
                    "of no policy",
                    {"overrideSpec": base(kind) | {"policy": None}},
                    "spec.overrideSpec.policy: Required value",
                ),
            ]
            yield from specs(snapshot, version, cases, whole)
            said = "" if version == "v1alpha1" else "spec.overrideSpec: Invalid value: "
            said = said and f"{said}The placement field is immutable"
            change: Change = ("another placement", {}, {"overrideSpec": NAMED}, said)
            yield from changes(snapshot, version, [change], whole)


ROWS: Final = (*overrides(), *snapshots())
