"""Decide what a Work needs on this member. Pure: no I/O, no clock, no randomness."""

from collections.abc import Iterator

from fleet.api.ending import Ending
from fleet.api.names import ENSURE_NAMESPACE, WORK_BINDING_CLEANUP
from fleet.api.objects import Metadata
from fleet.api.work import AppliedResource, AppliedWork, AppliedWorkSpec, Work
from member_agent.controllers.work.plan.actions import (
    Adopt,
    Apply,
    Drop,
    EnsureNamespace,
    Hold,
    Observed,
    Part,
    Plan,
    Reason,
    Release,
    Remove,
    Step,
    Verdict,
)
from member_agent.controllers.work.plan.manifests import Ref, wave
from member_agent.controllers.work.plan.ownership import judge


def plan(observed: Observed) -> Plan:
    """Compare what the Work holds with what is there, and list the steps between them."""
    work, record = observed.work, observed.record
    if work is None:
        return Plan(after=_forgotten(record))
    if observed.leaving or work.deleting:
        return Plan(after=_end(work, observed))
    if record and record.deleting:
        why = Verdict(Reason.APPLY_FAILED, "waits until an earlier AppliedWork is deleted")
        return Plan(settled=tuple((part, why) for part in observed.parts), reports=True)
    return _upkeep(work, observed)


def _upkeep(work: Work, observed: Observed) -> Plan:
    record = observed.record
    judged = [(part, judge(part, observed)) for part in observed.parts]
    steps: list[Step] = [verdict for _, verdict in judged if isinstance(verdict, Apply)]
    settled = [(part, verdict) for part, verdict in judged if isinstance(verdict, Verdict)]
    held = WORK_BINDING_CLEANUP in work.metadata.finalizers
    return Plan(
        before=(*(() if held else (Hold(work),)), *(() if record else (Adopt(_new_record(work)),))),
        intent=_intent(observed),
        waves=_waves([*_missing_namespaces(work, observed), *steps]),
        after=tuple(_removals(observed)),
        settled=tuple(settled),
        reports=True,
    )


def _forgotten(record: AppliedWork | None) -> tuple[Drop, ...]:
    """A record without a Work is kept: a member that left goes on. An empty one holds nothing."""
    if record is None or record.deleting or record.status.applied_resources:
        return ()
    return (Drop(record),)


def _end(work: Work, observed: Observed) -> tuple[Drop | Release, ...]:
    """Nobody decided against what a Work holds that goes with its kind, or whose member leaves."""
    if observed.leaving or observed.ending is Ending.WITH_KIND:
        return _released(work)
    return () if observed.ending is Ending.UNKNOWN else _farewell(work, observed.record)


def _released(work: Work) -> tuple[Release, ...]:
    return (Release(work),) if WORK_BINDING_CLEANUP in work.metadata.finalizers else ()


def _farewell(work: Work, record: AppliedWork | None) -> tuple[Drop | Release, ...]:
    """The Work's finalizer goes after the record, the record after all that it owns."""
    if record is None:
        return _released(work)
    return () if record.deleting else (Drop(record),)


def _new_record(work: Work) -> AppliedWork:
    return AppliedWork(
        metadata=Metadata(name=work.name),
        spec=AppliedWorkSpec(work_name=work.name, work_namespace=work.namespace),
    )


def _intent(observed: Observed) -> tuple[AppliedResource, ...] | None:
    """Name in the record what is about to be made, so that a crash loses nothing."""
    old = observed.record.status.applied_resources if observed.record else ()
    known = {Ref.of(resource) for resource in old}
    new = [_resource(part) for part in observed.parts if part.ref not in known and not part.problem]
    return (*old, *new) if new else None


def _resource(part: Part) -> AppliedResource:
    return AppliedResource(**part.identifier.model_dump(), uid=part.live.uid if part.live else "")


def _missing_namespaces(work: Work, observed: Observed) -> Iterator[EnsureNamespace]:
    if work.metadata.annotations.get(ENSURE_NAMESPACE) != "true":
        return
    there = observed.namespaces | {p.ref.name for p in observed.parts if p.ref.kind == "Namespace"}
    wanted = {part.ref.namespace for part in observed.parts if not part.problem}
    yield from map(EnsureNamespace, sorted(wanted - there - {""}))


def _waves(steps: list[Step]) -> tuple[tuple[Step, ...], ...]:
    order: dict[int, list[Step]] = {}
    for step in steps:
        turn = wave(step.part.ref) if isinstance(step, Apply) else 0
        order.setdefault(turn, []).append(step)
    return tuple(tuple(order[turn]) for turn in sorted(order))


def _removals(observed: Observed) -> Iterator[Remove]:
    """Delete what left the Work, where it is still ours alone."""
    if observed.record is None:
        return
    mine = observed.record.metadata.uid
    for resource in observed.record.status.applied_resources:
        live = observed.recorded.get(Ref.of(resource))
        if live and not live.deleting and {owner.uid for owner in live.owners} == {mine}:
            yield Remove(resource, live.uid)
