"""What users hear of an eviction."""

from typing import Final

from fleet.api.conditions import ConditionStatus
from fleet.api.happenings import Turn
from hub.controllers.eviction.plan import EXECUTED, VALID

TURNS: Final = (
    Turn(type=VALID, status=ConditionStatus.FALSE, warning=True),
    Turn(type=EXECUTED, status=ConditionStatus.TRUE),
    Turn(type=EXECUTED, status=ConditionStatus.FALSE, warning=True),
)
