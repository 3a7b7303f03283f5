"""Report on a binding that the rollout has given it the latest resources. Pure."""

from datetime import datetime

from fleet.api.binding import Binding, BindingStatus
from fleet.api.conditions import Condition, ConditionStatus, since


def started(binding: Binding, *, now: datetime) -> BindingStatus:
    condition = Condition(
        type="RolloutStarted",
        status=ConditionStatus.TRUE,
        reason="RolloutStarted",
        message="The binding has been given the latest resources",
        observed_generation=binding.metadata.generation,
        last_transition_time=now,
    )
    return BindingStatus(conditions=(since(binding.status.conditions, condition),))
