"""What of an object wakes whom: what it is about, and not what is said of it."""

from typing import Any

import pytest

from fleet.api.binding import ClusterResourceBinding
from hub.parts import asked, decided, ready

AVAILABLE = {
    "type": "Available",
    "status": "True",
    "reason": "AllWorkAreAvailable",
    "observedGeneration": 2,
    "lastTransitionTime": "2026-01-01T00:00:00Z",
}


def binding(*, version: str = "5", generation: int = 2, **changed: Any) -> ClusterResourceBinding:
    spec = {
        "state": "Bound",
        "targetCluster": "us",
        "resourceSnapshotName": "chat-0-snapshot",
        "clusterDecision": {"clusterName": "us", "selected": True, "reason": "picked"},
        **changed,
    }
    metadata = {"name": "chat-us", "resourceVersion": version, "generation": generation}
    shape = {"metadata": metadata, "spec": spec, "status": {"conditions": [AVAILABLE]}}
    return ClusterResourceBinding.model_validate(shape)


def test_a_version_and_a_status_are_not_what_is_asked() -> None:
    silent = binding(version="6").model_copy(update={"status": type(binding().status)()})
    assert asked(silent) == asked(binding())
    assert asked(binding(generation=3)) != asked(binding())
    assert asked(binding(targetCluster="eu")) != asked(binding())


@pytest.mark.parametrize(
    ("changed", "concerns"),
    [
        ({"resourceSnapshotName": "chat-1-snapshot"}, False),
        ({"applyStrategy": {"type": "ServerSideApply"}}, False),
        ({"state": "Unscheduled"}, True),
        ({"schedulingPolicySnapshotName": "chat-1"}, True),
    ],
    ids=["resources", "the way they are applied", "the state", "the policy"],
)
def test_scheduling_goes_by_all_but_the_resources(
    changed: dict[str, Any], *, concerns: bool
) -> None:
    new = binding(version="6", generation=3, **changed)
    assert (decided(new) != decided(binding())) is concerns


def test_a_binding_is_ready_of_its_own_generation_alone() -> None:
    assert ready(binding())
    assert not ready(binding(generation=3))
