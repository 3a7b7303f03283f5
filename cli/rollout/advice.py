"""What a run waits for, and what its user may do about it. Pure."""

from collections.abc import Iterator

from cli.rollout.report import Part, State, Step
from fleet.api.conditions import find
from fleet.api.objects import Key
from fleet.api.staged_update import UpdateRun

SHOWN_CLUSTERS = 5
"""Named of those that are being updated; a stage may have hundreds."""


def command(verb: str, key: Key, *options: str) -> str:
    """Write a command line that takes a run or placement further."""
    where = (f"-n {key.namespace}",) if key.namespace else ()
    return " ".join((f"`modelfleet rollout {verb} {key.name}", *where, *options)) + "`"


def waits_for(whole: Step) -> Iterator[str]:
    """Say what keeps a run from going on, or from its end."""
    match whole.state:
        case State.PENDING:
            yield "the hub, to look at it"
        case State.READY:
            yield "somebody to start it"
        case State.STOPPED:
            yield "somebody to resume it"
        case State.DONE | State.FAILED:
            return
        case _:
            for stage in whole.steps:
                yield from _within(stage)


def _within(stage: Step) -> Iterator[str]:
    for task in stage.steps:
        if task.part is Part.TASK and task.state is State.WAITING:
            until = task.facts.get("until", "")
            yield f"{task.name} {task.facts['when']} stage {stage.name}" + (
                f", until {until}" if until else ""
            )
    busy = [cluster.name for cluster in stage.clusters() if cluster.state is State.UPDATING]
    if busy:
        more = f" and {len(busy) - SHOWN_CLUSTERS} more" if len(busy) > SHOWN_CLUSTERS else ""
        yield f"stage {stage.name}: {', '.join(busy[:SHOWN_CLUSTERS])}{more}"


def next_steps(run: UpdateRun, whole: Step) -> Iterator[str]:
    """Say what a user may do now."""
    placement = Key(run.namespace, run.spec.placement_name)
    match whole.state:
        case State.PENDING if not run.status.conditions:
            yield "`modelfleet doctor` says whether the hub runs"
        case State.READY:
            yield f"{command('resume', run.key)} starts it"
        case State.STOPPED:
            yield f"{command('resume', run.key)} goes on with it"
        case State.STUCK:
            yield "`modelfleet get bindings` says how far the clusters are"
            yield f"{command('pause', run.key)} stops it"
            yield f"{command('undo', placement)} takes it back"
        case State.FAILED if _planned(run):
            yield f"{command('undo', placement)} takes it back; this run does not go on"
        case State.FAILED:
            yield "mend what it says and make a new run; this one does not go on"
        case _:
            yield from _approvals(run, whole)


def _planned(run: UpdateRun) -> bool:
    planned = find(run.status.conditions, "Initialized")
    return planned is not None and planned.true


def _approvals(run: UpdateRun, whole: Step) -> Iterator[str]:
    for stage in whole.steps:
        for task in stage.steps:
            if task.state is State.WAITING and "approvalRequest" in task.facts:
                options = (f"--stage {stage.name}", f"--{task.facts['when']}")
                yield f"{command('approve', run.key, *options)} lets it go on"
