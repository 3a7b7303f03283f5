"""Which clusters a run is about: those that its placement has, and those that it has no more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fleet.api.binding import Binding, BindingState
from fleet.api.conditions import find
from fleet.api.placement import ApplyStrategy, Placement, PlacementType
from fleet.api.snapshot import PolicySnapshot
from fleet.api.staged_update import UpdateRun
from fleet.engine.snapshots import Group, index_of
from hub.controllers.updaterun.plan.actions import Observed
from hub.controllers.updaterun.plan.errors import InvalidError, NotYetError


@dataclass(frozen=True, slots=True)
class Selection:
    placement: Placement
    policy: PolicySnapshot
    chosen: Mapping[str, Binding]
    """By cluster."""
    leaving: Mapping[str, Binding]

    @property
    def policy_index(self) -> str:
        return str(index_of(self.policy))

    @property
    def apply_strategy(self) -> ApplyStrategy:
        """What the placement says, and where it says nothing what that means."""
        said = self.placement.spec.strategy.apply_strategy or ApplyStrategy()
        named = said.model_dump(exclude_none=True, by_alias=False)
        if not said.allow_co_ownership:
            named.pop("allow_co_ownership")
        return ApplyStrategy(**named)


def placement_of(observed: Observed, run: UpdateRun) -> Placement:
    placement, name = observed.placement, run.spec.placement_name
    if placement is None or placement.deleting:
        gone = "is being deleted" if placement else "is not there"
        raise InvalidError(f"placement {name}, which spec.placementName names, {gone}")
    if placement.spec.strategy.type != "External":
        raise InvalidError(
            f"placement {name} rolls changes out by itself: its spec.strategy.type is"
            f" {placement.spec.strategy.type}, and only with External do update runs"
        )
    return placement


def select(observed: Observed, run: UpdateRun) -> Selection:
    """Take the clusters that the latest policy has chosen, and those that it leaves.

    That a policy is not fulfilled keeps a run from beginning or going on.
    """
    placement = placement_of(observed, run)
    policy = decided(observed, placement)
    said = find(policy.status.conditions, "Scheduled")
    if said is not None and not said.true:
        raise InvalidError(
            f"placement {placement.name} has not found all the clusters that it wants:"
            f" {said.message}; make a new run once it has"
        )
    selection = selected(observed, placement, policy)
    _counted(selection)
    return selection


def selected(observed: Observed, placement: Placement, policy: PolicySnapshot) -> Selection:
    chosen, leaving = {}, {}
    for binding in observed.bindings:
        if binding.spec.state is BindingState.UNSCHEDULED:
            leaving[binding.spec.target_cluster] = binding
        elif binding.spec.scheduling_policy_snapshot_name == policy.name:
            chosen[binding.spec.target_cluster] = binding
        else:
            raise NotYetError(f"{binding.name} is still of an older policy")
    return Selection(placement, policy, chosen, leaving)


def decided(observed: Observed, placement: Placement) -> PolicySnapshot:
    """Take the latest policy, once scheduling has decided by it."""
    policy = observed.policy
    said = find(policy.status.conditions, "Scheduled") if policy else None
    if policy is None or said is None or said.observed_generation != policy.metadata.generation:
        raise NotYetError(f"the clusters of placement {placement.name} are not chosen yet")
    return policy


def wanted_count(policy: PolicySnapshot) -> int | None:
    """Say how many clusters a policy is to have; None is as many as there are."""
    match policy.policy.placement_type:
        case PlacementType.PICK_ALL:
            return None
        case PlacementType.PICK_FIXED:
            return len(policy.policy.cluster_names)
        case PlacementType.PICK_N:
            return policy.limit


def _counted(selection: Selection) -> None:
    name = selection.placement.name
    if not selection.chosen and not selection.leaving:
        raise InvalidError(f"placement {name} has no clusters, and none that it leaves")
    wanted = wanted_count(selection.policy)
    if wanted is not None and wanted != len(selection.chosen):
        raise InvalidError(
            f"placement {name} has {len(selection.chosen)} clusters, and its policy wants {wanted}"
        )


def snapshot_of(observed: Observed, run: UpdateRun) -> Group:
    """Take the resource snapshot that a run names, or the newest."""
    index, groups = run.spec.resource_snapshot_index, observed.groups
    if not index:
        return _newest(observed, run)
    if not index.isdecimal():
        raise InvalidError(
            f"spec.resourceSnapshotIndex is {index!r}: it must be a number from 0, or absent for"
            " the newest snapshot"
        )
    return indexed(groups, int(index), run)


def indexed(groups: Sequence[Group], index: int, run: UpdateRun) -> Group:
    for group in groups:
        if group.index == index and group.complete:
            return group
    there = ", ".join(str(group.index) for group in groups) or "none"
    raise InvalidError(
        f"placement {run.spec.placement_name} has no resource snapshot {index}; those that it has:"
        f" {there}"
    )


def _newest(observed: Observed, run: UpdateRun) -> Group:
    whole = [group for group in observed.groups if group.complete]
    if whole and observed.current:
        return whole[-1]
    raise NotYetError(f"placement {run.spec.placement_name} has no snapshot of its resources yet")
