"""Resource snapshots: what is selected now, under the index that follows the last one."""

import json
from collections.abc import Collection, Iterator, Sequence

from fleet.api import names
from fleet.api.objects import Metadata, OwnerReference
from fleet.api.placement import Placement
from fleet.api.snapshot import PolicySnapshot, ResourceSnapshotSpec, Snapshot
from fleet.engine import snapshots
from fleet.engine.snapshots import Group, demands_digest, index_of
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
from hub.controllers.placement.plan.manifests import split


def belongs(snapshot: Snapshot | PolicySnapshot, placement: Placement) -> bool:
    """Say whether a snapshot was made from this placement, and not from an earlier namesake."""
    owners = snapshot.metadata.owner_references
    return not owners or any(owner.uid == placement.metadata.uid for owner in owners)


def owner(placement: Placement) -> OwnerReference:
    return placement.owner_reference()


def plan(observed: Observed, placement: Placement, content: Content) -> Plan:
    mine = [s for s in observed.resources if belongs(s, placement) and not s.deleting]
    current = next(reversed(snapshots.groups(mine)), None)
    if current is None or current.resource_hash != content.resource_hash:
        index = 1 + max(map(index_of, observed.resources), default=-1)
        first: tuple[Action, ...] = tuple(map(Create, _build(observed, placement, content, index)))
    else:
        index = current.index
        first = (*_missing(observed, placement, content, current), *_beside(current, content))
    in_use = {b.spec.resource_snapshot_name for b in observed.bindings}
    then = (
        *(Demote(s) for s in mine if s.latest and index_of(s) != index),
        *_surplus(
            mine,
            {index, *observed.kept_for_runs, *_used(mine, in_use)},
            placement.spec.revision_history_limit,
        ),
    )
    return Plan(first, then)


def _missing(
    observed: Observed, placement: Placement, content: Content, current: Group
) -> Iterator[Action]:
    """Write the parts that a crash left out; equal hashes mean equal parts."""
    there = {snapshot.name for snapshot in current.all}
    wanted = _build(observed, placement, content, current.index)
    yield from (Create(snapshot) for snapshot in wanted if snapshot.name not in there)


def _beside(current: Group, content: Content) -> Iterator[Action]:
    there = current.master.metadata.annotations
    wanted = _annotations(content)
    if any(there.get(name, "") != value for name, value in wanted.items()):
        yield Annotate(current.master, wanted)


def _used(mine: Sequence[Snapshot], in_use: Collection[str]) -> Iterator[int]:
    return (index_of(snapshot) for snapshot in mine if snapshot.name in in_use)


def _surplus(mine: Sequence[Snapshot], needed: Collection[int], limit: int) -> Iterator[Action]:
    """Keep as many indices as the placement says, and what a binding or a run needs."""
    newest = sorted({*(group.index for group in snapshots.groups(mine)), max(needed)})[-limit:]
    kept = {*newest, *needed}
    yield from (Delete(snapshot) for snapshot in mine if index_of(snapshot) not in kept)


def _build(
    observed: Observed, placement: Placement, content: Content, index: int
) -> Iterator[Snapshot]:
    parts = split(content.manifests)
    for number, manifests in enumerate(parts):
        master = number == 0
        labels = {names.PARENT: placement.name, names.RESOURCE_INDEX: str(index)}
        yield observed.scope.resources(
            metadata=Metadata(
                name=f"{placement.name}-{index}-{'snapshot' if master else number - 1}",
                namespace=placement.namespace,
                labels=labels | ({names.LATEST: "true"} if master else {}),
                annotations=_master(content, len(parts))
                if master
                else {names.SUBINDEX: str(number - 1)},
                owner_references=(owner(placement),),
            ),
            spec=ResourceSnapshotSpec(selected_resources=tuple(manifests)),
        )


def _master(content: Content, parts: int) -> dict[str, str]:
    return {
        names.RESOURCE_HASH: content.resource_hash,
        names.NUMBER_OF_SNAPSHOTS: str(parts),
        names.ENVELOPED_OBJECTS: "0",
        **_annotations(content),
    }


def _annotations(content: Content) -> dict[str, str]:
    """What belongs to the content and is no part of it."""
    generations = json.dumps(dict(content.generations), sort_keys=True)
    beside = {names.HUB_GENERATIONS: generations} if content.generations else {}
    if content.demands:
        beside[names.DEMANDS] = demands_digest(content.demands)
    return beside
