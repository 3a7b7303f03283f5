"""Report a member: what it has, that it is there, and that it is well. Pure."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from fleet.api.cluster import (
    AgentStatus,
    AgentType,
    ClusterState,
    GatewayStatus,
    InternalMemberCluster,
    InternalMemberClusterStatus,
    PropertyValue,
    ResourceUsage,
)
from fleet.api.conditions import Condition, ConditionStatus, since
from member_agent.capacity import region_of
from member_agent.controllers.inventory.plan import Facts, Observed

JOINED: Final = "Joined"
HEALTHY: Final = "Healthy"
GATEWAY: Final = "GatewayReady"


class Health(NamedTuple):
    """How the agent finds its member."""

    gateway: GatewayStatus | None = None
    trouble: str = ""
    """Why the member's API server does not answer; empty where it does."""
    aside: str = ""
    """Who is there in whose place we would write; empty where we apply Works."""
    unserved: str = ""
    """Why the member's gateway takes no requests; empty where it does, or where there is none."""


def report(
    membership: InternalMemberCluster, facts: Facts, observed: Observed, health: Health
) -> InternalMemberClusterStatus:
    """Say all of it, with a new heartbeat."""
    now, old = observed.now, membership.status
    return InternalMemberClusterStatus(
        properties={
            name: PropertyValue(value=value, observation_time=now)
            for name, value in facts.properties.items()
        },
        resource_usage=ResourceUsage(**facts.usage._asdict(), observation_time=now),
        agent_status=(
            AgentStatus(
                type=AgentType.MEMBER_AGENT,
                conditions=tuple(
                    since(old.agent.conditions if old.agent else (), condition)
                    for condition in _conditions(membership, observed, health)
                ),
                last_received_heartbeat=now,
            ),
        ),
        namespaces=facts.namespaces,
        region=region_of(observed.nodes),
        inventory=facts.inventory,
        gateway=health.gateway,
    )


def news(old: InternalMemberClusterStatus, new: InternalMemberClusterStatus) -> bool:
    """Whether a report says more than that we are still there."""
    return _lasting(old) != _lasting(new)


def _lasting(status: InternalMemberClusterStatus) -> tuple[object, ...]:
    usage, agent = status.resource_usage, status.agent
    return (
        {name: value.value for name, value in status.properties.items()},
        (usage.capacity, usage.allocatable, usage.available),
        [(c.type, c.status, c.reason, c.message) for c in (agent.conditions if agent else ())],
        status.namespaces,
        status.region,
        status.inventory,
        status.gateway,
    )


def _conditions(
    membership: InternalMemberCluster, observed: Observed, health: Health
) -> tuple[Condition, ...]:
    if health.aside:
        why = f"the agent stands aside and writes nothing: {health.aside}"
        joined = ConditionStatus.FALSE, "InternalMemberClusterStandsAside", why
    elif membership.spec.state is ClusterState.JOIN:
        joined = ConditionStatus.TRUE, "InternalMemberClusterJoined", "the agent applies Works"
    elif observed.works_held:
        waiting = "waits until its Works are released"
        joined = ConditionStatus.UNKNOWN, "InternalMemberClusterFailedToLeave", waiting
    else:
        left = "its workloads stay as they are"
        joined = ConditionStatus.FALSE, "InternalMemberClusterLeft", left
    well = ConditionStatus.of(not health.trouble)
    reason = "InternalMemberClusterUnhealthy" if health.trouble else "InternalMemberClusterHealthy"
    healthy = well, reason, health.trouble or "the member's API server answers"
    said = {JOINED: joined, HEALTHY: healthy, **_gateway(health)}
    return tuple(_condition(kind, each, membership, observed) for kind, each in said.items())


def _gateway(health: Health) -> Mapping[str, tuple[ConditionStatus, str, str]]:
    """Tell of a gateway where there is one, or is to be one."""
    if health.unserved:
        reason = "GatewayNotReady" if health.gateway else "NoGatewayAddress"
        return {GATEWAY: (ConditionStatus.FALSE, reason, health.unserved)}
    if health.gateway:
        return {GATEWAY: (ConditionStatus.TRUE, "GatewayReady", f"{health.gateway.url} serves")}
    return {}


def _condition(
    kind: str,
    saying: tuple[ConditionStatus, str, str],
    membership: InternalMemberCluster,
    observed: Observed,
) -> Condition:
    status, reason, message = saying
    return Condition(
        type=kind,
        status=status,
        reason=reason,
        message=message,
        observed_generation=membership.metadata.generation,
        last_transition_time=observed.now,
    )
