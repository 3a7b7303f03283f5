"""How a run stands, in one word, and what is reported on bindings and approvals. Pure."""

from datetime import datetime

from fleet.api.binding import Binding, BindingStatus
from fleet.api.conditions import Condition, ConditionStatus, find
from fleet.api.staged_update import Approval, ApprovalStatus, UpdateRun, UpdateRunStatus

PENDING = "Pending"
TELLING = ("Succeeded", "Progressing", "Initialized")
"""The conditions of a run, the one that says most first."""


def standing(run: UpdateRun) -> str:
    """Give the reason of the condition that says most."""
    found = (find(run.status.conditions, kind) for kind in TELLING)
    return next((condition.reason for condition in found if condition), PENDING)


def not_planned(status: UpdateRunStatus) -> bool:
    said = find(status.conditions, "Initialized")
    return said is not None and said.false


def given(binding: Binding, message: str, *, now: datetime) -> BindingStatus:
    """Say on a binding that the run has begun with it; its date is that of the last time."""
    condition = Condition(
        type="RolloutStarted",
        status=ConditionStatus.TRUE,
        reason="RolloutStarted",
        message=message,
        observed_generation=binding.metadata.generation,
        last_transition_time=now,
    )
    return BindingStatus(conditions=(condition,))


def accepted(approval: Approval, *, now: datetime) -> ApprovalStatus:
    condition = Condition(
        type="ApprovalAccepted",
        status=ConditionStatus.TRUE,
        reason="ApprovalRequestApprovalAccepted",
        message="The run goes on; the approval can be taken back no more",
        observed_generation=approval.metadata.generation,
        last_transition_time=now,
    )
    return ApprovalStatus(conditions=(condition,))
