"""What the API server says to placements of both scopes."""

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

CLUSTER: Final = "ClusterResourcePlacement"
NAMESPACED: Final = "ResourcePlacement"
NAMESPACE: Final = {"group": "", "version": "v1", "kind": "Namespace"}
CHAT: Final = NAMESPACE | {"name": "chat"}
WITH_SELECTORS: Final = NAMESPACE | {"selectionScope": "NamespaceWithResourceSelectors"}
WHOLE: Final = {"resourceSelectors": [CHAT]}
LABELS: Final = {"labelSelector": {"matchLabels": {"team": "chat"}}}
WORDS: Final = "Invalid value: "
R5: Final = (
    "when statusReportingScope is NamespaceAccessible,"
    " exactly one resourceSelector with kind 'Namespace' is required"
)
R7: Final = "only one namespace selector with NamespaceWithResourceSelectors mode is allowed"
R8: Final = (
    "namespace selector with NamespaceWithResourceSelectors mode must select by name (not by label)"
)
R9: Final = (
    "when using NamespaceWithResourceSelectors mode, only one namespace selector is allowed"
    " (cannot mix with other namespace selectors)"
)
R10: Final = "name and labelSelector are mutually exclusive in a resource selector"
R12: Final = (
    "affinity, numberOfClusters, topologySpreadConstraints, and tolerations cannot be set"
    " when placementType is PickFixed"
)
R13: Final = (
    "clusterNames, numberOfClusters, and topologySpreadConstraints cannot be set"
    " when placementType is PickAll"
)
R14: Final = (
    "clusterNames cannot be set and numberOfClusters must be set when placementType is PickN"
)
R15: Final = "value must be empty when operator is Exists"
R16: Final = "operator must be Exists when key is empty"
R17: Final = "cannot change rollout strategy type from 'External' to other types"
R18: Final = "when reportBackStrategy.type is 'Mirror', a destination must be specified"
SCOPES: Final = (
    'supported values: "NamespaceOnly", "NamespaceWithResources", "NamespaceWithResourceSelectors"'
)
REPORTING: Final = 'supported values: "ClusterScopeOnly", "NamespaceAccessible"'


def chosen(*selectors: Manifest) -> Manifest:
    return {"resourceSelectors": list(selectors)}


def policy(kind: str = "PickAll", /, **fields: Any) -> Manifest:
    return {"policy": {"placementType": kind, **fields}}


def pick_n(**fields: Any) -> Manifest:
    return policy("PickN", numberOfClusters=2, **fields)


def tolerating(*tolerations: Manifest) -> Manifest:
    return policy(tolerations=list(tolerations))


def strategy(**fields: Any) -> Manifest:
    return {"strategy": fields}


def rolling(**fields: Any) -> Manifest:
    return strategy(rollingUpdate=fields)


def applying(**fields: Any) -> Manifest:
    return strategy(applyStrategy=fields)


def affinity(**fields: Any) -> Manifest:
    return {"affinity": {"clusterAffinity": fields}}


def required(*terms: Manifest) -> Manifest:
    field = "requiredDuringSchedulingIgnoredDuringExecution"
    return affinity(**{field: {"clusterSelectorTerms": list(terms)}})


def preferred(*terms: Manifest) -> Manifest:
    return affinity(preferredDuringSchedulingIgnoredDuringExecution=list(terms))


def comparing(**fields: Any) -> Manifest:
    expression = {"name": "nodes", "operator": "Ge", "values": ["3"], **fields}
    return {"propertySelector": {"matchExpressions": [expression]}}


