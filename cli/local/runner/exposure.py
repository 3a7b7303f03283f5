"""Tells kwok, which answers as every node's kubelet, where a pod's output and port are."""

import logging
from pathlib import Path
from typing import ClassVar

from cli.local.runner.pods import Container, Pod
from fleet.api.objects import Metadata, Model, Resource
from fleet.kube.client import Client
from fleet.kube.errors import NotFoundError

log = logging.getLogger(__name__)


class Log(Model):
    containers: tuple[str, ...]
    logs_file: str
    previous_logs_file: str | None = None


class LogsSpec(Model):
    logs: tuple[Log, ...]


class Logs(Resource):
    """Where `kubectl logs` finds a pod's output; it bears the pod's name."""

    API: ClassVar = "kwok.x-k8s.io/v1alpha1"
    PLURAL: ClassVar = "logs"

    spec: LogsSpec


class Target(Model):
    address: str
    port: int


class Forward(Model):
    ports: tuple[int, ...]
    target: Target


class PortForwardSpec(Model):
    forwards: tuple[Forward, ...]


class PortForward(Resource):
    """Where `kubectl port-forward` leads to; it bears the pod's name."""

    API: ClassVar = "kwok.x-k8s.io/v1alpha1"

    spec: PortForwardSpec


def logs_of(pod: Pod, engine: Container, file: Path, before: Path | None) -> Logs:
    previous = str(before) if before else None
    entry = Log(containers=(engine.name,), logs_file=str(file), previous_logs_file=previous)
    return Logs(metadata=_owned_by(pod), spec=LogsSpec(logs=(entry,)))


def forward_of(pod: Pod, engine: Container, address: str) -> PortForward:
    forwards = tuple(
        Forward(
            ports=(port.container_port,), target=Target(address=address, port=port.container_port)
        )
        for port in engine.ports
    )
    return PortForward(metadata=_owned_by(pod), spec=PortForwardSpec(forwards=forwards))


class Exposure:
    """Writes these objects; a cluster without kwok's kinds has to do without them."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def show(self, *resources: Resource) -> None:
        for resource in resources:
            try:
                await self._client.apply(resource, force=True)
            except NotFoundError as error:
                log.warning("not offered", extra={"kind": resource.kind(), "why": str(error)})


def _owned_by(pod: Pod) -> Metadata:
    """Go with the pod, which the garbage collector sees to."""
    owner = pod.owner_reference(controller=False)
    return Metadata(name=pod.name, namespace=pod.namespace, owner_references=(owner,))
