"""Decide the next step of an update run: its state machine. Pure: no I/O, no clock, no randomness.

The status of the run is what the machine remembers; all else is read anew each time.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from fleet.api import names
from fleet.api.staged_update import (
    RunState,
    UpdateRun,
    UpdateRunStatus,
    UpdateStrategySpec,
)
from hub.controllers.updaterun.plan import changes, stage
from hub.controllers.updaterun.plan.actions import Action, Hold, Observed, Plan, Release, Withdraw
from hub.controllers.updaterun.plan.context import Context
from hub.controllers.updaterun.plan.errors import (
    AbortedError,
    EndError,
    InvalidError,
    NotYetError,
    RunError,
)
from hub.controllers.updaterun.plan.initialise import initialise
from hub.controllers.updaterun.plan.machine import Machine, renewed
from hub.controllers.updaterun.plan.marks import (
    INITIALIZED,
    PROGRESSING,
    Pen,
    Reason,
    reason_of,
    true,
)
from hub.controllers.updaterun.plan.selection import (
    Selection,
    decided,
    indexed,
    placement_of,
    select,
    selected,
)
from hub.controllers.updaterun.plan.stage import Standing, Step
from hub.update_runs import finished

SETTLING: Final = timedelta(seconds=2)
"""A run is not said to be wrong before: what it names may have been made together with it."""
PATIENCE: Final = timedelta(seconds=15)
"""Until a run that waits for its placement's clusters is said to be wrong."""
LOOK_AGAIN_SECONDS: Final = 1.0


def plan(observed: Observed) -> Plan:
    """Compare what a run says with what there is, and take its next step."""
    run = observed.run
    if run is None:
        return Plan()
    if run.deleting:
        return _farewell(observed, run)
    if finished(run):
        return Plan()
    hold = () if names.UPDATE_RUN_FINALIZER in run.metadata.finalizers else (Hold(run),)
    pen = Pen(run.metadata.generation, observed.now)
    if true(run.status.conditions, INITIALIZED):
        planned = _go_on(observed, run, pen)
    else:
        planned = _begin(observed, run, pen)
    return replace(planned, first=(*hold, *planned.first))


def _farewell(observed: Observed, run: UpdateRun) -> Plan:
    asked = tuple(
        Withdraw(each)
        for each in observed.approvals
        if each.metadata.labels.get(names.TARGET_UPDATE_RUN) == run.name
    )
    held = names.UPDATE_RUN_FINALIZER in run.metadata.finalizers
    return Plan(first=asked, then=(Release(run),) if held else ())


def _begin(observed: Observed, run: UpdateRun, pen: Pen) -> Plan:
    try:
        return Plan(status=pen.planned(initialise(observed, run)))
    except RunError as error:
        patience, why = (PATIENCE if isinstance(error, NotYetError) else SETTLING), str(error)
    since = run.metadata.creation_timestamp
    if since is not None and observed.now - since < patience:
        return Plan(again_in_seconds=LOOK_AGAIN_SECONDS)
    return Plan(status=pen.not_planned(run.status, why))


def _go_on(observed: Observed, run: UpdateRun, pen: Pen) -> Plan:
    if run.spec.state is RunState.INITIALIZE or _rests(run):
        return Plan()
    status = renewed(run.status, pen)
    try:
        context, status = _prepared(observed, run, pen, status)
    except NotYetError:
        return Plan(again_in_seconds=LOOK_AGAIN_SECONDS)
    except EndError as error:
        return Plan(status=pen.failed(status, str(error)))
    return (_advance if context.running else _halt)(context, Machine(status, _spec(status)))


def _rests(run: UpdateRun) -> bool:
    stopped = reason_of(run.status.conditions, PROGRESSING) == Reason.STOPPED
    return run.spec.state is RunState.STOP and stopped


def _spec(status: UpdateRunStatus) -> UpdateStrategySpec:
    return status.staged_update_strategy_snapshot or UpdateStrategySpec(stages=())


def _prepared(
    observed: Observed, run: UpdateRun, pen: Pen, status: UpdateRunStatus
) -> tuple[Context, UpdateRunStatus]:
    """Hold the run against what there is; its clusters may be others by now."""
    strategy = _spec(status)
    if strategy.follows:
        placement = placement_of(observed, run)
        selection = selected(observed, placement, decided(observed, placement))
        _same_way(status, selection)
        status = changes.follow(status, strategy, selection, observed.labels)
    else:
        selection = select(observed, run)
        _same_way(status, selection)
        changes.compare(status, selection, observed)
    context = Context(
        run=run,
        pen=pen,
        selection=selection,
        group=indexed(observed.groups, int(status.resource_snapshot_index_used), run),
        apply_strategy=status.applied_strategy,
        stuck_after=strategy.stuck_after,
        approvals={approval.name: approval for approval in observed.approvals},
        approval_kind=observed.approval_kind,
    )
    return context, status


def _same_way(status: UpdateRunStatus, selection: Selection) -> None:
    if status.applied_strategy != selection.apply_strategy:
        raise InvalidError(
            "spec.strategy.applyStrategy of the placement has changed since the run began: make a"
            " new run"
        )


def _advance(context: Context, machine: Machine) -> Plan:
    """Go from stage to stage, as far as it goes by now."""
    first: list[Action] = []
    while True:
        last = machine.index == len(machine.status.stages_status)
        try:
            step = machine.step(context)
        except AbortedError as fault:
            return _aborted(context, machine, fault, first)
        machine = machine.having(step.stage)
        first += step.first
        if step.standing is not Standing.DONE:
            status = _told(context.pen, machine.status, step)
            return Plan(tuple(first), step.then, status, step.again_in_seconds)
        if last:
            return Plan(first=tuple(first), status=context.pen.succeeded(machine.status))


def _told(pen: Pen, status: UpdateRunStatus, step: Step) -> UpdateRunStatus:
    if step.waits_for:
        return pen.waiting(status, f"The run waits: {step.waits_for}")
    if step.stuck:
        return pen.stuck(status, step.stage.stage_name, step.stuck)
    return pen.progressing(status)


def _halt(context: Context, machine: Machine) -> Plan:
    pen = context.pen
    try:
        step = machine.halt(context)
    except AbortedError as fault:
        return _aborted(context, machine, fault, [])
    status = machine.having(step.stage).status
    if step.standing is Standing.DONE:
        return Plan(status=pen.stopped(status))
    stuck = pen.stuck(status, step.stage.stage_name, step.stuck) if step.stuck else None
    return Plan((), step.then, stuck or pen.stopping(status), step.again_in_seconds)


def _aborted(context: Context, machine: Machine, fault: AbortedError, first: list[Action]) -> Plan:
    status = machine.having(stage.failed(context, machine.stage, fault)).status
    return Plan(first=tuple(first), status=context.pen.failed(status, str(fault)))
