"""Say of a ModelService how many places serve it, at what price, and under which name. Pure."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from fleet.api.conditions import Condition, ConditionStatus, find, since
from fleet.api.service import ModelEndpoint, ModelService, ModelServiceStatus
from hub.controllers.services.plan import Lost, Observed, lost

READY, CONFLICT = "Ready", "NameConflict"
SHOWN = 5
"""Names that a message tells of one by one."""


class Reason(StrEnum):
    SERVING = "Serving"
    NO_ENDPOINT = "NoEndpoint"
    NO_READY_ENDPOINT = "NoReadyEndpoint"
    UNKNOWN = "EndpointsUnknown"
    NAME_TAKEN = "NameTaken"
    NAME_FREE = "NameFree"


def report(
    service: ModelService, observed: Observed, *, now: datetime
) -> ModelServiceStatus | None:
    """Say how the service fares, or None where it says so already."""
    old, endpoints = service.status, observed.endpoints
    prices = [e.status.usd_per_hour for e in endpoints if e.status.usd_per_hour is not None]
    new = ModelServiceStatus(
        endpoints=len(endpoints),
        ready_endpoints=sum(_state(e) is ConditionStatus.TRUE for e in endpoints),
        usd_per_hour=sum(prices, Decimal(0)) if prices else None,
        conditions=tuple(
            since(old.conditions, condition)
            for condition in (_conflict(service, observed, now), _ready(service, endpoints, now))
        ),
    )
    return None if new == old else new


def _state(endpoint: ModelEndpoint) -> ConditionStatus:
    ready = find(endpoint.status.conditions, READY)
    return ready.status if ready else ConditionStatus.FALSE


def _ready(service: ModelService, endpoints: Sequence[ModelEndpoint], now: datetime) -> Condition:
    states = {_state(endpoint) for endpoint in endpoints}
    if ConditionStatus.TRUE in states:
        state, reason, message = ConditionStatus.TRUE, Reason.SERVING, ""
    elif ConditionStatus.UNKNOWN in states:
        state, reason = ConditionStatus.UNKNOWN, Reason.UNKNOWN
        message = "nothing is heard of the members that serve it"
    elif states:
        state, reason = ConditionStatus.FALSE, Reason.NO_READY_ENDPOINT
        message = "no place that serves it is ready; see its ModelEndpoints"
    else:
        state, reason = ConditionStatus.FALSE, Reason.NO_ENDPOINT
        message = "nothing serves it: place a workload with this model, or write a ModelEndpoint"
    return _condition(service, READY, (state, reason, message), now)


def _conflict(service: ModelService, observed: Observed, now: datetime) -> Condition:
    gone = tuple(lost(service, observed.rivals))
    if not gone:
        return _condition(service, CONFLICT, (ConditionStatus.FALSE, Reason.NAME_FREE, ""), now)
    message = ". ".join(map(_said, gone[:SHOWN]))
    if len(gone) > SHOWN:
        message += f". So it is with {len(gone) - SHOWN} more names"
    return _condition(service, CONFLICT, (ConditionStatus.TRUE, Reason.NAME_TAKEN, message), now)


def _said(gone: Lost) -> str:
    said = f"{gone.holder.key} has the name {gone.name}"
    return f"{said}; ask for {gone.instead}" if gone.instead else said


def _condition(
    service: ModelService, kind: str, said: tuple[ConditionStatus, Reason, str], now: datetime
) -> Condition:
    state, reason, message = said
    return Condition(
        type=kind,
        status=state,
        reason=reason,
        message=message,
        observed_generation=service.metadata.generation,
        last_transition_time=now,
    )
