"""How a run is paused, and how it goes on. Pure."""

from dataclasses import dataclass

from cli.rollout.advice import command
from cli.rollout.runs import report
from cli.rollout.subject import RolloutError
from fleet.api.objects import Key
from fleet.api.staged_update import RunState, UpdateRun


@dataclass(frozen=True, slots=True)
class Turn:
    """The state that a run is to have; None where it has it already."""

    to: RunState | None
    said: str


def pause(run: UpdateRun) -> Turn:
    """Have a run begin no further cluster; RolloutError where it does not run."""
    _goes_on(run)
    match run.spec.state:
        case RunState.RUN:
            rest = "clusters that are being updated finish, no others begin"
            further = f"{command('resume', run.key)} goes on"
            return Turn(RunState.STOP, f"{run.name} is paused: {rest}; {further}")
        case RunState.STOP:
            return Turn(None, f"{run.name} is paused already")
        case RunState.INITIALIZE:
            raise RolloutError(f"{run.name} has not been started: there is nothing to pause")


def resume(run: UpdateRun) -> Turn:
    """Have a run go on, or begin; RolloutError where it has ended."""
    _goes_on(run)
    follow = f"{command('watch', run.key)} follows it"
    match run.spec.state:
        case RunState.RUN:
            return Turn(None, f"{run.name} runs already; {follow}")
        case RunState.STOP:
            return Turn(RunState.RUN, f"{run.name} goes on; {follow}")
        case RunState.INITIALIZE:
            return Turn(RunState.RUN, f"{run.name} is started; {follow}")


def _goes_on(run: UpdateRun) -> None:
    found = report(run)
    if not found.goes_on:
        placement = Key(run.namespace, run.spec.placement_name)
        raise RolloutError(
            f"{run.name} is {found.whole.state}, and such a run neither stops nor goes on:"
            f" make a new one, or {command('undo', placement)} takes back what it brought"
        )
