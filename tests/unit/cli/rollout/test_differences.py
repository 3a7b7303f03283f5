"""What differs between two snapshots: objects, fields, and never what a Secret holds."""

from typing import Any

import pytest

from cli.rollout.differences import Field, changes

Manifest = dict[str, Any]


def manifest(kind: str, name: str, namespace: str = "", **body: Any) -> Manifest:
    metadata = {"name": name, "namespace": namespace} if namespace else {"name": name}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **body}


def test_objects_come_go_and_change_in_the_order_of_kinds_and_names() -> None:
    same, gone = manifest("Namespace", "chat"), manifest("ConfigMap", "old", "chat")
    before = [same, gone, manifest("ConfigMap", "b", "chat", data={"x": "1"})]
    after = [manifest("Service", "web", "chat"), manifest("ConfigMap", "b", "chat"), same]
    assert [(str(c.identity), str(c.how)) for c in changes(before, after)] == [
        ("ConfigMap chat/b", "changed"),
        ("ConfigMap chat/old", "removed"),
        ("Service chat/web", "added"),
    ]


CONTAINERS = {"containers": [{"name": "engine", "args": ["a"]}, {"name": "side"}]}


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"replicas": 1}, {"replicas": 2}, [("spec.replicas", 1, 2)]),
        ({}, {"a": {"b": 1}}, [("spec.a", None, {"b": 1})]),
        ({"a.b/c": 1}, {"a.b/c": 2}, [("spec[a.b/c]", 1, 2)]),
        (
            CONTAINERS,
            {"containers": [{"name": "side"}, {"name": "engine", "args": ["b"]}]},
            [("spec.containers[engine].args[0]", "a", "b")],
        ),
        (
            CONTAINERS,
            {"containers": [CONTAINERS["containers"][0]]},
            [("spec.containers[side]", {"name": "side"}, None)],
        ),
        ({"args": ["a"]}, {"args": ["a", "b"]}, [("spec.args", ["a"], ["a", "b"])]),
        ({"a": [1, {"b": 1}]}, {"a": [1, {"b": 2}]}, [("spec.a[1].b", 1, 2)]),
        ({"a": {"b": 1}}, {"a": [1]}, [("spec.a", {"b": 1}, [1])]),
        ({"a": 1}, {"a": 1}, []),
    ],
)
def test_a_field_is_named_by_its_path_with_what_it_was_and_is(
    before: Manifest, after: Manifest, found: list[tuple[str, Any, Any]]
) -> None:
    old, new = manifest("Thing", "x", spec=before), manifest("Thing", "x", spec=after)
    fields = [field for change in changes([old], [new]) for field in change.fields]
    assert fields == [Field(*one) for one in found]


@pytest.mark.parametrize("wrapped", [False, True])
def test_of_a_secret_the_fields_are_named_and_their_values_are_not(wrapped: bool) -> None:
    def secret(value: str) -> Manifest:
        made = manifest("Secret", "token", "chat", data={"key": value})
        made["metadata"]["annotations"] = {"seen": value}
        return manifest("ResourceEnvelope", "e", "chat", data={"a": made}) if wrapped else made

    (change,) = changes([secret("b2xk")], [secret("bmV3")])
    prefix = "data.a." if wrapped else ""
    paths = [{"path": f"{prefix}data.key"}, {"path": f"{prefix}metadata.annotations.seen"}]
    assert change.document()["fields"] == paths
