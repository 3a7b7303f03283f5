"""Report a member: what its agent says, as far as the hub goes by it. Pure."""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from fleet.api.cluster import InternalMemberCluster, MemberCluster, MemberClusterStatus
from fleet.api.conditions import Condition, ConditionStatus, find, since
from hub.gateway_claims import Reason as Address
from hub.gateway_claims import Refusal

GATEWAY_ADDRESS: Final = "GatewayAddress"


class Reason(StrEnum):
    READY = "MemberClusterReadyToJoin"
    NOT_READY = "MemberClusterNotReadyToJoin"
    JOINED = "MemberClusterJoined"
    LEFT = "MemberClusterLeft"
    UNKNOWN = "MemberClusterJoinStateUnknown"


class Fact(NamedTuple):
    """What is true of a condition, before it is dated."""

    type: str
    truth: bool | None
    reason: Reason | Address
    message: str


def report(
    cluster: MemberCluster,
    internal: InternalMemberCluster | None,
    *,
    now: datetime,
    refusal: Refusal | None = None,
) -> MemberClusterStatus | None:
    """Copy what the agent reports, but for a `refusal` of its gateway; None where it is there."""
    said, old = internal.status if internal else None, cluster.status
    conditions = (
        _ready(cluster, internal, now),
        _joined(cluster, internal, now),
        *(said.conditions if said else ()),
        *_address(cluster, refusal, now),
    )
    fields = {name: getattr(said, name) for name in said.model_fields_set} if said else {}
    if refusal:
        fields["gateway"] = None
    new = MemberClusterStatus(**fields | {"conditions": conditions})
    there = {condition.type: condition for condition in old.conditions}
    same = all(there.get(condition.type) == condition for condition in conditions)
    return None if same and new == old.model_copy(update={"conditions": conditions}) else new


def _ready(
    cluster: MemberCluster, internal: InternalMemberCluster | None, now: datetime
) -> Condition:
    if internal is None:
        text = "What the member needs on the hub is being made"
        return _condition(cluster, Fact("ReadyToJoin", False, Reason.NOT_READY, text), now)
    text = "The hub has made what the member needs: its agent may join"
    return _condition(cluster, Fact("ReadyToJoin", True, Reason.READY, text), now)


def _joined(
    cluster: MemberCluster, internal: InternalMemberCluster | None, now: datetime
) -> Condition:
    agent = internal.status.agent if internal else None
    said = find(agent.conditions, "Joined") if agent else None
    if said is None or said.status is ConditionStatus.UNKNOWN:
        text = "The member's agent has not said yet that it has joined"
        return _condition(cluster, Fact("Joined", None, Reason.UNKNOWN, text), now)
    if said.true:
        fact = Fact("Joined", True, Reason.JOINED, "The member has joined")
        return _condition(cluster, fact, now)
    fact = Fact("Joined", False, Reason.LEFT, said.message or "The member has left")
    return _condition(cluster, fact, now)


def _address(cluster: MemberCluster, refusal: Refusal | None, now: datetime) -> Iterator[Condition]:
    """Tell of an address that is not believed, and then that it is again."""
    if refusal:
        fact = Fact(GATEWAY_ADDRESS, False, refusal.reason, refusal.message)
        yield _condition(cluster, fact, now)
    elif find(cluster.status.conditions, GATEWAY_ADDRESS):
        text = "What the member's agent reports is taken for the address of its gateway"
        yield _condition(cluster, Fact(GATEWAY_ADDRESS, True, Address.ACCEPTED, text), now)


def _condition(cluster: MemberCluster, fact: Fact, now: datetime) -> Condition:
    new = Condition(
        type=fact.type,
        status=ConditionStatus.of(fact.truth),
        reason=fact.reason,
        message=fact.message,
        observed_generation=cluster.metadata.generation,
        last_transition_time=now,
    )
    return since(cluster.status.conditions, new)
