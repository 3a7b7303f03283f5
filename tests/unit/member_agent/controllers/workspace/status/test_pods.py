"""Why pods are not ready: each of KAITO's reasons, in words that help."""

from typing import Any

import pytest

from fleet.api.core import Pod
from member_agent.controllers.workspace.status.pods import trouble


def pod(name: str = "phi-0", *, container: dict[str, Any] | None = None, **status: Any) -> Pod:
    containers = [{"name": "phi", **container}] if container is not None else []
    return Pod.model_validate(
        {
            "metadata": {"name": name, "namespace": "demo"},
            "status": {"containerStatuses": containers, **status},
        }
    )


def waiting(reason: str, **more: Any) -> dict[str, Any]:
    return {"state": {"waiting": {"reason": reason, **more}}}


def ended(reason: str, code: int, **more: Any) -> dict[str, Any]:
    return {"terminated": {"reason": reason, "exitCode": code, **more}}


UNSCHEDULABLE = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/3 nodes are available",
}
CRASHED = {"lastState": ended("Error", 1, message="  no\nGPU  "), "restartCount": 1}
MEMORY = {"lastState": ended("OOMKilled", 137), "restartCount": 2}
TROUBLES: list[tuple[Pod, str, str]] = [
    (
        pod(reason="Evicted", message="disk pressure"),
        "PodEvicted",
        "pod phi-0 was evicted: disk pressure",
    ),
    (
        pod(conditions=[UNSCHEDULABLE]),
        "Unschedulable",
        "pod phi-0 finds no node: 0/3 nodes are available",
    ),
    (
        pod(container=waiting("ImagePullBackOff", message="no such image")),
        "ImagePullError",
        "pod phi-0, container phi: no such image",
    ),
    (
        pod(container=waiting("ErrImagePull")),
        "ImagePullError",
        "pod phi-0, container phi: ErrImagePull",
    ),
    (
        pod(container=waiting("InvalidImageName")),
        "ImagePullError",
        "pod phi-0, container phi: InvalidImageName",
    ),
    (
        pod(container=waiting("CreateContainerConfigError", message="no secret")),
        "ContainerStartError",
        "pod phi-0, container phi: no secret",
    ),
    (
        pod(container=waiting("RunContainerError")),
        "ContainerStartError",
        "pod phi-0, container phi: RunContainerError",
    ),
    (
        pod(container=waiting("CrashLoopBackOff") | CRASHED),
        "ContainerCrashLoopBackOff",
        "pod phi-0, container phi ended with exit code 1 (no GPU); restarted 1 time",
    ),
    (
        pod(container={"state": ended("Error", 2)}),
        "ContainerCrashLoopBackOff",
        "pod phi-0, container phi ended with exit code 2 (Error); restarted 0 times",
    ),
    (
        pod(container=waiting("CrashLoopBackOff")),
        "ContainerCrashLoopBackOff",
        "pod phi-0, container phi ended with exit code unknown; restarted 0 times",
    ),
    (
        pod(container=waiting("CrashLoopBackOff") | MEMORY),
        "ContainerOOMKilled",
        "pod phi-0, container phi ran out of memory; restarted 2 times",
    ),
]


@pytest.mark.parametrize(("found", "reason", "message"), TROUBLES)
def test_a_pods_trouble_is_told(found: Pod, reason: str, message: str) -> None:
    assert trouble([found]) == (reason, message)


@pytest.mark.parametrize(
    "found",
    [
        pod(),
        pod(container=waiting("ContainerCreating")),
        pod(container=waiting("PodInitializing")),
        pod(container={"ready": True, "lastState": ended("OOMKilled", 137)}),
        pod(container={"state": {"running": {}}}),
        pod(conditions=[{"type": "PodScheduled", "status": "True"}]),
    ],
    ids=[
        "nothing yet",
        "being made",
        "preparing",
        "it has recovered",
        "it starts",
        "it has a node",
    ],
)
def test_a_pod_that_only_takes_its_time_is_in_no_trouble(found: Pod) -> None:
    assert trouble([found]) is None


def test_the_first_pod_by_name_speaks() -> None:
    second = pod("phi-1", container=waiting("ErrImagePull"))
    first = pod("phi-0", reason="Evicted", message="x")
    found = trouble([second, first, pod("phi-2")])
    assert found
    assert found.reason == "PodEvicted"
