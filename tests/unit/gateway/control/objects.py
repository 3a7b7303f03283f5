"""Services, endpoints and pods as the API has them, and the routes that are made of them."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

import msgspec

from fleet.api import names
from fleet.api.core import Pod
from fleet.api.objects import Resource
from fleet.api.service import ModelEndpoint, ModelService
from fleet.testing.workloads import NOON, condition
from gateway.control import build, kinds
from gateway.snapshot import Snapshot

K = TypeVar("K", bound=kinds.Kind)
NAMESPACE = "demo"


def fleet_routes(
    services: Iterable[ModelService],
    endpoints: Iterable[ModelEndpoint],
    gateways: Mapping[str, str],
) -> Snapshot:
    services_, endpoints_ = (
        _read(kinds.ModelService, services),
        _read(kinds.ModelEndpoint, endpoints),
    )
    return build.fleet_routes(services_, endpoints_, gateways)


def pod_routes(pods: Iterable[Pod], region: str) -> Snapshot:
    return build.pod_routes(_read(kinds.Pod, pods), region)


def _read(kind: type[K], objects: Iterable[Resource]) -> list[K]:
    """Read what the API would serve, which the gateway's own kinds must understand."""
    return [
        msgspec.json.decode(msgspec.json.encode(each.manifest()), type=kind) for each in objects
    ]


def service(
    name: str = "phi",
    model: str = "",
    *aliases: str,
    namespace: str = NAMESPACE,
    age: float = 0,
    **spec: Any,
) -> ModelService:
    """Build a service that serves a model of its own name; `age` is in seconds."""
    created = NOON - timedelta(seconds=age)
    return ModelService.model_validate(
        {
            "metadata": {"name": name, "namespace": namespace, "creationTimestamp": created},
            "spec": {"model": model or name, "aliases": aliases, **spec},
        }
    )


def endpoint(
    name: str = "phi-eu",
    url: str = "https://eu.example/v1",
    *,
    namespace: str = NAMESPACE,
    ready: str = "",
    replicas: int = 0,
    **spec: Any,
) -> ModelEndpoint:
    told = [condition("Ready", ready)] if ready else []
    return ModelEndpoint.model_validate(
        {
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"service": "phi", "url": url, **spec},
            "status": {"conditions": told, "readyReplicas": replicas},
        }
    )


def pod(
    name: str = "phi-0",
    *,
    namespace: str = NAMESPACE,
    service: str = "phi",
    model: str = "phi-4",
    index: str = "0",
    ready: bool = True,
    **changes: Any,
) -> Pod:
    """Build a pod that serves; `changes` may take parts of it away."""
    labels = {names.SERVICE: service, names.POD_INDEX: index}
    told = {"type": "Ready", "status": str(ready)}
    return Pod.model_validate(
        {
            "metadata": {
                "name": name,
                "namespace": namespace,
                "labels": {key: value for key, value in labels.items() if value},
                "annotations": {names.MODEL: model} if model else {},
                **changes.pop("metadata", {}),
            },
            "spec": {"containers": [container(*changes.pop("ports", (5000,)))]},
            "status": {"podIP": changes.pop("ip", "127.1.0.1"), "conditions": [told]},
        }
    )


def container(*ports: int) -> dict[str, Any]:
    return {
        "name": "engine",
        "image": "engine",
        "ports": [{"containerPort": port} for port in ports],
    }