SPREAD: Final[Manifest] = {"topologySpreadConstraints": [{"topologyKey": "region"}]}
SELECTIONS: Final[list[Case]] = [
    ("of a namespace", {}, TAKEN),
    ("of all objects of a kind", chosen({"group": "a.b", "version": "v1", "kind": "C"}), TAKEN),
    ("by labels", chosen(NAMESPACE | LABELS), TAKEN),
    ("by labels and an empty name", chosen(NAMESPACE | LABELS | {"name": ""}), TAKEN),
    ("of 100 selectors", chosen(*[CHAT] * 100), TAKEN),
    (
        "of 101",
        chosen(*[CHAT] * 101),
        "spec.resourceSelectors: Too many: 101: must have at most 100",
    ),
    ("of none", chosen(), "spec.resourceSelectors in body should have at least 1 items"),
    ("of nothing", {"resourceSelectors": None}, "spec.resourceSelectors: Required value"),
    *(
        (
            f"of objects without their {part}",
            chosen(CHAT | {part: None}),
            f"spec.resourceSelectors[0].{part}: Required value",
        )
        for part in ("group", "version", "kind")
    ),
    (
        "by name and labels",
        chosen(CHAT | LABELS),
        f"spec.resourceSelectors: {WORDS}{R10}",
    ),
    (
        "in an unknown scope",
        chosen(CHAT | {"selectionScope": "All"}),
        f'spec.resourceSelectors[0].selectionScope: Unsupported value: "All": {SCOPES}',
    ),
    *(
        (f"of a namespace with {scope}", chosen(CHAT | {"selectionScope": scope}), TAKEN)
        for scope in ("NamespaceOnly", "NamespaceWithResources")
    ),
    ("of one namespace with selectors", chosen(WITH_SELECTORS | {"name": "chat"}), TAKEN),
    (
        "of one namespace with selectors, and more",
        chosen(WITH_SELECTORS | {"name": "chat"}, {"group": "", "version": "v1", "kind": "Node"}),
        TAKEN,
    ),
    ("of a namespace with selectors by label", chosen(WITH_SELECTORS | LABELS), R8),
    ("of a namespace with selectors by nothing", chosen(WITH_SELECTORS), R8),
    (
        "of two namespaces with selectors",
        chosen(WITH_SELECTORS | {"name": "a"}, WITH_SELECTORS | {"name": "b"}),
        R7,
    ),
    (
        "of two namespaces with selectors, as its fault of names too",
        chosen(WITH_SELECTORS | {"name": "a"}, WITH_SELECTORS | {"name": "b"}),
        R8,
    ),
    (
        "of a namespace with selectors and another",
        chosen(WITH_SELECTORS | {"name": "a"}, CHAT),
        f"spec: {WORDS}{R9}",
    ),
]
POLICIES: Final[list[Case]] = [
    ("of an empty policy", {"policy": {}}, TAKEN),
    ("on all clusters", policy(), TAKEN),
    (
        "by an unknown policy",
        policy("PickSome"),
        (
            'spec.policy.placementType: Unsupported value: "PickSome":'
            ' supported values: "PickAll", "PickN", "PickFixed"'
        ),
    ),
    ("by an empty policy type", policy(""), 'Unsupported value: ""'),
    ("on all that one likes", policy(**required(LABELS)), TAKEN),
    ("on all, tolerating", tolerating({"key": "gpu", "operator": "Exists"}), TAKEN),
    *(
        (f"on all with {field} {value}", policy(**{field: value}), f"spec.policy: {WORDS}{R13}")
        for field, value in (
            ("clusterNames", ["eu"]),
            ("clusterNames", []),
            ("numberOfClusters", 0),
            *SPREAD.items(),
        )
    ),
    ("on two clusters", pick_n(), TAKEN),
    ("on no cluster of many", policy("PickN", numberOfClusters=0), TAKEN),
    ("on some clusters", policy("PickN"), f"spec.policy: {WORDS}{R14}"),
    ("on two by name", pick_n(clusterNames=["eu"]), f"spec.policy: {WORDS}{R14}"),
    ("on two, spread", pick_n(**SPREAD), TAKEN),
    (
        "on less than none",
        policy("PickN", numberOfClusters=-1),
        "spec.policy.numberOfClusters in body should be greater than or equal to 0",
    ),
    ("on two by name of kind", policy("PickFixed", clusterNames=["eu", "us"]), TAKEN),
    ("on none by name", policy("PickFixed", clusterNames=[]), TAKEN),
    ("on named ones without names", policy("PickFixed"), TAKEN),
    (
        "on 101 by name",
        policy("PickFixed", clusterNames=[f"c{n}" for n in range(101)]),
        "spec.policy.clusterNames: Too many: 101: must have at most 100 items",
    ),
    *(
        (f"on named ones with {field}", policy("PickFixed", **{field: value}), R12)
        for field, value in (
            ("affinity", {}),
            ("numberOfClusters", 1),
            ("topologySpreadConstraints", []),
            ("tolerations", [{"operator": "Exists"}]),
        )
    ),
    ("that all taints suit", tolerating({"operator": "Exists"}), TAKEN),
    (
        "that a taint suits",
        tolerating({"key": "gpu", "value": "a100", "effect": "NoSchedule"}),
        TAKEN,
    ),
    ("that a taint of odd letters suits", tolerating({"key": "!" * 400, "value": "?" * 99}), TAKEN),
    (
        "that tolerates a value that is there",
        tolerating({"key": "gpu", "operator": "Exists", "value": "a100"}),
        f"spec.policy.tolerations: {WORDS}{R15}",
    ),
    ("that tolerates no value", tolerating({"key": "a", "operator": "Exists", "value": ""}), TAKEN),
    (
        "that tolerates a value of no key",
        tolerating({"value": "a100"}),
        f"spec.policy.tolerations: {WORDS}{R16}",
    ),
    ("that tolerates an empty key", tolerating({"key": ""}), R16),
    (
        "that tolerates by an unknown operator",
        tolerating({"key": "gpu", "operator": "In"}),
        'Unsupported value: "In": supported values: "Equal", "Exists"',
    ),
    (
        "that tolerates an unknown effect",
        tolerating({"key": "gpu", "effect": "NoExecute"}),
        'Unsupported value: "NoExecute": supported values: "NoSchedule"',
    ),
    (
        "that tolerates 101 taints",
        tolerating(*[{"operator": "Exists"}] * 101),
        "spec.policy.tolerations: Too many: 101: must have at most 100 items",
    ),
    (
        "that spreads by nothing",
        pick_n(topologySpreadConstraints=[{}]),
        "spec.policy.topologySpreadConstraints[0].topologyKey: Required value",
    ),
    (
        "that spreads without skew",
        pick_n(topologySpreadConstraints=[{"topologyKey": "region", "maxSkew": 0}]),
        "topologySpreadConstraints[0].maxSkew in body should be greater than or equal to 1",
    ),
    (
        "that spreads somehow",
        pick_n(topologySpreadConstraints=[{"topologyKey": "a", "whenUnsatisfiable": "Hope"}]),
        'Unsupported value: "Hope": supported values: "DoNotSchedule", "ScheduleAnyway"',
    ),
    (
        "that spreads in 101 ways",
        pick_n(topologySpreadConstraints=[{"topologyKey": "a"}] * 101),
        TAKEN,
    ),
]
AFFINITIES: Final[list[Case]] = [
    ("with no affinity", pick_n(affinity={}), TAKEN),
    ("with no term", pick_n(**required()), TAKEN),
    ("with a term of all kinds", pick_n(**required(LABELS | comparing())), TAKEN),
    ("with a comparison of our own making", pick_n(**required(comparing(operator="Like"))), TAKEN),
    ("with a comparison to nothing", pick_n(**required(comparing(values=[]))), TAKEN),
    ("with a comparison to no quantity", pick_n(**required(comparing(values=["many"]))), TAKEN),
    (
        "with a comparison to two values",
        pick_n(**required(comparing(values=["1", "2"]))),
        "propertySelector.matchExpressions[0].values: Too many: 2: must have at most 1 item",
    ),
    *(
        (
            f"with a comparison without its {part}",
            pick_n(**required(comparing(**{part: None}))),
            f"propertySelector.matchExpressions[0].{part}: Required value",
        )
        for part in ("name", "operator", "values")
    ),
    (
        "with 11 terms",
        pick_n(**required(*[LABELS] * 11)),
        "clusterSelectorTerms: Too many: 11: must have at most 10 items",
    ),
    (
        "with terms that are not there",
        pick_n(**affinity(requiredDuringSchedulingIgnoredDuringExecution={})),
        "clusterSelectorTerms: Required value",
    ),
    *(
        (
            f"that likes by {weight}",
            pick_n(**preferred({"weight": weight, "preference": LABELS})),
            TAKEN,
        )
        for weight in (-100, 0, 100)
    ),
    (
        "that likes by 101",
        pick_n(**preferred({"weight": 101, "preference": {}})),
        "[0].weight in body should be less than or equal to 100",
    ),
    (
        "that likes by -101",
        pick_n(**preferred({"weight": -101, "preference": {}})),
        "[0].weight in body should be greater than or equal to -100",
    ),
    (
        "that likes by no weight",
        pick_n(**preferred({"preference": {}})),
        "[0].weight: Required value",
    ),
    ("that likes nothing", pick_n(**preferred({"weight": 1})), "[0].preference: Required value"),
    (
        "that sorts",
        pick_n(
            **preferred(
                {
                    "weight": 1,
                    "preference": {"propertySorter": {"name": "n", "sortOrder": "Ascending"}},
                }
            )
        ),
        TAKEN,
    ),
    (
        "that sorts at random",
        pick_n(
            **preferred(
                {
                    "weight": 1,
                    "preference": {"propertySorter": {"name": "n", "sortOrder": "Random"}},
                }
            )
        ),
        'Unsupported value: "Random": supported values: "Ascending", "Descending"',
    ),
]
STRATEGIES: Final[list[Case]] = [
    ("by an empty strategy", strategy(), TAKEN),
    ("rolled out by others", strategy(type="External"), TAKEN),
    (
        "rolled out at will",
        strategy(type="Recreate"),
        'Unsupported value: "Recreate": supported values: "RollingUpdate", "External"',
    ),
    *(
        (f"with {field} {value!r}", rolling(**{field: value}), TAKEN)
        for field in ("maxSurge", "maxUnavailable")
        for value in (0, 3, -1, "0%", "100%", "3")
    ),
    *(
        (
            f"with {field} {value!r}",
            rolling(**{field: value}),
            (
                f"spec.strategy.rollingUpdate.{field} in body should match"
                " '^((100|[0-9]{1,2})%|[0-9]+)$'"
            ),
        )
        for field in ("maxSurge", "maxUnavailable")
        for value in ("101%", "-1", "some")
    ),
    ("that never waits", rolling(unavailablePeriodSeconds=0), TAKEN),
    (
        "that waits for less than no time",
        rolling(unavailablePeriodSeconds=-1),
        "unavailablePeriodSeconds in body should be greater than or equal to 0",
    ),
    *(
        (f"with {field} {value}", applying(**{field: value}), TAKEN)
        for field, values in {
            "type": ("ClientSideApply", "ServerSideApply", "ReportDiff"),
            "comparisonOption": ("PartialComparison", "FullComparison"),
            "whenToApply": ("Always", "IfNotDrifted"),
            "whenToTakeOver": ("Always", "IfNoDiff", "Never"),
            "allowCoOwnership": (True, False),
            "serverSideApplyConfig": ({}, {"force": True}),
        }.items()
        for value in values
    ),
    *(
        (
            f"with an unknown {field}",
            applying(**{field: "Sometimes"}),
            (
                f'spec.strategy.applyStrategy.{field}: Unsupported value: "Sometimes": supported'
                f' values: "{first}"'
            ),
        )
        for field, first in {
            "type": "ClientSideApply",
            "comparisonOption": "PartialComparison",
            "whenToApply": "Always",
            "whenToTakeOver": "Always",
        }.items()
    ),
    *((f"with {n} snapshots kept", {"revisionHistoryLimit": n}, TAKEN) for n in (1, 1000)),
    (
        "with no snapshots kept",
        {"revisionHistoryLimit": 0},
        "spec.revisionHistoryLimit in body should be greater than or equal to 1",
    ),
    (
        "with 1001 snapshots kept",
        {"revisionHistoryLimit": 1001},
        "spec.revisionHistoryLimit in body should be less than or equal to 1000",
    ),
    (
        "reported everywhere",
        {"statusReportingScope": "Everywhere"},
        f'spec.statusReportingScope: Unsupported value: "Everywhere": {REPORTING}',
    ),
]
BETA: Final[list[Case]] = [
    *(
        (f"that will {verb}", strategy(deleteStrategy={"propagationPolicy": verb}), TAKEN)
        for verb in ("Abandon", "Delete")
    ),
    (
        "that will forget",
        strategy(deleteStrategy={"propagationPolicy": "Forget"}),
        'Unsupported value: "Forget": supported values: "Abandon", "Delete"',
    ),
    ("that reports nothing back", strategy(reportBackStrategy={"type": "Disabled"}), TAKEN),
    *(
        (
            f"that reports back to {where}",
            strategy(reportBackStrategy={"type": "Mirror", "destination": where}),
            TAKEN,
        )
        for where in ("OriginalResource", "WorkAPI")
    ),
    (
        "that reports back to nowhere",
        strategy(reportBackStrategy={"type": "Mirror"}),
        f"spec.strategy.reportBackStrategy: {WORDS}{R18}",
    ),
    (
        "that reports back elsewhere",
        strategy(reportBackStrategy={"type": "Mirror", "destination": ""}),
        'Unsupported value: "": supported values: "OriginalResource", "WorkAPI"',
    ),
]
FIXED: Final = policy("PickFixed", clusterNames=["eu"])
CHANGES: Final[list[Change]] = [
    ("a policy where there was none", {}, FIXED, TAKEN),
    ("the policy to none", policy(), {"policy": None}, "spec: Invalid value: policy cannot be"),
    (
        "the policy to none, by its whole message",
        policy(),
        {"policy": None},
        "policy cannot be removed once set",
    ),
    ("the clusters", FIXED, policy("PickFixed", clusterNames=["us"]), TAKEN),
    (
        "the type of the policy",
        policy(),
        FIXED,
        f"spec.policy: {WORDS}placement type is immutable",
    ),
    ("to rollout by others", strategy(), strategy(type="External"), TAKEN),
    (
        "to rollout of its own",
        strategy(type="External"),
        strategy(type="RollingUpdate"),
        f"spec.strategy.type: {WORDS}{R17}",
    ),
    ("to no strategy", strategy(type="External"), {"strategy": None}, TAKEN),
    ("the selectors", {}, chosen(NAMESPACE | {"name": "other"}), TAKEN),
]
ACCESSIBLE: Final = {"statusReportingScope": "NamespaceAccessible"}
NODES: Final = {"group": "", "version": "v1", "kind": "Node"}
OTHERS_NAMESPACE: Final = {"group": "a.b", "version": "v9", "kind": "Namespace", "name": "chat"}
OF_THE_CLUSTER: Final[list[Case]] = [
    ("reported in its namespace", ACCESSIBLE, TAKEN),
    ("reported in its namespace, with more", ACCESSIBLE | chosen(CHAT, NODES), TAKEN),
    ("reported in a namespace of any group", ACCESSIBLE | chosen(OTHERS_NAMESPACE), TAKEN),
    ("reported in no namespace", ACCESSIBLE | chosen(NODES), f"spec: {WORDS}{R5}"),
    ("reported in two namespaces", ACCESSIBLE | chosen(CHAT, CHAT), R5),
]
MOVED: Final = f"spec: {WORDS}statusReportingScope is immutable"
CLUSTER_CHANGES: Final[list[Change]] = [
    ("where it is reported", {}, ACCESSIBLE, MOVED),
    ("where it is no longer reported", ACCESSIBLE, {"statusReportingScope": None}, MOVED),
    ("nothing of where it is reported", ACCESSIBLE, ACCESSIBLE, TAKEN),
]
NAMESPACED_CHANGES: Final[list[Change]] = [("where it is reported", {}, ACCESSIBLE, TAKEN)]
TABLE: Final = (*SELECTIONS, *POLICIES, *AFFINITIES, *STRATEGIES)
FEW: Final = (*SELECTIONS[:1], *POLICIES[:2], *STRATEGIES[:2])
FULL: Final = {CLUSTER: "v1beta1", NAMESPACED: "v1"}
"""Where the whole table is tried: what is the same in all versions comes from one model."""


def own(kind: str) -> list[Case]:
    if kind == CLUSTER:
        return OF_THE_CLUSTER
    return [(what, spec, TAKEN) for what, spec, _ in OF_THE_CLUSTER]


def rows() -> Iterator[Row]:
    for kind in (CLUSTER, NAMESPACED):
        for version in STABLE:
            yield from specs(kind, version, TABLE if version == FULL[kind] else FEW, WHOLE)
            yield from specs(kind, version, own(kind), WHOLE)
            beta = BETA if version == "v1beta1" else [(w, spec, TAKEN) for w, spec, _ in BETA]
            yield from specs(kind, version, beta, WHOLE)
            table = CLUSTER_CHANGES if kind == CLUSTER else NAMESPACED_CHANGES
            yield from changes(kind, version, [*CHANGES, *table], WHOLE)
        yield Row("of no spec", written(kind, "v1", {}) | {"spec": None}, "spec: Required value")


ROWS: Final = tuple(rows())
