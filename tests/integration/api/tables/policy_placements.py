"""What the hub's policies refuse of placements and the CRDs take: words of KubeFleet's webhooks."""

from collections.abc import Iterator
from typing import Final

from tests.integration.api.rows import (
    TAKEN,
    Case,
    Change,
    Manifest,
    Row,
    changes,
    specs,
    written,
)
from tests.integration.api.tables.placement import (
    CLUSTER,
    LABELS,
    NAMESPACED,
    WHOLE,
    applying,
    chosen,
    comparing,
    pick_n,
    policy,
    preferred,
    required,
    rolling,
    strategy,
    tolerating,
)

INVALID: Final = "has invalid fields the placement policy field is invalid: "
UNROLLED: Final = "has invalid fields the rollout Strategy field  is invalid: "
REQUIREMENT: Final = f"{INVALID}invalid requirement on property nodes: "
INCONSISTENT: Final = f"{INVALID}inconsistent requirements on property nodes: "
PROPERTY: Final = f"{INVALID}invalid property name "
RESOURCES: Final = "resources.kubernetes-fleet.io"
NAME_PART: Final = "name part must consist of alphanumeric characters, '-', '_' or '.'"
PRINTED: Final = (
    "&LabelSelector{MatchLabels:map[string]string{},MatchExpressions:[]LabelSelectorRequirement{"
    "LabelSelectorRequirement{Key:%s,Operator:%s,Values:[%s],},},} is invalid: %s"
)


def labelled(key: str, operator: str, *values: str) -> Manifest:
    found = {"key": key, "operator": operator, "values": list(values)}
    return {"labelSelector": {"matchExpressions": [found]}}


def printed(key: str, operator: str, values: str, fault: str) -> str:
    """Write a selector as Go does, with what is wrong with it."""
    return PRINTED % (key, operator, values, fault)


def all_of(*comparisons: tuple[str, str]) -> Manifest:
    """Compare one property in several ways."""
    found = [{"name": "nodes", "operator": how, "values": [value]} for how, value in comparisons]
    return pick_n(**required({"propertySelector": {"matchExpressions": found}}))


def named(name: str) -> Manifest:
    return pick_n(**required(comparing(name=name)))


def sorting(name: str) -> Manifest:
    sorter = {"propertySorter": {"name": name, "sortOrder": "Ascending"}}
    return pick_n(**preferred({"weight": 1, "preference": sorter}))


def likes(preference: Manifest) -> Manifest:
    return preferred({"weight": 1, "preference": preference})


