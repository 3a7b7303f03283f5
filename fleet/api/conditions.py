"""Typed status conditions, following the Kubernetes API conventions."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from fleet.api.objects import Model
from fleet.api.schema import INT64, Schema

_TYPE: Final = Schema(
    max_length=316,
    pattern=r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?"
    r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$",
)
_REASON: Final = Schema(
    min_length=1, max_length=1024, pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"
)


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

    type: Annotated[str, _TYPE]
    """What is observed; an object has one condition of each type."""
    status: ConditionStatus
    """Whether it is so."""
    reason: Annotated[str, _REASON]
    """Why, in one word for programs."""
    message: Annotated[str, Schema(required=True, max_length=32768)] = ""
    """Why, in a sentence for people."""
    observed_generation: Annotated[int, INT64, Schema(minimum=0)] = 0
    """Generation of the object that was observed."""
    last_transition_time: datetime
    """When the status became what it is."""

    @property
    def true(self) -> bool:
        return self.status is ConditionStatus.TRUE

    @property
    def false(self) -> bool:
        return self.status is ConditionStatus.FALSE

    def says(self, status: ConditionStatus, reason: str, message: str, generation: int) -> bool:
        known = self.status, self.reason, self.message, self.observed_generation
        return known == (status, reason, message, generation)


def find(conditions: Iterable[Condition], kind: str) -> Condition | None:
    """Find the condition of a type."""
    for condition in conditions:
        if condition.type == kind:
            return condition
    return None


def since(current: Iterable[Condition], new: Condition) -> Condition:
    """Return `new`, with the current transition time where the status stays what it was."""
    old = find(current, new.type)
    if old and old.status is new.status:
        return new.model_copy(update={"last_transition_time": old.last_transition_time})
    return new


def turned(old: Iterable[Condition], new: Iterable[Condition]) -> bool:
    """Say whether a condition is new, has another status or the same for another reason."""
    before = {condition.type: (condition.status, condition.reason) for condition in old}
    return any(before.get(c.type) != (c.status, c.reason) for c in new)
