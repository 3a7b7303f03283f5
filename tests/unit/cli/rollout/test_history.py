"""What is shown of a placement's snapshots: goldens."""

from typing import Any

from cli.rollout.history import revisions
from fleet.api import names
from fleet.api.binding import ClusterResourceBinding
from fleet.api.snapshot import ClusterResourceSnapshot
from fleet.api.staged_update import ClusterStagedUpdateRun
from tests.unit.cli.rollout.bodies import GOING, NOON, PLANNED, ago, binding, run


def snapshot(index: int, *manifests: Any, part: int | None = None) -> ClusterResourceSnapshot:
    labels = {names.PARENT: "chat", names.RESOURCE_INDEX: str(index)}
    name = "snapshot" if part is None else str(part)
    return ClusterResourceSnapshot.model_validate(
        {
            "metadata": {
                "name": f"chat-{index}-{name}",
                "creationTimestamp": ago(hours=4 - index),
                "labels": labels | ({names.LATEST: "true"} if index == 3 else {}),
                "annotations": {} if part is None else {names.SUBINDEX: str(part)},
            },
            "spec": {"selectedResources": list(manifests)},
        }
    )


def config(**data: str) -> dict[str, Any]:
    metadata = {"name": "engine", "namespace": "chat"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "chat"}}
SNAPSHOTS = [
    snapshot(3, config(**{f"k{i}": "new" for i in range(6)}), part=0),
    snapshot(3, NAMESPACE),
    snapshot(1, NAMESPACE),
    snapshot(2, NAMESPACE, config(k0="old")),
]
BINDINGS = [
    ClusterResourceBinding.model_validate(binding(name, index))
    for name, index in (("us", 3), ("eu", 2), ("apac", 2))
]
RUNS = [ClusterStagedUpdateRun.model_validate(run(PLANNED, GOING))]
FOUND = revisions(SNAPSHOTS, BINDINGS, RUNS)


def test_each_snapshot_says_who_has_it_what_brings_it_and_what_changed() -> None:
    assert [found.row(NOON, wide=False) for found in FOUND] == [
        ("1", "3h", "-", "-", "-"),
        ("2", "2h", "apac, eu", "-", "ConfigMap chat/engine added"),
        (
            "3 (newest)",
            "60m",
            "us",
            "chat-2 (updating)",
            "ConfigMap chat/engine: data.k0, data.k1, data.k2, data.k3 and 2 more",
        ),
    ]
    wide = FOUND[2].row(NOON, wide=True)[-1].splitlines()
    assert len(wide) == 6
    assert wide[:2] == [
        "ConfigMap chat/engine data.k0: 'old' -> 'new'",
        "ConfigMap chat/engine data.k1: None -> 'new'",
    ]


def test_programs_get_it_whole() -> None:
    third = FOUND[2].document()
    (change,) = third.pop("changes")
    assert third == {
        "index": 3,
        "created": "2026-05-01T11:00:00+00:00",
        "newest": True,
        "clusters": ["us"],
        "runs": [{"name": "chat-2", "state": "updating"}],
    }
    assert change["fields"][0] == {"path": "data.k0", "before": "old", "after": "new"}
