"""Report a member: what it has, that it is there, and that it is well. Pure."""

from collections.abc import Iterator
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
from member_agent.controllers.inventory.plan import MAX_NAMESPACES, Facts, Observed
from member_agent.controllers.inventory.plan.properties.collector import Finding

JOINED: Final = "Joined"
HEALTHY: Final = "Healthy"
GATEWAY: Final = "GatewayReady"
STARTED: Final = "ClusterPropertyProviderStarted"
COLLECTED: Final = "ClusterPropertyCollectionSucceeded"
NAMESPACES: Final = "NamespaceCollectionSucceeded"
SOLE: Final = "SoleCluster"
"""False is said by another cluster that was given the same name."""


class Health(NamedTuple):
    """How the agent finds its member."""

    gateway: GatewayStatus | None = None
    trouble: str = ""
    """Why the member's API server does not answer; empty where it does."""
    aside: str = ""
    """Who is there in whose place we would write; empty where we apply Works."""
    unserved: str = ""
    """Why the member's gateway takes no requests; empty where it does, or where there is none."""
    sole: bool = False
    """Whether another cluster that reported under our name is heard of no more."""


def report(
    membership: InternalMemberCluster, facts: Facts, observed: Observed, health: Health
) -> InternalMemberClusterStatus:
    """Say all of it, with a new heartbeat."""
    now, old = observed.now, membership.status
    told = tuple(_condition(each, membership, observed) for each in _findings(facts, health))
    said = [_condition(each, membership, observed) for each in _agent(membership, observed, health)]
    before = old.agent.conditions if old.agent else ()
    agent = AgentStatus(
        type=AgentType.MEMBER_AGENT,
        conditions=tuple(since(before, condition) for condition in said),
        last_received_heartbeat=now,
    )
    return InternalMemberClusterStatus(
        conditions=tuple(since(old.conditions, condition) for condition in told),
        properties={
            name: PropertyValue(value=value, observation_time=now)
            for name, value in facts.properties.items()
        },
        resource_usage=ResourceUsage(**facts.usage._asdict(), observation_time=now),
        agent_status=(agent,),
        namespaces=facts.namespaces,
        region=region_of(observed.nodes),
        inventory=facts.inventory,
        gateway=health.gateway,
    )


def news(old: InternalMemberClusterStatus, new: InternalMemberClusterStatus) -> bool:
    """Whether a report says more than that we are still there."""
    ours = frozenset(condition.type for condition in new.conditions)
    return _lasting(old, ours) != _lasting(new, ours)


def _lasting(status: InternalMemberClusterStatus, ours: frozenset[str]) -> tuple[object, ...]:
    usage, agent = status.resource_usage, status.agent
    told = (condition for condition in status.conditions if condition.type in ours)
    conditions = (*told, *(agent.conditions if agent else ()))
    return (
        {name: value.value for name, value in status.properties.items()},
        (usage.capacity, usage.allocatable, usage.available),
        {(c.type, c.status, c.reason, c.message) for c in conditions},
        status.namespaces,
        status.region,
        status.inventory,
        status.gateway,
    )


def _agent(
    membership: InternalMemberCluster, observed: Observed, health: Health
) -> Iterator[Finding]:
    yield _joined(membership, observed, health)
    if health.trouble:
        yield Finding(HEALTHY, False, "InternalMemberClusterUnhealthy", health.trouble)
    else:
        answers = "the member's API server answers"
        yield Finding(HEALTHY, True, "InternalMemberClusterHealthy", answers)
    yield from _gateway(health)


def _joined(membership: InternalMemberCluster, observed: Observed, health: Health) -> Finding:
    if health.aside:
        why = f"the agent stands aside and writes nothing: {health.aside}"
        return Finding(JOINED, False, "InternalMemberClusterStandsAside", why)
    if membership.spec.state is ClusterState.JOIN:
        return Finding(JOINED, True, "InternalMemberClusterJoined", "the agent applies Works")
    if observed.works_held:
        waiting = "waits until its Works are released"
        return Finding(JOINED, None, "InternalMemberClusterFailedToLeave", waiting)
    left = "its workloads stay as they are"
    return Finding(JOINED, False, "InternalMemberClusterLeft", left)


def _gateway(health: Health) -> Iterator[Finding]:
    """Tell of a gateway where there is one, or is to be one."""
    if health.unserved:
        reason = "GatewayNotReady" if health.gateway else "NoGatewayAddress"
        yield Finding(GATEWAY, False, reason, health.unserved)
    elif health.gateway:
        yield Finding(GATEWAY, True, "GatewayReady", f"{health.gateway.url} serves")


def _findings(facts: Facts, health: Health) -> Iterator[Finding]:
    """Tell how the collection went, as KubeFleet's agent with a provider does."""
    yield Finding(STARTED, True, "Started", "the agent collects properties")
    if health.trouble:
        late = f"properties are as they were seen last: {health.trouble}"
        yield Finding(COLLECTED, False, "TimedOut", late)
    else:
        yield Finding(COLLECTED, True, "PropertiesCollected", "properties are as they are now")
    if facts.all_namespaces:
        yield Finding(NAMESPACES, True, "Succeeded", "all namespaces are told")
    else:
        first = f"of more than {MAX_NAMESPACES} namespaces the first by name are told"
        yield Finding(NAMESPACES, False, "Degraded", first)
    if health.sole:
        yield Finding(SOLE, True, "OnlyCluster", "no other cluster reports as this one")
    yield from facts.findings


def _condition(
    finding: Finding, membership: InternalMemberCluster, observed: Observed
) -> Condition:
    return Condition(
        type=finding.type,
        status=ConditionStatus.of(finding.truth),
        reason=finding.reason,
        message=finding.message,
        observed_generation=membership.metadata.generation,
        last_transition_time=observed.now,
    )
