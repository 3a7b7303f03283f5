"""How a placement goes back to an older snapshot: by a run of its own. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from cli.rollout.advice import command
from cli.rollout.history import Revision, index_of
from cli.rollout.placements import external
from cli.rollout.runs import report
from cli.rollout.subject import RolloutError
from fleet.api import names
from fleet.api.objects import Metadata
from fleet.api.placement import Placement
from fleet.api.scope import Scope
from fleet.api.staged_update import RunState, UpdateRun, UpdateRunSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the user says of it."""

    to_index: int | None = None
    """None is the snapshot before the one in use."""
    strategy: str = ""
    """Empty is that of the newest run, or the only one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What there is of the placement."""

    kinds: Scope
    placement: Placement
    revisions: Sequence[Revision]
    """The oldest first."""
    runs: Sequence[UpdateRun]
    """The oldest first."""
    strategies: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    run: UpdateRun
    """To be made; that which is under way where `made`."""
    made: bool = False
    pause: tuple[UpdateRun, ...] = ()
    """Runs that would go on to bring what is taken back."""
    said: str


def plan(known: Known, wish: Wish) -> Plan:
    """Decide on the run; RolloutError says why there can be none, and what can be done."""
    _may_go_back(known)
    used = _in_use(known)
    to = _target(known, wish, used)
    going = [run for run in known.runs if report(run).goes_on]
    if going and going[-1] is known.runs[-1] and _brings(known, going[-1]) == to:
        return Plan(run=going[-1], made=True, said=_already(going[-1], to))
    run = _run(known, _strategy(known, wish), to)
    return Plan(
        run=run,
        pause=tuple(run for run in going if run.spec.state is RunState.RUN),
        said=f"{run.name} takes {known.placement.name} from snapshot {used} to snapshot {to}",
    )


def _already(run: UpdateRun, to: int) -> str:
    runs = run.spec.state is RunState.RUN
    further = f"{command('watch', run.key)} follows it"
    resume = f"it is not running, {command('resume', run.key)} lets it"
    return f"{run.name} is to bring snapshot {to} already: {further if runs else resume}"


def _may_go_back(known: Known) -> None:
    placement = known.placement
    there = f"{placement.kind()} {placement.key}"
    if not external(placement):
        raise RolloutError(
            f"{there} rolls out by itself (RollingUpdate), and always the newest snapshot:"
            f" put its objects back as they were, of which {command('history', placement.key)}"
            " says what changed; or set spec.strategy.type to External, which it then stays,"
            " and undo again"
        )
    if not known.revisions:
        raise RolloutError(f"{there} has no snapshot yet: is the hub up?")


def _in_use(known: Known) -> int:
    """Find the newest snapshot that a cluster has, or that a run is about to bring."""
    brought = [r.index for r in known.revisions if r.clusters]
    last = known.runs[-1] if known.runs else None
    if last and report(last).goes_on:
        brought.append(_brings(known, last))
    if not brought:
        raise RolloutError(f"no cluster has anything of {known.placement.key}: nothing to undo")
    return max(brought)


def _brings(known: Known, run: UpdateRun) -> int:
    """Tell the snapshot of a run: the newest where it names none."""
    index = index_of(run)
    return int(index) if index.isdecimal() else known.revisions[-1].index


def _target(known: Known, wish: Wish, used: int) -> int:
    there = [revision.index for revision in known.revisions]
    if wish.to_index is None:
        older = [index for index in there if index < used]
        if not older:
            limit = known.placement.spec.revision_history_limit
            raise RolloutError(
                f"there is no snapshot before {used}, which is in use: spec.revisionHistoryLimit"
                f" keeps {limit}"
            )
        return older[-1]
    if wish.to_index not in there:
        listed = ", ".join(map(str, there))
        raise RolloutError(f"--to-index: there is no snapshot {wish.to_index}, but {listed}")
    return wish.to_index


def _strategy(known: Known, wish: Wish) -> str:
    there = sorted(known.strategies)
    kind = known.kinds.strategy.kind()
    if wish.strategy:
        if wish.strategy not in there:
            listed = ", ".join(there) or "none"
            raise RolloutError(f"--strategy: there is no {kind} {wish.strategy}, but: {listed}")
        return wish.strategy
    if known.runs and known.runs[-1].spec.staged_rollout_strategy_name in there:
        return known.runs[-1].spec.staged_rollout_strategy_name
    if len(there) != 1:
        raise RolloutError(f"--strategy: say which {kind}: {', '.join(there) or 'there is none'}")
    return there[0]


def _run(known: Known, strategy: str, to: int) -> UpdateRun:
    """Name it after what it follows: said twice at the same time it is one run."""
    placement = known.placement
    after = known.runs[-1].metadata.uid if known.runs else ""
    name = names.cut(f"{placement.name}-to-{to}", placement.metadata.uid, str(to), after)
    return known.kinds.run(
        metadata=_metadata(name, placement.namespace),
        spec=UpdateRunSpec(
            placement_name=placement.name,
            resource_snapshot_index=str(to),
            staged_rollout_strategy_name=strategy,
            state=RunState.RUN,
        ),
    )


def _metadata(name: str, namespace: str) -> Metadata:
    return Metadata(name=name, namespace=namespace) if namespace else Metadata(name=name)
