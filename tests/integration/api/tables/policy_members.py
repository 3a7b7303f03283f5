"""What the hub's policies refuse of members and the CRDs take: words of KubeFleet's webhooks."""

from collections.abc import Iterator
from typing import Final

from tests.integration.api.rows import TAKEN, Case, Manifest, Row, specs, written
from tests.integration.api.tables import cluster
from tests.integration.api.tables.cluster import tainted

KEY: Final[Manifest] = {"key": "gpu", "effect": "NoSchedule"}
MEMBERS: Final[list[Case]] = [
    ("with two taints", tainted(KEY, KEY | {"value": "a100"}), TAKEN),
    ("with 100 taints", tainted(*(KEY | {"value": f"v{n}"} for n in range(100))), TAKEN),
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


def rows() -> Iterator[Row]:
    yield from specs(cluster.MEMBER, "v1", MEMBERS, cluster.JOINING)
    base = written(cluster.MEMBER, "v1", cluster.JOINING)
    twice = tainted(KEY, KEY)
    yield Row("tainted twice later", base, "taints must be unique", {"spec": twice})
    labels = {"metadata": {"labels": {"more": "of-it"}}}
    yield Row("of another label alone", base, change=labels)


ROWS: Final = tuple(rows())
