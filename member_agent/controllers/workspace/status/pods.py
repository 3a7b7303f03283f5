"""Why pods are not ready, in KAITO's reasons and in words that help. Pure."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

from fleet.api.core import ContainerStatus, Pod
from fleet.api.workspace import UPDATING


class Reason(StrEnum):
    PENDING = "WorkspaceInferenceStatusPending"
    READY = "WorkspaceInferenceStatusSuccess"
    UPDATING = UPDATING
    IMAGE = "ImagePullError"
    CRASHES = "ContainerCrashLoopBackOff"
    MEMORY = "ContainerOOMKilled"
    START = "ContainerStartError"
    EVICTED = "PodEvicted"
    UNSCHEDULABLE = "Unschedulable"


class Trouble(NamedTuple):
    reason: Reason
    message: str


WAITING: Final[Mapping[str, Reason]] = {
    "ErrImagePull": Reason.IMAGE,
    "ImagePullBackOff": Reason.IMAGE,
    "InvalidImageName": Reason.IMAGE,
    "CrashLoopBackOff": Reason.CRASHES,
    "CreateContainerConfigError": Reason.START,
    "CreateContainerError": Reason.START,
    "RunContainerError": Reason.START,
}
OUT_OF_MEMORY: Final = "OOMKilled"


def trouble(pods: Iterable[Pod]) -> Trouble | None:
    """Find the first pod, by name, that is in trouble."""
    found = (_of_pod(pod) for pod in sorted(pods, key=lambda pod: pod.name))
    return next((item for item in found if item), None)


def _of_pod(pod: Pod) -> Trouble | None:
    if pod.status.reason == "Evicted":
        return Trouble(Reason.EVICTED, f"pod {pod.name} was evicted: {pod.status.message}")
    for condition in pod.status.conditions:
        if condition.type == "PodScheduled" and condition.reason == "Unschedulable":
            told = condition.message or "no node fits"
            return Trouble(Reason.UNSCHEDULABLE, f"pod {pod.name} finds no node: {told}")
    found = (_of_container(pod.name, status) for status in pod.status.container_statuses)
    return next((item for item in found if item), None)


def _of_container(pod: str, status: ContainerStatus) -> Trouble | None:
    if status.ready:
        return None
    where = f"pod {pod}, container {status.name}"
    last = _ended(status)
    if last.get("reason") == OUT_OF_MEMORY:
        return Trouble(Reason.MEMORY, f"{where} ran out of memory; {_restarts(status)}")
    waiting = status.state.get("waiting") or {}
    reason = WAITING.get(waiting.get("reason", ""))
    if reason is Reason.CRASHES or (last.get("exitCode") and reason is None):
        return Trouble(Reason.CRASHES, f"{where} ended with {_exit(last)}; {_restarts(status)}")
    if reason:
        told = waiting.get("message") or waiting["reason"]
        return Trouble(reason, f"{where}: {told}")
    return None


def _ended(status: ContainerStatus) -> Mapping[str, Any]:
    return status.state.get("terminated") or status.last_state.get("terminated") or {}


def _exit(last: Mapping[str, Any]) -> str:
    told = last.get("message") or last.get("reason") or ""
    code = last.get("exitCode", "unknown")
    return f"exit code {code}" + (f" ({' '.join(told.split())})" if told else "")


def _restarts(status: ContainerStatus) -> str:
    count = status.restart_count
    return f"restarted {count} time{'' if count == 1 else 's'}"
