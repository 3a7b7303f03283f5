"""What a person sees of each kind: one object each, as a golden."""

from datetime import UTC, datetime
from typing import Any

import pytest

from cli.get.nouns import NOUNS, Noun, rows

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
MADE = "2026-05-01T09:00:00Z"


def condition(kind: str, status: str = "True", reason: str = "AsItShould") -> dict[str, str]:
    return {"type": kind, "status": status, "reason": reason, "lastTransitionTime": MADE}


MEMBER = {
    "metadata": {"name": "eu", "creationTimestamp": MADE},
    "spec": {
        "identity": {"kind": "ServiceAccount", "name": "member-agent", "namespace": "x"},
        "taints": [{"key": "cordon-key", "value": "cordon-value"}, {"key": "gpu"}],
    },
    "status": {
        "region": "northeurope",
        "conditions": [condition("Joined")],
        "agentStatus": [
            {"type": "MemberAgent", "lastReceivedHeartbeat": "2026-05-01T11:59:56Z"},
        ],
        "inventory": {
            "pools": [
                {"instanceType": "a", "gpusPerNode": 4, "nodes": 2, "gpusFree": 3},
                {"instanceType": "b", "gpusPerNode": 1, "nodes": 1, "gpusFree": 1},
            ]
        },
        "gateway": {"url": "https://gateway.eu", "ready": False},
    },
}
PLACEMENT = {
    "metadata": {"name": "chat", "namespace": "models", "creationTimestamp": MADE},
    "spec": {
        "resourceSelectors": [{"group": "", "version": "v1", "kind": "ConfigMap", "name": "x"}],
        "policy": {"placementType": "PickN", "numberOfClusters": 1},
    },
    "status": {
        "conditions": [
            condition("ResourcePlacementScheduled"),
            condition("ResourcePlacementApplied", "False", "ApplyFailed"),
        ]
    },
}
BINDING = {
    "metadata": {
        "name": "chat-eu-01234567",
        "labels": {"kubernetes-fleet.io/parent-CRP": "chat"},
        "creationTimestamp": MADE,
    },
    "spec": {
        "state": "Bound",
        "targetCluster": "eu",
        "resourceSnapshotName": "chat-0",
        "clusterDecision": {"clusterName": "eu", "selected": True, "reason": "cheapest"},
        "allocations": [
            {
                "kind": "Workspace",
                "namespace": "chat",
                "name": "phi",
                "instanceType": "Standard_NC6s_v3",
                "replicas": 2,
                "gpusPerReplica": 1,
                "usdPerHour": "6.12",
            }
        ],
    },
    "status": {"conditions": [condition("Available", "Unknown", "Silent")]},
}
WORK = {
    "metadata": {"name": "chat-work", "namespace": "fleet-member-eu", "creationTimestamp": MADE},
    "spec": {"workload": {"manifests": [{"kind": "A"}, {"kind": "B"}]}},
    "status": {"conditions": [condition("Applied"), condition("Available")]},
}
ENDPOINT = {
    "metadata": {"name": "phi-eu", "namespace": "chat", "creationTimestamp": MADE},
    "spec": {"service": "phi", "url": "https://gateway.eu/v1", "region": "northeurope"},
    "status": {
        "replicas": 2,
        "readyReplicas": 1,
        "usdPerHour": "6.12",
        "conditions": [condition("Ready")],
    },
}
SHOWN: list[tuple[Noun, int, dict[str, Any], str]] = [
    (
        Noun.MEMBERS,
        0,
        MEMBER,
        "eu | northeurope | True | 4s | 3 | 4 | not ready | cordoned, gpu | 3h",
    ),
    (
        Noun.PLACEMENTS,
        1,
        PLACEMENT,
        "models | chat | PickN | True | False (ApplyFailed) | - | 3h",
    ),
    (
        Noun.BINDINGS,
        0,
        BINDING,
        "- | chat | eu | Bound | 2 x Standard_NC6s_v3 | 6.12 | Unknown (Silent) | 3h",
    ),
    (Noun.WORKS, 0, WORK, "eu | chat-work | 2 | True | True | 3h"),
    (
        Noun.ENDPOINTS,
        0,
        ENDPOINT,
        "chat | phi-eu | phi | northeurope | 1/2 | True | 6.12 | https://gateway.eu/v1 | 3h",
    ),
]


@pytest.mark.parametrize(("noun", "kind", "body", "shown"), SHOWN, ids=[s[0] for s in SHOWN])
def test_an_object_is_one_row(noun: Noun, kind: int, body: dict[str, Any], shown: str) -> None:
    columns = NOUNS[noun]
    resource = columns.kinds[kind].model_validate(body)
    (row,) = rows(noun, [resource], NOW)
    assert " | ".join(row) == shown
    assert len(row) == len(columns.headings)


def test_rows_are_in_the_order_of_namespaces_and_names() -> None:
    kind = NOUNS[Noun.WORKS].kinds[0]
    places = [("fleet-member-us", "a"), ("fleet-member-eu", "b"), ("fleet-member-eu", "a")]
    works = [kind.model_validate({"metadata": {"namespace": n, "name": m}}) for n, m in places]
    assert [row[:2] for row in rows(Noun.WORKS, works, NOW)] == [
        ["eu", "a"],
        ["eu", "b"],
        ["us", "a"],
    ]