NONE_OF: Final = (
    "values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty"
)
SELECTORS: Final[list[Case]] = [
    (
        "of labels that are in nothing",
        chosen({"group": "", "version": "v1", "kind": "Namespace", **labelled("team", "In")}),
        (
            "has invalid fields the labelSelector in resource selector "
            + printed("team", "In", "", NONE_OF)
        ),
    ),
    (
        "on clusters whose labels are in nothing",
        pick_n(**required(labelled("zone", "NotIn"))),
        f"{INVALID}the labelSelector in cluster selector {printed('zone', 'NotIn', '', NONE_OF)}",
    ),
    (
        "that likes labels that are in nothing",
        pick_n(**likes(labelled("zone", "In"))),
        (
            f"{INVALID}the labelSelector in preferred cluster selector "
            + printed("zone", "In", "", NONE_OF)
        ),
    ),
    (
        "on clusters whose label is there with a value",
        pick_n(**required(labelled("zone", "Exists", "a"))),
        printed(
            "zone",
            "Exists",
            "a",
            'values: Invalid value: ["a"]: values set must be empty for exists and does not exist',
        ),
    ),
    (
        "on clusters whose labels are like others",
        pick_n(**required(labelled("zone", "Like", "a"))),
        printed("zone", "Like", "a", '"Like" is not a valid label selector operator'),
    ),
    (
        "on clusters of a bad label",
        pick_n(**required(labelled("a b", "Exists"))),
        printed("a b", "Exists", "", f"key: Invalid value: {NAME_PART}"),
    ),
    (
        "on clusters of a bad value",
        pick_n(**required(labelled("zone", "In", "a", "b c"))),
        printed("zone", "In", "a b c", "values[1][zone]: Invalid value: a valid label must"),
    ),
    (
        "on clusters of a bad pair",
        pick_n(**required({"labelSelector": {"matchLabels": {"zone": "a b"}}})),
        (
            "map[string]string{zone: a b,},MatchExpressions:[]LabelSelectorRequirement{},}"
            " is invalid: values[0][zone]: Invalid value: a valid label must"
        ),
    ),
    ("on clusters by labels", pick_n(**required(labelled("zone", "In", "a", "b"))), TAKEN),
]
AFFINITIES: Final[list[Case]] = [
    ("of no policy", {}, TAKEN),
    ("by a quantity", pick_n(**required(LABELS | comparing(values=["1.5Gi"]))), TAKEN),
    (
        "by an unknown operator",
        pick_n(**required(LABELS, comparing(operator="Like"))),
        f"{REQUIREMENT}unsupported operator Like",
    ),
    (
        "by no value",
        pick_n(**required(comparing(values=[]))),
        f"{REQUIREMENT}operator Ge requires exactly one value, got 0",
    ),
    (
        "by what is no quantity",
        pick_n(**required(comparing(values=["many"]))),
        f'{REQUIREMENT}value "many" is not a valid resource.Quantity: quantities must match',
    ),
    (
        "that sorts what it requires",
        pick_n(**required({"propertySorter": {"name": "n", "sortOrder": "Ascending"}})),
        f"{INVALID}PropertySorter is not allowed for Required",
    ),
    ("that sorts what it likes", sorting("n"), TAKEN),
    (
        "that compares what it likes",
        pick_n(**likes(comparing())),
        f"{INVALID}PropertySelector is not allowed for Preferred",
    ),
    (
        "that likes some of all",
        policy(**likes(LABELS)),
        (
            f"{INVALID}PreferredDuringSchedulingIgnoredDuringExecution will be ignored for"
            " placement policy type PickAll"
        ),
    ),
    ("that requires and likes", pick_n(**likes({})), TAKEN),
]
PROPERTIES: Final[list[Case]] = [
    *(
        (f"by the property {name}", named(name), TAKEN)
        for name in (
            "kubernetes-fleet.io/node-count",
            f"{RESOURCES}/total-cpu",
            f"{RESOURCES}/available-nvidia.com/gpu",
            f"{RESOURCES}/allocatable-nvidia.com/mig-1g.5gb",
            f"{RESOURCES}/total-ephemeral-storage",
            "kubernetes.azure.com/vm-sizes/Standard_NC24ads_A100_v4/count",
        )
    ),
    ("that sorts by GPUs", sorting(f"{RESOURCES}/available-nvidia.com/gpu"), TAKEN),
    (
        "by a resource of no capacity",
        named(f"{RESOURCES}/cpu"),
        (
            f"{PROPERTY}{RESOURCES}/cpu: invalid resource property name {RESOURCES}/cpu,"
            " expected format is [PREFIX]/[CAPACITY_TYPE]-[RESOURCE_NAME]"
        ),
    ),
    (
        "by a resource of an unknown capacity",
        named(f"{RESOURCES}/free-cpu"),
        (
            f"{PROPERTY}{RESOURCES}/free-cpu: invalid capacity type in resource property name"
            f" {RESOURCES}/free-cpu, supported values are [allocatable available total]"
        ),
    ),
    (
        "by a resource of a bad name",
        named(f"{RESOURCES}/total-a b"),
        (
            f"{PROPERTY}{RESOURCES}/total-a b: property name {RESOURCES}/total-a b is not valid:"
            f" {NAME_PART}"
        ),
    ),
    (
        "by a bad name",
        named("a b"),
        f"{PROPERTY}a b: property name a b is not valid: {NAME_PART}",
    ),
    (
        "by a bad first segment",
        named("a b/c"),
        (
            f"{PROPERTY}a b/c: property name first segment a b is not valid: it is neither a valid"
            " DNS subdomain (a lowercase RFC 1123 subdomain must consist of"
        ),
    ),
    (
        "by a bad segment",
        named("a/b c"),
        f"{PROPERTY}a/b c: property name segment b c is not valid: {NAME_PART}",
    ),
    (
        "that sorts by a bad name",
        sorting("a b"),
        f"{INVALID}property name a b is not valid: {NAME_PART}",
    ),
]
CONFLICTS: Final[list[Case]] = [
    ("of 2 to 2", all_of(("Ge", "2"), ("Le", "2"), ("Eq", "2000m"), ("Ne", "3")), TAKEN),
    ("of 1 and 2", all_of(("Eq", "1"), ("Eq", "2")), "conflicting Eq values 1 and 2"),
    (
        "of 1 and not 1",
        all_of(("Eq", "1"), ("Ne", "1000m")),
        f"{INCONSISTENT}conflicting Eq and Ne on same value 1",
    ),
    (
        "of more than 3 and less than 2",
        all_of(("Gt", "1"), ("Gt", "3"), ("Lt", "2"), ("Le", "4")),
        f"{INCONSISTENT}lower bound (3) and upper bound (2) exclude all values",
    ),
    (
        "of more than 2 and at most 2",
        all_of(("Gt", "2"), ("Ge", "2"), ("Le", "2")),
        f"{INCONSISTENT}lower bound (2) and upper bound (2) exclude all values",
    ),
    (
        "of 1 and at least 2",
        all_of(("Eq", "1"), ("Ge", "2")),
        f"{INCONSISTENT}eq value 1 violates lower bound 2",
    ),
    (
        "of 3 and less than 3",
        all_of(("Eq", "3"), ("Lt", "3")),
        f"{INCONSISTENT}eq value 3 violates upper bound 3",
    ),
]
UNIQUE: Final = "cluster names must be unique for policy type PickFixed"
MEMBER: Final = (
    "PickFixed cluster name A is not a valid member name: a lowercase RFC 1123 subdomain"
)
LONG: Final = "n" * 64
NAMES: Final[list[Case]] = [
    ("on eu and us", policy("PickFixed", clusterNames=["eu", "us"]), TAKEN),
    ("on A", policy("PickFixed", clusterNames=["A"]), INVALID + MEMBER),
    (
        "on one of a long name",
        policy("PickFixed", clusterNames=[LONG]),
        f"{INVALID}PickFixed cluster name {LONG} cannot have length exceeding 63",
    ),
    ("on eu twice", policy("PickFixed", clusterNames=["eu", "eu"]), INVALID + UNIQUE),
    ("on A twice", policy("PickFixed", clusterNames=["A", "A"]), f"{INVALID}[{MEMBER}"),
    ("on A twice, as twice", policy("PickFixed", clusterNames=["A", "A"]), f", {UNIQUE}]"),
]
TOLERATED: Final[Manifest] = {"key": "gpu", "value": "a100"}
TOLERATIONS: Final[list[Case]] = [
    ("that tolerates all", tolerating({"operator": "Exists"}), TAKEN),
    ("that tolerates two", tolerating(TOLERATED, TOLERATED | {"value": "h100"}), TAKEN),
    (
        "that tolerates twice",
        tolerating(TOLERATED, TOLERATED),
        (
            f"{INVALID}toleration {{Key:gpu Operator:Equal Value:a100 Effect:}} already exists,"
            " tolerations must be unique"
        ),
    ),
    (
        "that tolerates a bad key",
        tolerating(TOLERATED | {"key": "a b"}),
        f"{INVALID}invalid toleration key {{Key:a b Operator:Equal Value:a100 Effect:}}: name part",
    ),
    (
        "that tolerates a bad value",
        tolerating(TOLERATED | {"value": "a b"}),
        f"{INVALID}invalid toleration value {{Key:gpu Operator:Equal Value:a b Effect:}}: a valid",
    ),
]
STRATEGIES: Final[list[Case]] = [
    ("rolled out by others", strategy(type="External"), TAKEN),
    (
        "rolled out by others at a pace",
        strategy(type="External", rollingUpdate={}),
        f"{UNROLLED}rollingUpdateConifg is not valid for ExternalRollout strategy type",
    ),
    ("rolled out by three", rolling(maxSurge=3, maxUnavailable=0), TAKEN),
    *(
        (
            f"with {field} -1",
            rolling(**{field: -1}),
            f"{UNROLLED}{field} must be greater than or equal to 0, got `-1`",
        )
        for field in ("maxSurge", "maxUnavailable")
    ),
    (
        "applied by the server",
        applying(type="ServerSideApply", serverSideApplyConfig={"force": True}),
        TAKEN,
    ),
    (
        "applied by the client with force",
        applying(serverSideApplyConfig={"force": True}),
        f"{UNROLLED}serverSideApplyConfig is only valid for ServerSideApply strategy type",
    ),
]
BOUNDS: Final = [(("Ge", "1"), ("Le", "9"), ("Ne", "10"))[number % 3] for number in range(50)]
LARGE: Final[list[Case]] = [
    (
        "by 10 terms of 50 comparisons",
        pick_n(
            **required(
                *[
                    labelled("zone", "In", *["a" * 60] * 20)
                    | {
                        "propertySelector": {
                            "matchExpressions": [
                                {"name": "nodes", "operator": how, "values": [value]}
                                for how, value in BOUNDS
                            ]
                        }
                    }
                ]
                * 10
            )
        ),
        TAKEN,
    ),
    (
        "that tolerates 100",
        tolerating(*({"key": f"example.com/{n}", "value": "v" * 60} for n in range(100))),
        TAKEN,
    ),
    ("on 100", policy("PickFixed", clusterNames=[f"cluster-{n}" for n in range(100)]), TAKEN),
]
"""What is good, however much there is to look at."""
TABLE: Final = (
    *LARGE,
    *SELECTORS,
    *AFFINITIES,
    *PROPERTIES,
    *CONFLICTS,
    *NAMES,
    *TOLERATIONS,
    *STRATEGIES,
)
FEW: Final = (*SELECTORS[:2], *CONFLICTS[:2], *NAMES[:2], *TOLERATIONS[-2:], *STRATEGIES[:2])
"""Of the other kind, which the same policy is for."""
ALL: Final = tolerating(TOLERATED)
FIXED: Final = policy("PickFixed", clusterNames=["eu"])
MORE: Final = tolerating(TOLERATED, TOLERATED | {"key": "spot"})
KEPT: Final = "only additions to tolerations are allowed"
CHANGES: Final[list[Change]] = [
    ("a policy of all where there was none", {}, policy(), TAKEN),
    ("a policy of some where there was none", {}, FIXED, "request: placement type is immutable"),
    ("one more toleration", ALL, MORE, TAKEN),
    ("a toleration less", MORE, ALL, f"tolerations have been updated/deleted, {KEPT}"),
    ("another toleration", ALL, tolerating(TOLERATED | {"value": "h100"}), KEPT),
]


def rows() -> Iterator[Row]:
    yield from specs(CLUSTER, "v1beta1", TABLE, WHOLE)
    yield from specs(NAMESPACED, "v1", FEW, WHOLE)
    yield from changes(CLUSTER, "v1beta1", CHANGES, WHOLE)
    # KubeFleet asks nobody about changes of these.
    free: list[Change] = [(what, old, new, TAKEN) for what, old, new, _ in CHANGES]
    yield from changes(NAMESPACED, "v1beta1", free, WHOLE)
    for kind, short in ((CLUSTER, "CRP"), (NAMESPACED, "RP")):
        long = written(kind, "v1beta1", WHOLE, LONG)
        said = f"deny create/update v1beta1 {short} has invalid fields the name field cannot have"
        yield Row("of a long name", long, f"{said} length exceeding 63")
    both = written(CLUSTER, "v1beta1", WHOLE | rolling(maxSurge=-1), LONG)
    said = (
        "has invalid fields [the name field cannot have length exceeding 63, the rollout Strategy"
    )
    yield Row("of a long name and more", both, f"{said} field  is invalid: maxSurge must be")


ROWS: Final = tuple(rows())
