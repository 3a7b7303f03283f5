"""What users hear of a run. Pure."""

from collections.abc import Iterable, Iterator
from typing import Final

from fleet.api.conditions import ConditionStatus
from fleet.api.happenings import Happening, Turn, happenings
from fleet.api.staged_update import UpdateRunStatus
from hub.controllers.updaterun.plan.actions import Action, Ask
from hub.controllers.updaterun.plan.marks import INITIALIZED, PROGRESSING, SUCCEEDED, Reason

TRUE, FALSE = ConditionStatus.TRUE, ConditionStatus.FALSE
TURNS: Final = (
    Turn(type=INITIALIZED, status=TRUE),
    Turn(type=INITIALIZED, status=FALSE, warning=True),
    Turn(type=PROGRESSING, status=FALSE, reasons=frozenset({Reason.STUCK}), warning=True),
    Turn(type=PROGRESSING, status=FALSE, reasons=frozenset({Reason.STOPPED})),
    Turn(type=SUCCEEDED, status=TRUE),
    Turn(type=SUCCEEDED, status=FALSE, warning=True),
)


def told(old: UpdateRunStatus, new: UpdateRunStatus) -> Iterator[Happening]:
    """Compare what a run said with what it says now."""
    yield from happenings(old.conditions, new.conditions, TURNS)


def asked(actions: Iterable[Action]) -> Iterator[Happening]:
    """Tell whose word a run waits for."""
    for action in actions:
        if isinstance(action, Ask):
            request = action.approval
            text = (
                f"Stage {request.spec.target_stage} waits for {request.kind()} {request.name}:"
                f" modelfleet rollout approve {request.spec.parent_stage_rollout}, or give it a"
                " condition Approved"
            )
            yield Happening("ApprovalRequested", text)
