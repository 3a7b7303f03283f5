"""Users hear of a condition when it turns, and not when it is said again."""

import pytest

from fleet.api.conditions import Condition, ConditionStatus
from fleet.api.happenings import Turn, happenings
from fleet.testing.workloads import NOON

TRUE, FALSE, UNKNOWN = ConditionStatus.TRUE, ConditionStatus.FALSE, ConditionStatus.UNKNOWN


def ready(status: ConditionStatus | None, reason: str = "Said") -> list[Condition]:
    if status is None:
        return []
    said = Condition(type="Ready", status=status, reason=reason, last_transition_time=NOON)
    return [said.model_copy(update={"message": f"it is {status}"})]


UP = Turn(type="Ready", status=TRUE, told_as="Up")
DOWN = Turn(type="Ready", status=FALSE, after=TRUE, warning=True)
BROKEN = Turn(type="Ready", status=FALSE, reasons=frozenset({"Broken"}), warning=True)


@pytest.mark.parametrize(
    ("turn", "old", "new", "told"),
    [
        (UP, ready(None), ready(TRUE), "Up"),
        (UP, ready(FALSE), ready(TRUE), "Up"),
        (UP, ready(TRUE), ready(TRUE), ""),
        (UP, ready(TRUE, "A"), ready(TRUE, "B"), "Up"),
        (UP, ready(TRUE), ready(None), ""),
        (UP, ready(TRUE), ready(UNKNOWN), ""),
        (DOWN, ready(None), ready(FALSE), ""),
        (DOWN, ready(UNKNOWN), ready(FALSE), ""),
        (DOWN, ready(TRUE), ready(FALSE), "Said!"),
        (BROKEN, ready(None), ready(FALSE, "Broken"), "Broken!"),
        (BROKEN, ready(FALSE), ready(FALSE, "Broken"), "Broken!"),
        (BROKEN, ready(FALSE, "Broken"), ready(FALSE, "Broken"), ""),
        (BROKEN, ready(TRUE), ready(FALSE, "Other"), ""),
    ],
)
def test_a_turn_is_told_once(
    turn: Turn, old: list[Condition], new: list[Condition], told: str
) -> None:
    found = list(happenings(old, new, [turn]))
    assert [f"{h.reason}{'!' if h.warning else ''}" for h in found] == ([told] if told else [])
    assert all(h.message == new[0].message for h in found)
