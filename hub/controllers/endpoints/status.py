"""Say whether a place serves its model, by what its member reported. Pure."""

from datetime import datetime
from enum import StrEnum

from fleet.api.conditions import Condition, ConditionStatus, since
from fleet.api.service import ModelEndpoint, ModelEndpointStatus
from fleet.api.workspace import UPDATING, InferenceSetStatus
from hub.workloads import READY_CONDITIONS, Share

READY = "Ready"


class Reason(StrEnum):
    SERVING = "Serving"
    NOT_READY = "WorkloadNotReady"
    NOT_REPORTED = "NotReported"
    SILENT = "MemberSilent"


def report(endpoint: ModelEndpoint, share: Share, *, now: datetime) -> ModelEndpointStatus | None:
    """Say how the share fares, or None where the endpoint says so already."""
    replicas, ready = _replicas(share)
    new = ModelEndpointStatus(
        replicas=replicas,
        ready_replicas=ready,
        usd_per_hour=share.allocation.usd_per_hour if share.allocation else None,
        conditions=(since(endpoint.status.conditions, _ready(endpoint, share, now)),),
    )
    return None if new == endpoint.status else new


def _ready(endpoint: ModelEndpoint, share: Share, now: datetime) -> Condition:
    told = share.condition(_ready_type(share))
    if share.silent:
        state, reason = ConditionStatus.UNKNOWN, Reason.SILENT
        message = f"nothing is heard of {share.cluster}"
    elif _replicas(share)[1]:
        state, reason, message = ConditionStatus.TRUE, Reason.SERVING, ""
    elif told is None:
        state, reason = ConditionStatus.FALSE, Reason.NOT_REPORTED
        message = f"{share.cluster} has not reported yet"
    else:
        state, reason, message = ConditionStatus.FALSE, Reason.NOT_READY, told.message
    return Condition(
        type=READY,
        status=state,
        reason=reason,
        message=message,
        observed_generation=endpoint.metadata.generation,
        last_transition_time=now,
    )


def _ready_type(share: Share) -> str:
    many = isinstance(share.status, InferenceSetStatus)
    return READY_CONDITIONS["InferenceSet" if many else "Workspace"]


def _replicas(share: Share) -> tuple[int, int]:
    """Count the engines of a share and those that answer; a Workspace is one.

    One that is being updated answers as it was before: the way to it stays.
    """
    if isinstance(share.status, InferenceSetStatus):
        return share.status.replicas, share.status.ready_replicas
    told = share.condition(_ready_type(share))
    return 1, int(told is not None and (told.true or told.reason == UPDATING))
