"""Say of a ModelDeployment how many replicas answer, where and at what price, or why not. Pure."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from fleet.api.binding import Allocation
from fleet.api.conditions import Condition, ConditionStatus, find, since
from fleet.api.deployment import DeploymentStatus, ModelDeployment
from fleet.api.placement import Placement, ResourceIdentifier
from hub.controllers.model_deployment.plan import Observed, rival

READY = "Ready"


class Reason(StrEnum):
    ALL_READY = "AllReplicasReady"
    SOME_READY = "SomeReplicasReady"
    NOT_READY = "ReplicasNotReady"
    NOT_SCHEDULED = "NotScheduled"
    NAME_CONFLICT = "NameConflict"


def report(
    deployment: ModelDeployment, observed: Observed, *, now: datetime
) -> DeploymentStatus | None:
    """Say how the deployment fares, or None where it says so already."""
    old, sets = deployment.status, observed.inference_set
    allocations = tuple(_allocations(observed))
    clusters = {b.spec.target_cluster for b in observed.bindings if b.in_use}
    ready = sets.status.ready_replicas if sets and not rival(observed) else 0
    new = DeploymentStatus(
        replicas=deployment.spec.replicas,
        ready_replicas=ready,
        clusters=tuple(sorted(clusters)),
        usd_per_hour=sum((a.usd_per_hour for a in allocations), Decimal(0)) or None,
        endpoint=deployment.spec.endpoint.name or deployment.spec.model,
        workload=ResourceIdentifier(
            group="kaito.sh",
            version="v1beta1",
            kind="InferenceSet",
            name=deployment.name,
            namespace=deployment.namespace,
        ),
        conditions=(since(old.conditions, _ready(deployment, observed, ready, now)),),
    )
    return None if new == old else new


def _allocations(observed: Observed) -> Iterator[Allocation]:
    for binding in observed.bindings:
        if binding.in_use:
            yield from binding.spec.allocations


def _ready(deployment: ModelDeployment, observed: Observed, ready: int, now: datetime) -> Condition:
    state, reason, message = _verdict(deployment, observed, ready)
    return Condition(
        type=READY,
        status=state,
        reason=reason,
        message=message,
        observed_generation=deployment.metadata.generation,
        last_transition_time=now,
    )


def _verdict(
    deployment: ModelDeployment, observed: Observed, ready: int
) -> tuple[ConditionStatus, Reason, str]:
    other = rival(observed)
    if other:
        message = f"{other.API} {other.kind()} {other.name} has this name; choose another"
        return ConditionStatus.FALSE, Reason.NAME_CONFLICT, message
    wanted = deployment.spec.replicas
    if ready >= wanted:
        return ConditionStatus.TRUE, Reason.ALL_READY, ""
    said = _why(observed.placement)
    if said:
        return ConditionStatus.FALSE, Reason.NOT_SCHEDULED, said
    reason = Reason.SOME_READY if ready else Reason.NOT_READY
    return ConditionStatus.FALSE, reason, f"{ready} of {wanted} replicas are ready"


def _why(placement: Placement | None) -> str:
    """Repeat what the placement says, where it has found no place."""
    if placement is None:
        return ""
    scheduled = find(placement.status.conditions, f"{placement.kind()}Scheduled")
    return scheduled.message or scheduled.reason if scheduled and scheduled.false else ""
