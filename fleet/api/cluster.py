"""MemberCluster and InternalMemberCluster: who is in the fleet, and what it has."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Literal

from pydantic import Field

from fleet.api import names
from fleet.api.conditions import Condition, find
from fleet.api.objects import Model, Resource


class Taint(Model):
    key: str
    value: str = ""
    effect: str = "NoSchedule"


class Subject(Model):
    """The identity that a member's agent has on the hub, as RBAC names it."""

    kind: Literal["User", "Group", "ServiceAccount"]
    name: str
    namespace: str = ""
    api_group: str = ""


class DeleteOptions(Model):
    validation_mode: Literal["Strict", "Skip"] = "Strict"


class MemberClusterSpec(Model):
    identity: Subject
    heartbeat_period_seconds: int = Field(default=60, ge=1, le=600)
    taints: tuple[Taint, ...] = ()
    delete_options: DeleteOptions | None = None


class Hold(Model):
    """A workload of the fleet that has GPUs of a pool, as its member reports it."""

    kind: str
    namespace: str
    name: str
    gpus: int


class Pool(Model):
    """GPU instances of one type, zone and capacity type in a member cluster."""

    instance_type: str
    capacity_type: str = "on-demand"
    zone: str = ""
    gpus_per_node: int
    nodes: int = 0
    """Nodes that are there."""
    gpus_free: int = 0
    """GPUs of those nodes that no workload holds."""
    nodes_provisionable: int = 0
    """Nodes that may still be made, within the pool's limit."""
    sold_out_until: datetime | None = None
    holds: tuple[Hold, ...] = ()


class Inventory(Model):
    pools: tuple[Pool, ...] = ()


class GatewayStatus(Model):
    """The regional gateway's address as the global one reaches it."""

    url: str
    ready: bool = False


class PropertyValue(Model):
    value: str
    observation_time: datetime


class ResourceUsage(Model):
    capacity: Mapping[str, str] = {}
    allocatable: Mapping[str, str] = {}
    available: Mapping[str, str] = {}
    observation_time: datetime | None = None


class AgentType(StrEnum):
    MEMBER_AGENT = "MemberAgent"


class AgentStatus(Model):
    type: str
    conditions: tuple[Condition, ...] = ()
    last_received_heartbeat: datetime | None = None


class InternalMemberClusterStatus(Model):
    conditions: tuple[Condition, ...] = ()
    properties: Mapping[str, PropertyValue] = {}
    resource_usage: ResourceUsage = ResourceUsage()
    agent_status: tuple[AgentStatus, ...] = ()
    namespaces: Mapping[str, str] = {}
    region: str = ""
    """The region label that most of the member's nodes carry."""
    inventory: Inventory = Inventory()
    gateway: GatewayStatus | None = None

    @property
    def agent(self) -> AgentStatus | None:
        return next((a for a in self.agent_status if a.type == AgentType.MEMBER_AGENT), None)


class MemberClusterStatus(InternalMemberClusterStatus):
    pass


class MemberCluster(Resource):
    API: ClassVar = "cluster.kubernetes-fleet.io/v1beta1"
    NAMESPACED: ClassVar = False

    spec: MemberClusterSpec
    status: MemberClusterStatus = MemberClusterStatus()

    @property
    def region(self) -> str:
        """Where the cluster is: by its label, by what its nodes say, else its own name."""
        labels = self.metadata.labels
        return (
            labels.get(names.REGION)
            or labels.get(names.LOCATION)
            or self.status.region
            or self.metadata.name
        )

    @property
    def joined(self) -> bool:
        condition = find(self.status.conditions, "Joined")
        return condition is not None and condition.true

    @property
    def heartbeat(self) -> datetime | None:
        agent = self.status.agent
        return agent.last_received_heartbeat if agent else None


class ClusterState(StrEnum):
    JOIN = "Join"
    LEAVE = "Leave"


class InternalMemberClusterSpec(Model):
    state: ClusterState
    heartbeat_period_seconds: int = Field(default=60, ge=1, le=600)


class InternalMemberCluster(Resource):
    API: ClassVar = "cluster.kubernetes-fleet.io/v1beta1"

    spec: InternalMemberClusterSpec
    status: InternalMemberClusterStatus = InternalMemberClusterStatus()
