"""Pods, records and moments for tests of the node runner."""

from datetime import UTC, datetime, timedelta
from typing import Any

from cli.local.runner.pods import Container, Pod
from cli.local.runner.records import Ending, Record, Run, Stopping

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
IMAGE = "vllm/vllm-openai"
PROBE = {"httpGet": {"path": "/health", "port": 5000}}


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def manifest(name: str = "phi-0", **parts: Any) -> dict[str, Any]:
    """Give a pod bound to a node; `container`, `spec`, `metadata` and `status` add to it."""
    container = {"name": "engine", "image": f"{IMAGE}:v1"} | parts.get("container", {})
    metadata = {"name": name, "namespace": "default", "uid": "u1"} | parts.get("metadata", {})
    spec = {"nodeName": "gpu-0", "containers": [container]} | parts.get("spec", {})
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": spec,
        "status": parts.get("status", {}),
    }


def pod(name: str = "phi-0", **parts: Any) -> Pod:
    return Pod.model_validate(manifest(name, **parts))


def leaving(seconds: float = 30, **parts: Any) -> Pod:
    """Give a pod that is being deleted and has so many seconds left at noon."""
    deletion = {"deletionTimestamp": at(seconds), "deletionGracePeriodSeconds": 30}
    return pod(metadata=deletion | parts.pop("metadata", {}), **parts)


def engine(**parts: Any) -> Container:
    return pod(container=parts).spec.containers[0]


def run(number: int = 0, *, code: int | None = None, ended: float = 0, stops: float = -1) -> Run:
    """Give a run that began an hour ago, ended so, or was told to end until then."""
    return Run(
        number=number,
        pid=4242,
        started="boot/1",
        started_at=at(-3600),
        stopping=Stopping(at(stops), "why") if stops >= 0 else None,
        ended=None if code is None else Ending(code, "Error" if code else "Completed", at(ended)),
    )


def record(now: Run | None = None, *, before: Run | None = None, crashes: int = 0) -> Record:
    return Record("u1", "default", "phi-0", "127.1.0.1", at(-3600), now, before, crashes)
