"""A placement that no run updates as a report: what each of its clusters has. Pure."""

from collections.abc import Iterable, Sequence
from typing import Final

from cli.rollout.report import Column, Part, Report, State, Step
from fleet.api.binding import Binding
from fleet.api.conditions import Condition, find
from fleet.api.placement import Placement
from fleet.api.staged_update import ClusterStagedUpdateRun, StagedUpdateRun

COLUMNS: Final = (
    Column("SNAPSHOT", ("snapshot",)),
    Column("APPLIED", ("applied",)),
    Column("AVAILABLE", ("available",)),
)
FAULTS: Final = ("Overridden", "Applied")
"""Conditions that are False where a cluster cannot have what it was given."""
REACHED: Final = ("Available", "DiffReported")
"""Conditions of which one is True where a cluster has it."""
BEGUN: Final = ("Applied", "WorkSynchronized", "RolloutStarted")
_SNAPSHOT: Final = "-snapshot"
Found = tuple[State, Condition | None]


def report(placement: Placement, bindings: Iterable[Binding]) -> Report:
    """Say how far the clusters of a placement are."""
    newest = "" if external(placement) else placement.status.observed_resource_index
    found = (_cluster(binding, newest) for binding in bindings)
    clusters = tuple(sorted(found, key=lambda step: step.name))
    state, why = _whole(placement, clusters)
    whole = Step(
        name=placement.name,
        state=state,
        why=why,
        facts={
            "kind": placement.kind(),
            "namespace": placement.namespace,
            "strategy": "External" if external(placement) else "RollingUpdate",
            "resourceSnapshotIndex": placement.status.observed_resource_index,
        },
        steps=clusters,
    )
    waits, advice = _outlook(placement, whole)
    return Report(
        title=f"{placement.kind()} {placement.key}",
        whole=whole,
        columns=COLUMNS,
        waits_for=waits,
        next=advice,
        goes_on=state is not State.DONE,
    )


def external(placement: Placement) -> bool:
    """Say whether runs update a placement, instead of the hub by itself."""
    return placement.spec.strategy.type == "External"


def snapshot_index(name: str) -> str:
    """Read the index from a resource snapshot's name; empty where there is none."""
    return name.removesuffix(_SNAPSHOT).rpartition("-")[2] if name.endswith(_SNAPSHOT) else ""


def _cluster(binding: Binding, newest: str) -> Step:
    current = _current(binding)
    index = snapshot_index(binding.spec.resource_snapshot_name)
    state, why = _cluster_state(binding, current)
    if state is not State.LEAVING and newest and index != newest:
        state, why = State.PENDING, None
    return Step(
        part=Part.CLUSTER,
        name=binding.spec.target_cluster,
        state=state,
        why=why,
        facts={
            "snapshot": index,
            "applied": _said(current, "Applied"),
            "available": _said(current, "Available"),
        },
    )


def _current(binding: Binding) -> tuple[Condition, ...]:
    """Leave out what was said before the binding was changed last."""
    generation = binding.metadata.generation
    return tuple(c for c in binding.status.conditions if c.observed_generation >= generation)


def _said(conditions: Sequence[Condition], kind: str) -> str:
    condition = find(conditions, kind)
    return str(condition.status) if condition else ""


def _cluster_state(binding: Binding, current: Sequence[Condition]) -> Found:
    if not binding.in_use:
        return State.LEAVING, None
    for fault in _those(current, FAULTS):
        if fault.false:
            return State.FAILED, fault
    for reached in _those(current, REACHED):
        if reached.true:
            return State.DONE, reached
    begun = next(iter(_those(current, (*REACHED, *BEGUN))), None)
    return (State.UPDATING if begun else State.PENDING), begun


def _those(conditions: Sequence[Condition], kinds: Iterable[str]) -> list[Condition]:
    return [found for kind in kinds if (found := find(conditions, kind))]


def _whole(placement: Placement, clusters: Sequence[Step]) -> Found:
    """Say of all what is worst of one."""
    scheduled = find(placement.status.conditions, f"{placement.kind()}Scheduled")
    if external(placement):
        return State.WAITING, None
    if failed := [cluster for cluster in clusters if cluster.state is State.FAILED]:
        return State.FAILED, failed[0].why
    if any(cluster.state is not State.DONE for cluster in clusters):
        return State.UPDATING, None
    if scheduled is None or not scheduled.true:
        return (State.WAITING if clusters else State.PENDING), scheduled
    return State.DONE, None


def _outlook(placement: Placement, whole: Step) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Say what a placement waits for, and what its user may do."""
    if external(placement):
        kind = StagedUpdateRun if placement.NAMESPACED else ClusterStagedUpdateRun
        make = f"make a {kind.kind()} that names it: nothing reaches its clusters without one"
        return (f"a {kind.kind()} of this placement",), (make,)
    match whole.state:
        case State.DONE:
            return (), ()
        case State.FAILED:
            return (), ("`modelfleet get works` says which objects are refused, and where",)
        case State.PENDING | State.WAITING:
            said = whole.message or "the hub, to choose clusters"
            within = f" -n {placement.namespace}" if placement.namespace else ""
            asked = f"`modelfleet explain {placement.name}{within}`"
            hint = f"{asked} says why no other cluster will do"
            return (said,), (hint,) if whole.why else ("`modelfleet doctor`",)
        case _:
            busy = [one.name for one in whole.steps if one.state is not State.DONE]
            return (", ".join(busy),), ()
