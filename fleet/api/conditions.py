"""Typed status conditions, following the Kubernetes API conventions."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from fleet.api.objects import Model


class ConditionStatus(StrEnum):
    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"

    @classmethod
    def of(cls, value: bool | None) -> "ConditionStatus":
        if value is None:
            return cls.UNKNOWN
        return cls.TRUE if value else cls.FALSE


class Condition(Model):
    """One observation about an object, as of `observed_generation`.

    The server keeps them as a map by type: a reporter sends its own types and no others.
    """

    type: str
    status: ConditionStatus
    reason: str
    message: str = ""
    observed_generation: int = 0
    last_transition_time: datetime

    @property
    def true(self) -> bool:
        return self.status is ConditionStatus.TRUE

    @property
    def false(self) -> bool:
        return self.status is ConditionStatus.FALSE


def find(conditions: Iterable[Condition], kind: str) -> Condition | None:
    """Find the condition of a type."""
    return next((condition for condition in conditions if condition.type == kind), None)


def since(current: Iterable[Condition], new: Condition) -> Condition:
    """Return `new`, with the current transition time where the status stays what it was."""
    old = find(current, new.type)
    if old and old.status is new.status:
        return new.model_copy(update={"last_transition_time": old.last_transition_time})
    return new
