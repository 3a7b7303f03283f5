"""MemberCluster and InternalMemberCluster: who is in the fleet, and what it has."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from fleet.api import names
from fleet.api.conditions import Condition, find
from fleet.api.objects import Model, Resource
from fleet.api.schema import FILLED, INT32, LIST, QUANTITY, REQUIRED, V1BETA1, Rule, Schema

Heartbeat = Annotated[int, INT32, Field(ge=1, le=600), FILLED]
Quantity = Annotated[str, QUANTITY, Field(coerce_numbers_to_str=True)]
"""The server takes a whole number too."""


class Taint(Model):
    """Keeps placements away that do not tolerate it."""

    key: str
    """Name of the taint."""
    value: str = ""
    """Value that a toleration must equal, unless it tolerates the key as such."""
    effect: Annotated[str, REQUIRED, Schema(enum=("NoSchedule",))] = "NoSchedule"
    """NoSchedule: no new placements; what is there stays."""


class Subject(Model):
    """The identity that a member's agent has on the hub, as RBAC names it."""

    kind: str
    """Kind of the identity: User, Group or ServiceAccount."""
    name: str
    """Name of the user, group or ServiceAccount."""
    namespace: str = ""
    """Namespace of a ServiceAccount."""
    api_group: str = ""
    """API group of the kind; empty for a ServiceAccount."""


class DeleteOptions(Model):
    """What is checked before a cluster may leave."""

    validation_mode: Annotated[
        Literal["Strict", "Skip"], FILLED, Schema(enum=("Skip", "Strict"))
    ] = "Strict"
    """Strict refuses the deletion while the cluster exports Services; Skip does not look."""


class MemberClusterSpec(Model):
    """Who the member is to the hub, and what it is held to."""

    identity: Subject
    """Identity of the member's agent on the hub; it gets rights in its own namespace only."""
    heartbeat_period_seconds: Heartbeat = 60
    """How often the agent reports, in seconds."""
    taints: Annotated[tuple[Taint, ...], LIST] = ()
    """Taints that keep new placements away."""
    delete_options: Annotated[DeleteOptions | None, V1BETA1] = None
    """How the cluster leaves the fleet."""


class Hold(Model):
    """A workload of the fleet that has GPUs of a pool, as its member reports it."""

    kind: str
    """Kind of the workload."""
    namespace: str
    """Namespace of the workload."""
    name: str
    """Name of the workload."""
    gpus: int
    """GPUs of the pool that it has."""


class Pool(Model):
    """GPU instances of one type, zone and capacity type in a member cluster."""

    instance_type: str
    """Type of the instances, as the cloud names it."""
    capacity_type: str = "on-demand"
    """How the instances are paid for: on-demand, spot or reserved."""
    zone: str = ""
    """Zone of the instances; empty where they may come from any."""
    gpus_per_node: int
    """GPUs of each node."""
    nodes: int = 0
    """Nodes that are there."""
    gpus_free: int = 0
    """GPUs of those nodes that no workload holds."""
    nodes_provisionable: int = 0
    """Nodes that may still be made, within the pool's limit."""
    sold_out_until: datetime | None = None
    """Until when no node is asked for, since the cloud had none."""
    holds: tuple[Hold, ...] = ()
    """Who has the GPUs that are not free."""


class Inventory(Model):
    """GPUs that a member has or may get."""

    pools: tuple[Pool, ...] = ()
    """Instances by type, zone and capacity type."""


class GatewayStatus(Model):
    """The regional gateway's address as the global one reaches it."""

    url: str
    """Base of its OpenAI API."""
    ready: bool = False
    """Whether it takes requests."""


class PropertyValue(Model):
    """A property of a cluster, and when it was so."""

    value: str
    """The value; a quantity where placements compare it."""
    observation_time: datetime
    """When it was observed."""


class ResourceUsage(Model):
    """What all nodes of a member have together."""

    capacity: Mapping[str, Quantity] = {}
    """What the nodes have."""
    allocatable: Mapping[str, Quantity] = {}
    """What pods may use of it."""
    available: Mapping[str, Quantity] = {}
    """What no pod has asked for yet."""
    observation_time: datetime | None = None
    """When it was observed."""


class AgentType(StrEnum):
    MEMBER_AGENT = "MemberAgent"


class AgentStatus(Model):
    """How an agent in the member does."""

    type: str
    """Which agent: MemberAgent."""
    conditions: tuple[Condition, ...] = ()
    """Whether it has joined and is healthy."""
    last_received_heartbeat: datetime | None = None
    """When it last reported."""


class InternalMemberClusterStatus(Model):
    """What the member's agent reports."""

    conditions: tuple[Condition, ...] = ()
    """Whether the cluster has joined, and whether its properties could be read."""
    properties: Mapping[str, PropertyValue] = {}
    """Properties by name, which placements may select and sort by."""
    resource_usage: ResourceUsage = ResourceUsage()
    """Capacity of all nodes together."""
    agent_status: tuple[AgentStatus, ...] = ()
    """The agents in the member."""
    namespaces: Annotated[Mapping[str, str], V1BETA1] = {}
    """Namespaces of the member, each with the AppliedWork that owns it, if one does."""
    region: str = ""
    """The region label that most of the member's nodes carry."""
    inventory: Inventory = Inventory()
    """GPUs that the member has or may get."""
    gateway: GatewayStatus | None = None
    """The gateway that serves the member's models."""

    @property
    def agent(self) -> AgentStatus | None:
        return next((a for a in self.agent_status if a.type == AgentType.MEMBER_AGENT), None)


class MemberClusterStatus(InternalMemberClusterStatus):
    """What the hub knows of the member, most of it as its agent reports it."""


class MemberCluster(Resource):
    """A cluster of the fleet, on the hub."""

    API: ClassVar = "cluster.kubernetes-fleet.io/v1beta1"
    NAMESPACED: ClassVar = False
    RULES: ClassVar = (Rule("size(self.metadata.name) < 64", "metadata.name max length is 63"),)

    spec: MemberClusterSpec
    """Who the member is to the hub, and what it is held to."""
    status: MemberClusterStatus = MemberClusterStatus()
    """What the hub knows of the member."""

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
    """What the hub asks of the member's agent."""

    state: Annotated[ClusterState, Schema(any_value=True)]
    """Whether the member is to join the fleet or to leave it."""
    heartbeat_period_seconds: Heartbeat = 60
    """How often the agent is to report, in seconds."""


class InternalMemberCluster(Resource):
    """A member's own place on the hub, in its namespace: the hub asks, the agent reports."""

    API: ClassVar = "cluster.kubernetes-fleet.io/v1beta1"

    spec: InternalMemberClusterSpec
    """What the hub asks of the member's agent."""
    status: InternalMemberClusterStatus = InternalMemberClusterStatus()
    """What the member's agent reports."""
