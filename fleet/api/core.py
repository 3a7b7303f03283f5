"""Kinds of Kubernetes itself, as far as we read or write them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from pydantic import Field

from fleet.api.objects import LabelSelector, Model, Resource


class Namespace(Resource):
    API: ClassVar = "v1"
    NAMESPACED: ClassVar = False


class ServiceAccount(Resource):
    API: ClassVar = "v1"


class ConfigMap(Resource):
    API: ClassVar = "v1"

    data: Mapping[str, str] = {}


class Secret(Resource):
    API: ClassVar = "v1"

    type: str = "Opaque"
    data: Mapping[str, str] = Field(default={}, repr=False)


class Event(Resource):
    API: ClassVar = "v1"

    involved_object: Mapping[str, Any] = {}
    reason: str = ""
    message: str = ""
    type: str = "Normal"
    count: int = 1
    source: Mapping[str, str] = {}
    reporting_component: str = ""
    first_timestamp: datetime | None = None
    last_timestamp: datetime | None = None


class NodeCondition(Model):
    type: str
    status: str


class NodeSpec(Model):
    provider_id: str = Field(default="", validation_alias="providerID")
    unschedulable: bool = False
    taints: tuple[dict[str, Any], ...] = ()


class NodeStatus(Model):
    allocatable: Mapping[str, str] = {}
    capacity: Mapping[str, str] = {}
    conditions: tuple[NodeCondition, ...] = ()


class Node(Resource):
    API: ClassVar = "v1"
    NAMESPACED: ClassVar = False

    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()

    @property
    def ready(self) -> bool:
        return any(c.type == "Ready" and c.status == "True" for c in self.status.conditions)

    @property
    def gpus(self) -> int:
        return int(self.status.allocatable.get("nvidia.com/gpu", "0"))


class ContainerPort(Model):
    container_port: int
    name: str = ""
    protocol: str = "TCP"


class Container(Model):
    name: str
    image: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: tuple[dict[str, Any], ...] = ()
    ports: tuple[ContainerPort, ...] = ()
    resources: Mapping[str, Any] = {}
    volume_mounts: tuple[dict[str, Any], ...] = ()
    startup_probe: dict[str, Any] | None = None
    readiness_probe: dict[str, Any] | None = None
    liveness_probe: dict[str, Any] | None = None


class PodSpec(Model):
    node_name: str = ""
    containers: tuple[Container, ...] = ()
    volumes: tuple[dict[str, Any], ...] = ()
    restart_policy: str = "Always"
    termination_grace_period_seconds: int = 30
    node_selector: Mapping[str, str] = {}
    affinity: dict[str, Any] | None = None
    tolerations: tuple[dict[str, Any], ...] = ()


class PodCondition(Model):
    type: str
    status: str
    reason: str = ""
    message: str = ""
    last_transition_time: datetime | None = None


class ContainerStatus(Model):
    name: str
    ready: bool = False
    started: bool | None = None
    restart_count: int = 0
    image: str = ""
    image_id: str = Field(default="", validation_alias="imageID", serialization_alias="imageID")
    container_id: str = Field(
        default="", validation_alias="containerID", serialization_alias="containerID"
    )
    state: Mapping[str, Any] = {}
    last_state: Mapping[str, Any] = {}


class PodStatus(Model):
    phase: str = ""
    reason: str = ""
    message: str = ""
    pod_ip: str = Field(default="", validation_alias="podIP", serialization_alias="podIP")
    host_ip: str = Field(default="", validation_alias="hostIP", serialization_alias="hostIP")
    start_time: datetime | None = None
    conditions: tuple[PodCondition, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()


class Pod(Resource):
    API: ClassVar = "v1"

    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    @property
    def ready(self) -> bool:
        return any(c.type == "Ready" and c.status == "True" for c in self.status.conditions)


class ServicePort(Model):
    name: str = ""
    port: int
    target_port: int | str | None = None
    protocol: str = "TCP"


class ServiceSpec(Model):
    type: str = "ClusterIP"
    cluster_ip: str | None = Field(
        default=None, validation_alias="clusterIP", serialization_alias="clusterIP"
    )
    selector: Mapping[str, str] = {}
    ports: tuple[ServicePort, ...] = ()
    publish_not_ready_addresses: bool | None = None


class Service(Resource):
    API: ClassVar = "v1"

    spec: ServiceSpec = ServiceSpec()


class StatefulSetSpec(Model):
    replicas: int = 1
    service_name: str = ""
    pod_management_policy: str = "Parallel"
    selector: LabelSelector = LabelSelector()
    template: Mapping[str, Any] = {}
    update_strategy: dict[str, Any] | None = None


class StatefulSetStatus(Model):
    observed_generation: int = 0
    replicas: int = 0
    ready_replicas: int = 0
    updated_replicas: int = 0
    current_revision: str = ""
    update_revision: str = ""


class StatefulSet(Resource):
    API: ClassVar = "apps/v1"

    spec: StatefulSetSpec = StatefulSetSpec()
    status: StatefulSetStatus = StatefulSetStatus()


class LeaseSpec(Model):
    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    acquire_time: datetime | None = None
    renew_time: datetime | None = None
    lease_transitions: int | None = None


class Lease(Resource):
    API: ClassVar = "coordination.k8s.io/v1"

    spec: LeaseSpec = LeaseSpec()


class Role(Resource):
    API: ClassVar = "rbac.authorization.k8s.io/v1"

    rules: tuple[dict[str, Any], ...] = ()


class RoleBinding(Resource):
    API: ClassVar = "rbac.authorization.k8s.io/v1"

    role_ref: Mapping[str, Any] = {}
    subjects: tuple[dict[str, Any], ...] = ()


class CustomResourceDefinition(Resource):
    API: ClassVar = "apiextensions.k8s.io/v1"
    NAMESPACED: ClassVar = False

    spec: Mapping[str, Any] = {}
    status: Mapping[str, Any] = {}
