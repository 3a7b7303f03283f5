"""Policy snapshots: where a placement may go, with what its workloads demand."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from fleet.api import names
from fleet.api.objects import Metadata
from fleet.api.placement import Placement, PlacementType, Policy
from fleet.api.snapshot import PolicySnapshot, PolicySnapshotSpec
from fleet.engine.snapshots import index_of, policy_hash
from hub.controllers.placement.plan.actions import (
    Action,
    Annotate,
    Content,
    Create,
    Delete,
    Demote,
    Observed,
    Plan,
)
from hub.controllers.placement.plan.resources import belongs, owner


def plan(observed: Observed, placement: Placement, content: Content) -> Plan:
    mine = [s for s in observed.policies if belongs(s, placement) and not s.deleting]
    current = max(mine, key=index_of, default=None)
    wanted = hash_of(placement.policy, content)
    if current is None or current.spec.policy_hash != wanted:
        index = 1 + max(map(index_of, observed.policies), default=-1)
        first: tuple[Action, ...] = (Create(_build(observed, placement, content, index)),)
    else:
        index = index_of(current)
        first = tuple(_beside(current, placement))
    in_use = {b.spec.scheduling_policy_snapshot_name for b in observed.bindings}
    then = (
        *(Demote(s) for s in mine if s.latest and index_of(s) != index),
        *_surplus(mine, in_use, index, placement.spec.revision_history_limit),
    )
    return Plan(first, then)


def hash_of(policy: Policy, content: Content) -> str:
    """Hash what a decision depends on; how many clusters are wanted is told beside it."""
    said = _without_number(policy).model_dump(mode="json", exclude_defaults=True)
    demands = [d.model_dump(mode="json", exclude_defaults=True) for d in content.demands]
    return policy_hash([said, demands] if demands else said)


def _without_number(policy: Policy) -> Policy:
    return policy.model_copy(update={"number_of_clusters": None})


def _beside(current: PolicySnapshot, placement: Placement) -> Iterator[Action]:
    wanted = _annotations(placement)
    there = current.metadata.annotations
    if any(there.get(name) != value for name, value in wanted.items()):
        yield Annotate(current, wanted)


def _annotations(placement: Placement) -> dict[str, str]:
    policy = placement.policy
    generation = {names.CRP_GENERATION: str(placement.metadata.generation)}
    if policy.placement_type is not PlacementType.PICK_N:
        return generation
    return generation | {names.NUMBER_OF_CLUSTERS: str(policy.number_of_clusters or 0)}


def _surplus(
    mine: Sequence[PolicySnapshot], in_use: Collection[str], index: int, limit: int
) -> Iterator[Action]:
    kept = sorted({*map(index_of, mine), index})[-limit:]
    for snapshot in mine:
        if index_of(snapshot) not in kept and snapshot.name not in in_use:
            yield Delete(snapshot)


def _build(
    observed: Observed, placement: Placement, content: Content, index: int
) -> PolicySnapshot:
    spec: dict[str, Any] = {"policy_hash": hash_of(placement.policy, content)}
    if placement.spec.policy is not None:
        spec["policy"] = _without_number(placement.spec.policy)
    if content.demands:
        spec["demands"] = content.demands
    return observed.scope.policy(
        metadata=Metadata(
            name=f"{placement.name}-{index}",
            namespace=placement.namespace,
            labels={
                names.PARENT: placement.name,
                names.POLICY_INDEX: str(index),
                names.LATEST: "true",
            },
            annotations=_annotations(placement),
            owner_references=(owner(placement),),
        ),
        spec=PolicySnapshotSpec(**spec),
    )
