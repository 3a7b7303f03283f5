"""What users hear of a ModelService."""

from typing import Final

from fleet.api.conditions import ConditionStatus
from fleet.api.happenings import Turn
from hub.controllers.services.status import CONFLICT, READY

TRUE: Final = ConditionStatus.TRUE
TURNS: Final = (
    Turn(type=CONFLICT, status=TRUE, told_as=CONFLICT, warning=True),
    Turn(type=READY, status=TRUE),
    Turn(type=READY, status=ConditionStatus.FALSE, after=TRUE, warning=True),
    Turn(type=READY, status=ConditionStatus.UNKNOWN, after=TRUE, warning=True),
)
