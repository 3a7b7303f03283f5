"""What a member says of a workload, and when it is not believed."""

import pytest

from fleet.api.conditions import find
from fleet.api.work import Work
from fleet.api.workspace import UPDATING, WorkspaceState, WorkspaceStatus
from fleet.testing.workloads import condition, work, workspace
from hub.workloads import WorkloadRef, reported

STATUS = {
    "state": "Ready",
    "conditions": [
        condition("InferenceReady", "True"),
        condition("ResourceReady", "True"),
        condition("WorkspaceSucceeded", "True"),
    ],
}


def _said(available: str) -> WorkspaceStatus:
    phi = workspace()
    body = work("us", phi, STATUS).manifest()
    found = condition("Available", available, message="it has not seen its config yet")
    body["status"]["manifestConditions"][0]["conditions"] = [found]
    status = reported(WorkloadRef.of(phi), Work.model_validate(body))
    assert isinstance(status, WorkspaceStatus)
    return status


@pytest.mark.parametrize("available", ["True", "Unknown"])
def test_a_readiness_is_believed(available: str) -> None:
    assert _said(available) == WorkspaceStatus.model_validate(STATUS)


def test_a_readiness_of_before_the_last_change_is_doubted() -> None:
    status = _said("False")
    for kind in ("InferenceReady", "WorkspaceSucceeded"):
        told = find(status.conditions, kind)
        assert told
        assert (told.status, told.reason) == ("False", UPDATING)
        assert told.message == "it has not seen its config yet"
    nodes = find(status.conditions, "ResourceReady")
    assert nodes
    assert nodes.true
    assert status.state is WorkspaceState.NOT_READY
