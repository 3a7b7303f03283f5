"""Pods as a node sees them: what their containers are to do, and what is reported of them."""

from datetime import datetime
from typing import Any, ClassVar

from pydantic import Field
from typing_extensions import override

from fleet.api.objects import Metadata, Model, Resource


class Header(Model):
    name: str
    value: str = ""


class HttpGet(Model):
    path: str = "/"
    port: int | str
    host: str = ""
    scheme: str = "HTTP"
    http_headers: tuple[Header, ...] = ()


class TcpSocket(Model):
    port: int | str
    host: str = ""


class Probe(Model):
    """What to ask, and how often; the defaults are Kubernetes'. Times are in seconds."""

    http_get: HttpGet | None = None
    tcp_socket: TcpSocket | None = None
    initial_delay_seconds: int = 0
    period_seconds: int = 10
    timeout_seconds: int = 1
    success_threshold: int = 1
    failure_threshold: int = 3
    termination_grace_period_seconds: int | None = None


class Reference(Model):
    """A key of a ConfigMap or a Secret, or all of it."""

    name: str = ""
    key: str = ""
    optional: bool = False


class FieldReference(Model):
    field_path: str


class Source(Model):
    field_ref: FieldReference | None = None
    config_map_key_ref: Reference | None = None
    secret_key_ref: Reference | None = None


class Variable(Model):
    name: str
    value: str = ""
    value_from: Source | None = None


class Variables(Model):
    prefix: str = ""
    config_map_ref: Reference | None = None
    secret_ref: Reference | None = None


class Port(Model):
    container_port: int
    name: str = ""


class Mount(Model):
    name: str
    mount_path: str
    sub_path: str = ""


class Container(Model):
    name: str
    image: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: tuple[Variable, ...] = ()
    env_from: tuple[Variables, ...] = ()
    ports: tuple[Port, ...] = ()
    volume_mounts: tuple[Mount, ...] = ()
    startup_probe: Probe | None = None
    readiness_probe: Probe | None = None
    liveness_probe: Probe | None = None


class Item(Model):
    key: str
    path: str


class ConfigMapVolume(Model):
    name: str = ""
    items: tuple[Item, ...] = ()
    optional: bool = False


class SecretVolume(Model):
    secret_name: str = ""
    items: tuple[Item, ...] = ()
    optional: bool = False


class Volume(Model):
    """Files of a ConfigMap or a Secret; any other kind is an empty folder here."""

    name: str
    config_map: ConfigMapVolume | None = None
    secret: SecretVolume | None = None


class ReadinessGate(Model):
    condition_type: str


class PodSpec(Model):
    node_name: str = ""
    service_account_name: str = ""
    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    volumes: tuple[Volume, ...] = ()
    restart_policy: str = "Always"
    termination_grace_period_seconds: int = 30
    readiness_gates: tuple[ReadinessGate, ...] = ()


class PodCondition(Model):
    type: str
    status: str
    reason: str | None = None
    message: str | None = None
    last_transition_time: datetime | None = None


class Waiting(Model):
    reason: str
    message: str | None = None


class Running(Model):
    started_at: datetime | None = None


class Terminated(Model):
    exit_code: int = 0
    reason: str = ""
    message: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


class ContainerState(Model):
    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class ContainerStatus(Model):
    name: str
    image: str = ""
    image_id: str = Field(default="", validation_alias="imageID", serialization_alias="imageID")
    container_id: str | None = Field(
        default=None, validation_alias="containerID", serialization_alias="containerID"
    )
    ready: bool = False
    started: bool | None = None
    restart_count: int = 0
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()


class Address(Model):
    ip: str


class PodStatus(Model):
    phase: str = ""
    pod_ip: str | None = Field(default=None, validation_alias="podIP", serialization_alias="podIP")
    pod_ips: tuple[Address, ...] = Field(
        default=(), validation_alias="podIPs", serialization_alias="podIPs"
    )
    host_ip: str | None = Field(
        default=None, validation_alias="hostIP", serialization_alias="hostIP"
    )
    host_ips: tuple[Address, ...] = Field(
        default=(), validation_alias="hostIPs", serialization_alias="hostIPs"
    )
    start_time: datetime | None = None
    conditions: tuple[PodCondition, ...] = ()
    init_container_statuses: tuple[ContainerStatus, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()

    @override
    def dump(self) -> dict[str, Any]:
        """Say all that there is: whether a field was set does not matter here."""
        return self.model_dump(mode="json", exclude_none=True)


class PodMetadata(Metadata):
    deletion_grace_period_seconds: int | None = None


class Pod(Resource):
    API: ClassVar = "v1"

    metadata: PodMetadata
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    @property
    def finished(self) -> bool:
        """Whether it has come to its end and is not to run again."""
        return self.status.phase in ("Succeeded", "Failed")

    def engine(self, images: tuple[str, ...]) -> Container | None:
        """Give the container whose image is known."""
        return next((c for c in self.spec.containers if known(c.image, images)), None)


def known(image: str, images: tuple[str, ...]) -> bool:
    """Tell whether an image is one of these, whatever its registry and tag."""
    repository = image.partition("@")[0]
    head, slash, last = repository.rpartition("/")
    repository = f"{head}{slash}{last.partition(':')[0]}"
    return any(repository == one or repository.endswith(f"/{one}") for one in images)
