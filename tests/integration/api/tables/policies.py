"""What the hub's policies refuse and the CRDs take: words of KubeFleet's webhooks."""

from collections.abc import Iterator
from typing import Final

from tests.integration.api.rows import TAKEN, Case, Manifest, Row, specs, written
from tests.integration.api.tables import cluster, placement
from tests.integration.api.tables.cluster import tainted
from tests.integration.api.tables.placement import (
    LABELS,
    comparing,
    pick_n,
    preferred,
    required,
    tolerating,
)

INVALID: Final = "the placement policy field is invalid: "
KEY: Final[Manifest] = {"key": "gpu", "effect": "NoSchedule"}
MEMBERS: Final[list[Case]] = [
    ("with two taints", tainted(KEY, KEY | {"value": "a100"}), TAKEN),
    ("with a taint of a domain", tainted(KEY | {"key": "example.com/gpu"}), TAKEN),
    (
        "with a taint twice",
        tainted(KEY, KEY),
        "taint {Key:gpu Value: Effect:NoSchedule} already exists, taints must be unique",
    ),
    (
        "with a taint of a bad key",
        tainted(KEY, KEY | {"key": "a b"}),
        "invalid taint key {Key:a b Value: Effect:NoSchedule}: name part must consist of",
    ),
    (
        "with a taint of a long key",
        tainted(KEY | {"key": "k" * 64}),
        f"invalid taint key {{Key:{'k' * 64} Value: Effect:NoSchedule}}: name part must be no more",
    ),
    (
        "with a taint of a bad value",
        tainted(KEY | {"value": "a b"}),
        "invalid taint value {Key:gpu Value:a b Effect:NoSchedule}: a valid label must be an empty",
    ),
    ("of a user", {"identity": {"kind": "User", "name": "a"}}, TAKEN),
    (
        "of a ServiceAccount",
        {"identity": {"kind": "ServiceAccount", "name": "a", "namespace": "fleet"}},
        TAKEN,
    ),
    (
        "of a ServiceAccount of no namespace",
        {"identity": {"kind": "ServiceAccount", "name": "a"}},
        "spec.identity.namespace: a ServiceAccount is named together with its namespace",
    ),
    (
        "of a robot",
        {"identity": {"kind": "Robot", "name": "a"}},
        "spec.identity.kind: an agent is a User, a Group or a ServiceAccount",
    ),
]
TOLERATED: Final[Manifest] = {"key": "gpu", "value": "a100"}
SORTED: Final = {"propertySorter": {"name": "n", "sortOrder": "Ascending"}}
PLACEMENTS: Final[list[Case]] = [
    ("of no policy", {}, TAKEN),
    ("by a quantity", pick_n(**required(LABELS | comparing(values=["1.5Gi"]))), TAKEN),
    (
        "by an unknown operator",
        pick_n(**required(LABELS, comparing(operator="Like"))),
        f"{INVALID}unsupported operator Like",
    ),
    (
        "by no value",
        pick_n(**required(comparing(values=[]))),
        f"{INVALID}operator Ge requires exactly one value, got 0",
    ),
    (
        "by what is no quantity",
        pick_n(**required(comparing(values=["many"]))),
        f'{INVALID}value "many" is not a valid resource.Quantity: quantities must match',
    ),
    (
        "that sorts what it requires",
        pick_n(**required(SORTED)),
        f"{INVALID}PropertySorter is not allowed for Required",
    ),
    ("that sorts what it likes", pick_n(**preferred({"weight": 1, "preference": SORTED})), TAKEN),
    (
        "that compares what it likes",
        pick_n(**preferred({"weight": 1, "preference": comparing()})),
        f"{INVALID}PropertySelector is not allowed for Preferred",
    ),
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


def rows() -> Iterator[Row]:
    yield from specs(cluster.MEMBER, "v1", MEMBERS, cluster.JOINING)
    for kind in (placement.CLUSTER, placement.NAMESPACED):
        yield from specs(kind, "v1beta1", PLACEMENTS, placement.WHOLE)
    base = written(cluster.MEMBER, "v1", cluster.JOINING)
    twice = tainted(KEY, KEY)
    yield Row("tainted twice later", base, "taints must be unique", {"spec": twice})
    labels = {"metadata": {"labels": {"more": "of-it"}}}
    yield Row("of another label alone", base, change=labels)


ROWS: Final = tuple(rows())
