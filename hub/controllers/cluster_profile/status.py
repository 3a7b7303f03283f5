"""Say of a ClusterProfile how its member does, in KubeFleet's reasons. Pure."""

import base64
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Final

from fleet.api import properties
from fleet.api.cluster import MemberCluster
from fleet.api.cluster_profile import (
    AccessProvider,
    ClusterAddress,
    ClusterProfile,
    ClusterProfileStatus,
    ClusterProperty,
    ClusterVersion,
)
from fleet.api.conditions import Condition, ConditionStatus, find, since
from hub.controllers.cluster_profile.plan import MANAGER

HEALTHY: Final = "ControlPlaneHealthy"
LONGEST_VALUE: Final = 1024
"""Characters of a property's value; a longer one is left out."""
APART: Final = (properties.VERSION, properties.ENTRYPOINT, properties.AUTHORITY)
"""Properties that have fields of their own."""
Finding = tuple[bool | None, "Reason", str]


class Reason(StrEnum):
    NO_STATUS = "MemberAgentReportedNoStatus"
    NO_HEALTH = "MemberAgentReportedNoHealthInfo"
    SILENT = "MemberAgentHeartbeatLost"
    UNHEALTHY = "MemberClusterAPIServerUnhealthy"
    HEALTHY = "MemberClusterAPIServerHealthy"


def report(
    profile: ClusterProfile, cluster: MemberCluster, *, silent: bool, now: datetime
) -> ClusterProfileStatus | None:
    """Tell other tools of a member; None where the profile says it already."""
    truth, reason, message = _health(cluster, silent)
    health = Condition(
        type=HEALTHY,
        status=ConditionStatus.of(truth),
        reason=reason,
        message=message,
        observed_generation=profile.metadata.generation,
        last_transition_time=now,
    )
    version, access = _said(cluster, properties.VERSION), tuple(_access(cluster))
    new = ClusterProfileStatus(
        conditions=(since(profile.status.conditions, health),),
        version=ClusterVersion(kubernetes=version) if version else ClusterVersion(),
        properties=tuple(_properties(cluster)),
        **({"access_providers": access} if access else {}),
    )
    return None if new.dump() == profile.status.dump() else new


def _health(cluster: MemberCluster, silent: bool) -> Finding:
    agent = cluster.status.agent
    if agent is None:
        return None, Reason.NO_STATUS, "The member's agent has not reported yet"
    healthy = find(agent.conditions, "Healthy")
    if healthy is None:
        return None, Reason.NO_HEALTH, "The member's agent says nothing of its API server"
    if silent or agent.last_received_heartbeat is None:
        return False, Reason.SILENT, "The hub misses the heartbeats of the member's agent"
    return _answers(healthy)


def _answers(healthy: Condition) -> Finding:
    match healthy.status:
        case ConditionStatus.TRUE:
            return True, Reason.HEALTHY, "The member's API server answers its agent"
        case ConditionStatus.FALSE:
            silence = "The member's API server does not answer its agent"
            return False, Reason.UNHEALTHY, healthy.message or silence
        case ConditionStatus.UNKNOWN:
            return None, Reason.NO_HEALTH, "The member's agent does not know of its API server"


def _said(cluster: MemberCluster, name: str) -> str:
    found = cluster.status.properties.get(name)
    return found.value if found else ""


def _properties(cluster: MemberCluster) -> Iterator[ClusterProperty]:
    for name, found in sorted(cluster.status.properties.items()):
        if name not in APART and 0 < len(found.value) <= LONGEST_VALUE:
            yield ClusterProperty(name=name, value=found.value)


def _access(cluster: MemberCluster) -> Iterator[AccessProvider]:
    """Name the way to the member, as far as its agent tells it."""
    server, authority = (_said(cluster, name) for name in APART[1:])
    if server or authority:
        # A property is the PEM itself; a kubeconfig has it in base64.
        encoded = base64.b64encode(authority.encode()).decode()
        trust = {"certificate-authority-data": encoded} if authority else {}
        address = ClusterAddress.model_validate({"server": server, **trust})
        yield AccessProvider(name=MANAGER, cluster=address)
