"""What users hear of a ModelDeployment."""

from typing import Final

from fleet.api.conditions import ConditionStatus
from fleet.api.happenings import Turn
from hub.controllers.model_deployment.status import READY, Reason

FALSE: Final = ConditionStatus.FALSE
TURNS: Final = (
    Turn(type=READY, status=ConditionStatus.TRUE),
    Turn(
        type=READY,
        status=FALSE,
        reasons=frozenset({Reason.NAME_CONFLICT, Reason.NOT_SCHEDULED}),
        warning=True,
    ),
    Turn(
        type=READY,
        status=FALSE,
        reasons=frozenset({Reason.SOME_READY, Reason.NOT_READY}),
        after=ConditionStatus.TRUE,
        warning=True,
    ),
)
