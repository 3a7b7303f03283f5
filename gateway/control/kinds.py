"""Kinds of the Kubernetes API, as little of each as routes depend on: the rest wakes nobody.

They are read by msgspec, since pydantic takes longer to load than a gateway may to start.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from msgspec import Struct, field

from fleet.api.keys import Key


class Metadata(Struct, frozen=True, rename="camel"):
    name: str
    namespace: str = ""
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None


class Kind(Struct, frozen=True, rename="camel"):
    """What a cache asks a class of, and what routes ask every object."""

    API: ClassVar[str]
    NAMESPACED: ClassVar[bool] = True

    metadata: Metadata

    @classmethod
    def kind(cls) -> str:
        return cls.__name__

    @classmethod
    def plural(cls) -> str:
        return f"{cls.kind().lower()}s"

    @property
    def namespace(self) -> str:
        return self.metadata.namespace

    @property
    def key(self) -> Key:
        return Key(self.metadata.namespace, self.metadata.name)

    @property
    def deleting(self) -> bool:
        return self.metadata.deletion_timestamp is not None


class Condition(Struct, frozen=True):
    type: str
    status: str


def ready(conditions: Iterable[Condition]) -> bool | None:
    """Read the condition Ready; None where nobody knows."""
    told = next((each.status for each in conditions if each.type == "Ready"), "")
    return {"True": True, "False": False}.get(told)


class Admission(Struct, frozen=True, rename="camel"):
    max_in_flight_per_replica: int = 0
    queue_length: int = 1000
    queue_seconds: int = 30


class Selector(Struct, frozen=True):
    """Of a service's endpoints."""

    endpoints: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()


class TrafficTarget(Selector, frozen=True):
    weight: int | None = None
    priority: int | None = None


class HeaderMatch(Struct, frozen=True):
    name: str
    value: str = ""


class TrafficRule(Selector, frozen=True):
    headers: tuple[HeaderMatch, ...] = ()


class TrafficShadow(Selector, frozen=True):
    percent: int = 100


class TrafficAffinity(Struct, frozen=True, rename="camel"):
    header: str = ""
    prefix_bytes: int = 0


class Traffic(Struct, frozen=True, rename="camel"):
    targets: tuple[TrafficTarget, ...] = ()
    rules: tuple[TrafficRule, ...] = ()
    shadow: TrafficShadow | None = None
    cheapest_first: bool = False
    affinity: TrafficAffinity | None = None


class Hedging(Struct, frozen=True, rename="camel"):
    after_milliseconds: int = 0


class ModelServiceSpec(Struct, frozen=True):
    model: str
    aliases: tuple[str, ...] = ()
    adapters: tuple[str, ...] = ()
    admission: Admission = Admission()
    traffic: Traffic = Traffic()
    hedging: Hedging | None = None
    continuation: bool = False


class ModelService(Kind, frozen=True):
    API: ClassVar[str] = "modelfleet.dev/v1alpha1"

    spec: ModelServiceSpec


class Credential(Struct, frozen=True):
    secret: str
    key: str = "apiKey"


class Authority(Struct, frozen=True):
    secret: str
    key: str = "ca.crt"


class EndpointTls(Struct, frozen=True, rename="camel"):
    server_name: str = ""
    authority: Authority | None = None
    certificate_secret: str = ""


class TokenPrice(Struct, frozen=True, rename="camel"):
    input_per_million: Decimal
    output_per_million: Decimal


class ModelEndpointSpec(Struct, frozen=True, rename="camel"):
    service: str
    url: str
    region: str = ""
    cluster: str = ""
    model: str = ""
    max_in_flight: int = 0
    weight: int = 1
    priority: int = 0
    credential: Credential | None = None
    tls: EndpointTls | None = None
    price: TokenPrice | None = None
    adapters: tuple[str, ...] = ()


class ModelEndpointStatus(Struct, frozen=True, rename="camel"):
    replicas: int = 0
    ready_replicas: int = 0
    usd_per_hour: Decimal | None = None
    conditions: tuple[Condition, ...] = ()


class ModelEndpoint(Kind, frozen=True):
    API: ClassVar[str] = "modelfleet.dev/v1alpha1"

    spec: ModelEndpointSpec
    status: ModelEndpointStatus = ModelEndpointStatus()


class GatewayAddress(Struct, frozen=True):
    url: str = ""


class MemberClusterStatus(Struct, frozen=True):
    gateway: GatewayAddress | None = None


class MemberCluster(Kind, frozen=True):
    API: ClassVar[str] = "cluster.kubernetes-fleet.io/v1beta1"
    NAMESPACED: ClassVar[bool] = False

    status: MemberClusterStatus = MemberClusterStatus()


class ContainerPort(Struct, frozen=True, rename="camel"):
    container_port: int


class Container(Struct, frozen=True):
    ports: tuple[ContainerPort, ...] = ()


class PodSpec(Struct, frozen=True):
    containers: tuple[Container, ...] = ()


class PodStatus(Struct, frozen=True):
    pod_ip: str = field(default="", name="podIP")
    conditions: tuple[Condition, ...] = ()


class Pod(Kind, frozen=True):
    API: ClassVar[str] = "v1"

    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()
