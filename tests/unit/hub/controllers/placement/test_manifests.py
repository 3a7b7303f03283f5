"""What of an object goes to a member: what its user wrote, and nothing that the hub added."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.controllers.placement.plan.manifests import clean, identify, order, split


def body(kind: str, api: str = "v1", **parts: Any) -> dict[str, Any]:
    metadata = {"name": "x", "namespace": "demo", **parts.pop("metadata", {})}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **parts}


SERVERS = {
    "uid": "u",
    "resourceVersion": "7",
    "generation": 3,
    "creationTimestamp": "2026-01-01T00:00:00Z",
    "managedFields": [{"manager": "kubectl"}],
    "finalizers": ["x/y"],
    "ownerReferences": [{"kind": "Gadget"}],
    "deletionGracePeriodSeconds": 0,
    "selfLink": "/x",
}


def test_what_the_server_and_kubectl_wrote_stays() -> None:
    last = {"kubectl.kubernetes.io/last-applied-configuration": "{}"}
    live = body("Gadget", metadata=SERVERS | {"annotations": last}, spec={"a": 1}, status={"b": 2})
    assert clean(live) == body("Gadget", spec={"a": 1})


def test_a_user_s_labels_and_annotations_go_along() -> None:
    mine = {"labels": {"a": "b"}, "annotations": {"c": "d"}}
    assert clean(body("Gadget", metadata=mine)) == body("Gadget", metadata=mine)


@pytest.mark.parametrize(
    ("live", "sent"),
    [
        (
            body(
                "Service",
                spec={
                    "clusterIP": "10.0.0.9",
                    "clusterIPs": ["10.0.0.9"],
                    "healthCheckNodePort": 31000,
                    "ports": [{"port": 80, "nodePort": 30080}],
                    "selector": {"a": "b"},
                },
            ),
            body("Service", spec={"ports": [{"port": 80}], "selector": {"a": "b"}}),
        ),
        (
            body("Service", spec={"clusterIP": "None", "clusterIPs": ["None"]}),
            body("Service", spec={"clusterIP": "None", "clusterIPs": ["None"]}),
        ),
        (
            body("Service", "serving.knative.dev/v1", spec={"clusterIP": "10.0.0.9"}),
            body("Service", "serving.knative.dev/v1", spec={"clusterIP": "10.0.0.9"}),
        ),
        (body("Namespace", spec={"finalizers": ["kubernetes"]}), body("Namespace")),
        (
            body("ServiceAccount", secrets=[{"name": "t"}], imagePullSecrets=[{"name": "p"}]),
            body("ServiceAccount", imagePullSecrets=[{"name": "p"}]),
        ),
        (
            body("PersistentVolumeClaim", spec={"volumeName": "pv-1", "accessModes": ["RWO"]}),
            body("PersistentVolumeClaim", spec={"accessModes": ["RWO"]}),
        ),
        (
            body(
                "Job",
                "batch/v1",
                spec={
                    "selector": {"matchLabels": {"controller-uid": "u"}},
                    "template": {
                        "metadata": {
                            "creationTimestamp": None,
                            "labels": {"controller-uid": "u", "job-name": "x", "mine": "1"},
                        },
                        "spec": {"containers": []},
                    },
                },
            ),
            body(
                "Job",
                "batch/v1",
                spec={
                    "template": {"metadata": {"labels": {"mine": "1"}}, "spec": {"containers": []}}
                },
            ),
        ),
        (
            body(
                "Job",
                "batch/v1",
                spec={"manualSelector": True, "selector": {"a": "b"}, "template": {}},
            ),
            body(
                "Job",
                "batch/v1",
                spec={
                    "manualSelector": True,
                    "selector": {"a": "b"},
                    "template": {"metadata": {}},
                },
            ),
        ),
    ],
    ids=[
        "a Service",
        "a headless Service",
        "somebody else's Service",
        "a Namespace",
        "a ServiceAccount",
        "a volume claim",
        "a Job",
        "a Job with a selector of its own",
    ],
)
def test_what_only_means_something_in_the_hub_stays(
    live: dict[str, Any], sent: dict[str, Any]
) -> None:
    before = json.dumps(live)
    assert clean(live) == sent
    assert json.dumps(live) == before


@pytest.mark.parametrize(
    ("manifest", "fields"),
    [
        (
            body("ConfigMap"),
            {"version": "v1", "kind": "ConfigMap", "name": "x", "namespace": "demo"},
        ),
        (
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}},
            {"group": "apps", "version": "v1", "kind": "Deployment", "name": "x"},
        ),
    ],
)
def test_a_manifest_is_named_with_what_it_has(
    manifest: dict[str, Any], fields: dict[str, str]
) -> None:
    assert identify(manifest).dump() == fields


manifests = st.lists(
    st.builds(
        lambda name, size: body("ConfigMap", metadata={"name": name}, data={"x": "y" * size}),
        st.text("abc", min_size=1, max_size=3),
        st.integers(0, 300),
    ),
    max_size=8,
)


@given(things=manifests, limit=st.integers(150, 600))
def test_parts_hold_everything_in_order_and_no_more_than_they_may(
    things: list[dict[str, Any]], limit: int
) -> None:
    parts = split(things, limit)
    assert [thing for part in parts for thing in part] == things
    assert all(parts) or things == []
    for part in parts:
        size = sum(len(json.dumps(thing, separators=(",", ":"))) for thing in part)
        assert size <= limit or len(part) == 1


@given(st.permutations(["Gadget", "Namespace", "Deployment", "ConfigMap", "Role", "Abacus"]))
def test_the_order_does_not_depend_on_how_objects_were_found(kinds: list[str]) -> None:
    found = sorted((body(kind) for kind in kinds), key=order)
    assert [one["kind"] for one in found] == [
        "Namespace",
        "ConfigMap",
        "Role",
        "Deployment",
        "Abacus",
        "Gadget",
    ]
