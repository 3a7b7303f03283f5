"""What the hub's policies refuse of overrides and the CRDs take: words of KubeFleet's webhooks."""

from collections.abc import Iterator
from typing import Final

from tests.integration.api.rows import TAKEN, Case, Manifest, Row, specs
from tests.integration.api.tables.override import (
    CLUSTER,
    EVERYWHERE,
    LABELLED,
    NAMESPACED,
    SELECTED,
    SELECTORS,
    base,
    patch,
    rule,
    rules,
)
from tests.integration.api.tables.placement import comparing
from tests.integration.api.tables.policy_placements import NONE_OF, labelled, printed

CHAT: Final[Manifest] = SELECTED | {"kind": "Namespace"}
NAMELESS: Final[Manifest] = {"group": "", "version": "v1", "kind": "Namespace"}
SCOPE: Final = "SelectionScope:NamespaceWithResources}"


def of(*selectors: Manifest) -> Manifest:
    return {SELECTORS[CLUSTER]: list(selectors)}


SELECTIONS: Final[list[Case]] = [
    ("of two", of(CHAT, CHAT | {"name": "other"}), TAKEN),
    (
        "of one twice",
        of(CHAT, CHAT, CHAT),
        (
            "request: resource selector {Group: Version:v1 Kind:Namespace Name:chat"
            f" LabelSelector:nil {SCOPE} already exists, and must be unique"
        ),
    ),
    (
        "of labels",
        of(NAMELESS | LABELLED),
        (
            "request: label selector is not supported for resource selection {Group: Version:v1"
            " Kind:Namespace Name: LabelSelector:&LabelSelector{MatchLabels:map[string]string{"
            f"region: eu,}},MatchExpressions:[]LabelSelectorRequirement{{}},}} {SCOPE}"
        ),
    ),
    (
        "of all",
        of(NAMELESS),
        (
            "request: resource name is required for resource selection {Group: Version:v1"
            f" Kind:Namespace Name: LabelSelector:nil {SCOPE}"
        ),
    ),
]


def on(*terms: Manifest) -> Manifest:
    return rule(clusterSelector={"clusterSelectorTerms": list(terms)})


CLUSTERS: Final[list[Case]] = [
    ("for clusters by labels", on(LABELLED, LABELLED), TAKEN),
    (
        "for clusters by properties",
        on(LABELLED | comparing()),
        "PropertySorter:<nil>}: only labelSelector is supported",
    ),
    (
        "for clusters by nothing",
        on({}),
        (
            "request: invalid clusterSelector {LabelSelector:nil PropertySelector:<nil>"
            " PropertySorter:<nil>}: labelSelector is required"
        ),
    ),
    (
        "for clusters of no value",
        on(labelled("zone", "In")),
        f"request: the labelSelector in cluster selector {printed('zone', 'In', '', NONE_OF)}",
    ),
]
UNPATCHED: Final = "request: invalid JSONPatchOverride"


def at(path: str) -> Manifest:
    return patch(path=path, value=None)


PATCHES: Final[list[Case]] = [
    ("that deletes", rules({"overrideType": "Delete"}), TAKEN),
    (
        "that deletes and patches",
        rules(EVERYWHERE | {"overrideType": "Delete"}),
        f"{UNPATCHED}s: JSONPatchOverrides cannot be set when the override type is Delete",
    ),
    (
        "that patches nothing",
        rules({}),
        f"{UNPATCHED}s: JSONPatchOverrides cannot be empty",
    ),
    *(
        (f"at {path}", patch(path=path), TAKEN)
        for path in ("/metadata/labels", "/metadata/annotations/a.b~1c", "/spec/a/0", "/data/-")
    ),
    *(
        (f"at '{path}'", at(path), f"{UNPATCHED} {{add {path} {{}}}}: {fault}")
        for path, fault in {
            "": "path cannot be empty",
            "spec": "path must start with /",
            "/": "path cannot contain empty string",
            "/spec//a": "path cannot contain empty string",
            "/spec/ ": "path cannot contain empty string",
            "/kind": "cannot override typeMeta fields",
            "/apiVersion/a": "cannot override typeMeta fields",
            "/metadata": "cannot override field metadata",
            "/metadata/name": "cannot override metadata fields except annotations and labels",
            "/status/phase": "cannot override status fields",
        }.items()
    ),
    *(
        (f"at kind with {value!r}", patch(path="/kind", value=value), f"{{add /kind {{{said}}}}}")
        for value, said in (("a", '"a"'), (3, "3"), (True, "true"), ({}, "{...}"))
    ),
    ("that removes", patch(op="remove", value=None), TAKEN),
    (
        "that removes a value",
        patch(op="remove"),
        (f'{UNPATCHED} {{remove /metadata/labels/a {{"b"}}}}: remove operation cannot have value'),
    ),
    (
        "that removes a value of kind",
        patch(op="remove", path="/kind"),
        (
            'request: [invalid JSONPatchOverride {remove /kind {"b"}}: cannot override typeMeta'
            ' fields, invalid JSONPatchOverride {remove /kind {"b"}}: remove operation'
        ),
    ),
]


def rows() -> Iterator[Row]:
    yield from specs(CLUSTER, "v1beta1", SELECTIONS, base(CLUSTER))
    yield from specs(CLUSTER, "v1alpha1", (*CLUSTERS, *PATCHES), base(CLUSTER))
    yield from specs(NAMESPACED, "v1", (*CLUSTERS[:2], *PATCHES[:2]), base(NAMESPACED))
    twice = base(NAMESPACED) | {SELECTORS[NAMESPACED]: [SELECTED] * 2}
    said = "{Group: Version:v1 Kind:ConfigMap Name:chat} already exists, and must be unique"
    yield from specs(NAMESPACED, "v1", [("of one twice", twice, said)], {})


ROWS: Final = tuple(rows())
