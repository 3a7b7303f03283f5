"""What becomes of a run that is told to pause or to go on, by the state that it has."""

import pytest

from cli.rollout.subject import RolloutError
from cli.rollout.turns import pause, resume
from fleet.api.staged_update import ClusterStagedUpdateRun, RunState
from tests.unit.cli.rollout.bodies import PLANNED, Body, condition, run

TOLD = {"pause": pause, "resume": resume}
FAILED = condition("Succeeded", "False", "UpdateRunFailed")
DONE = condition("Succeeded", "True", "UpdateRunSucceeded")


def made(state: str, *conditions: Body) -> ClusterStagedUpdateRun:
    body = run(PLANNED, *conditions, state=state)
    return ClusterStagedUpdateRun.model_validate(body)


@pytest.mark.parametrize(
    ("told", "state", "to", "said"),
    [
        ("pause", "Run", RunState.STOP, "is paused: clusters that are being updated finish"),
        ("pause", "Stop", None, "is paused already"),
        ("resume", "Stop", RunState.RUN, "goes on"),
        ("resume", "Initialize", RunState.RUN, "is started"),
        ("resume", "Run", None, "runs already"),
    ],
)
def test_a_run_is_brought_to_the_state_that_is_meant(
    told: str, state: str, to: RunState | None, said: str
) -> None:
    turn = TOLD[told](made(state))
    assert turn.to is to
    assert said in turn.said


def test_a_run_that_was_not_started_has_nothing_to_pause() -> None:
    with pytest.raises(RolloutError, match="has not been started"):
        pause(made("Initialize"))


@pytest.mark.parametrize(("end", "said"), [(FAILED, "is failed"), (DONE, "is done")])
@pytest.mark.parametrize("told", TOLD)
def test_a_run_that_has_ended_neither_stops_nor_goes_on(told: str, end: Body, said: str) -> None:
    with pytest.raises(RolloutError, match=f"{said}.*make a new one.*rollout undo chat"):
        TOLD[told](made("Run", end))
