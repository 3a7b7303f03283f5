"""Decide which Works carry out a binding. Pure: no I/O, no clock, no randomness."""

from collections.abc import Iterator, Mapping, Sequence

from fleet.api import names
from fleet.api.binding import Allocation, Binding, BindingState
from fleet.api.ending import Ending
from fleet.api.objects import Metadata
from fleet.api.placement import Placement, Strategy
from fleet.api.snapshot import Snapshot
from fleet.api.work import Work, Workload, WorkSpec
from fleet.engine.snapshots import Group, demands_digest, index_of, subindex_of
from hub.controllers.work_generation.plan.actions import (
    Action,
    Change,
    Create,
    Delete,
    Hold,
    Observed,
    Plan,
    Release,
)
from hub.controllers.work_generation.plan.members import is_workload, member_copies, reference

OURS = (
    names.PARENT_SNAPSHOT_NAME,
    names.WORKLOAD,
    names.ENSURE_NAMESPACE,
)
"""Annotations of a Work that this controller writes, or takes away."""


def plan(observed: Observed) -> Plan:
    """Compare the Works that a binding needs with those that there are."""
    binding = observed.binding
    if binding is None or binding.deleting:
        return Plan(tuple(_farewell(observed)))
    if binding.spec.state is not BindingState.BOUND or not observed.member:
        return Plan()
    wanted = _wanted(observed, binding)
    if wanted is None:
        return Plan()
    held = names.WORK_BINDING_CLEANUP in binding.metadata.finalizers
    hold = () if held else (Hold(binding),)
    return Plan((*_steps(wanted, observed.works), *hold), wanted)


def _farewell(observed: Observed) -> Iterator[Action]:
    """A Work's own finalizer keeps it until the member has cleaned up."""
    binding = observed.binding
    held = binding and names.WORK_BINDING_CLEANUP in binding.metadata.finalizers
    if observed.ending is Ending.UNKNOWN:
        return
    if not observed.leaving and observed.ending is Ending.OWN:
        # An agent that sees this before it sees that it leaves would take its workloads along.
        yield from (Delete(work) for work in observed.works if not work.deleting)
    if binding and held and (observed.ending is Ending.WITH_KIND or not observed.works):
        yield Release(binding)


def _wanted(observed: Observed, binding: Binding) -> tuple[Work, ...] | None:
    """Resources go with the allocations that were decided for what they demand, or wait for them.

    An update run does not wait: where it gives resources with other demands, older ones for
    instance, the member's own estimate speaks. What it gave stays while scheduling decides anew.
    """
    group = observed.group
    if group is not None and _decided(observed, binding, group):
        return tuple(_works(observed, binding, group, binding.spec.allocations))
    if not observed.external:
        return None
    if group is None or _carry(observed.works, binding, group):
        return observed.works or None
    return tuple(_works(observed, binding, group, ()))


def _decided(observed: Observed, binding: Binding, group: Group) -> bool:
    demands = observed.policy.spec.demands if observed.policy else ()
    unknown = observed.policy is None and binding.spec.allocations
    return group.demands == demands_digest(demands) and not unknown


def _carry(works: Sequence[Work], binding: Binding, group: Group) -> bool:
    """Say whether these are the Works of a snapshot, whatever the allocations in them."""
    master = group.master.name
    there = {
        w.name for w in works if w.metadata.annotations.get(names.PARENT_SNAPSHOT_NAME) == master
    }
    return there == {_name(binding, part) for part in group.all}


def _steps(wanted: Sequence[Work], there: Sequence[Work]) -> Iterator[Action]:
    by_name = {work.name: work for work in there}
    for work in wanted:
        old = by_name.pop(work.name, None)
        if old is None:
            yield Create(work)
        elif not old.deleting and not matches(old, work):
            yield Change(old, work)
    yield from (Delete(work) for work in by_name.values() if not work.deleting)


def matches(old: Work, new: Work) -> bool:
    """Say whether a Work is as it should be, in everything that is ours."""
    labels, annotations = old.metadata.labels, old.metadata.annotations
    return (
        old.spec == new.spec
        and all(labels.get(name) == value for name, value in new.metadata.labels.items())
        and all(annotations.get(name) == new.metadata.annotations.get(name) for name in OURS)
    )


def _works(
    observed: Observed, binding: Binding, group: Group, allocations: Sequence[Allocation]
) -> Iterator[Work]:
    for part in group.all:
        manifests = member_copies(part.spec.selected_resources, allocations)
        workloads = [reference(manifest) for manifest in manifests if is_workload(manifest)]
        yield Work(
            metadata=Metadata(
                name=_name(binding, part),
                namespace=names.member_namespace(binding.spec.target_cluster),
                labels=_labels(binding, group),
                annotations=_annotations(observed.placement, group, workloads),
            ),
            spec=_spec(manifests, observed, binding),
        )


def _name(binding: Binding, part: Snapshot) -> str:
    placement, number = binding.metadata.labels.get(names.PARENT, ""), subindex_of(part)
    master = names.work_name(placement, binding.namespace)
    return master if number is None else f"{master.removesuffix('-work')}-{number}"


def _labels(binding: Binding, group: Group) -> Mapping[str, str]:
    labels = {
        names.PARENT: binding.metadata.labels.get(names.PARENT, ""),
        names.PARENT_BINDING: binding.name,
        names.PARENT_SNAPSHOT: str(index_of(group.master)),
    }
    return labels | ({names.PARENT_NAMESPACE: binding.namespace} if binding.namespace else {})


def _annotations(
    placement: Placement | None, group: Group, workloads: Sequence[str]
) -> Mapping[str, str]:
    owned = placement is not None and names.OWNED_BY_DEPLOYMENT in placement.metadata.labels
    return {
        names.PARENT_SNAPSHOT_NAME: group.master.name,
        **({names.WORKLOAD: ",".join(workloads)} if workloads else {}),
        **({names.ENSURE_NAMESPACE: "true"} if owned else {}),
    }


def _spec(
    manifests: tuple[dict[str, object], ...], observed: Observed, binding: Binding
) -> WorkSpec:
    strategy = observed.placement.spec.strategy if observed.placement else Strategy()
    by_run = binding.spec.apply_strategy if observed.external else None
    spec = WorkSpec(workload=Workload(manifests=manifests))
    given = {
        "apply_strategy": by_run or strategy.apply_strategy,
        "report_back_strategy": strategy.report_back_strategy,
    }
    return spec.model_copy(update={name: value for name, value in given.items() if value})
