"""Decide which snapshots a placement needs. Pure: no I/O, no clock, no randomness."""

from collections.abc import Iterator

from fleet.api.placement import Placement
from fleet.api.snapshot import PolicySnapshot, Snapshot
from hub.controllers.placement.plan import policies, resources
from hub.controllers.placement.plan.actions import (
    Action,
    Delete,
    Hold,
    Invalid,
    Observed,
    Plan,
    Release,
)


def plan(observed: Observed) -> Plan:
    """Compare what is wanted with what is there, and list the steps between them."""
    placement = observed.placement
    if placement is None:
        return Plan(first=tuple(_leftovers(observed)))
    if placement.deleting:
        return _farewell(observed, placement)
    finalizer = observed.scope.cleanup
    held = finalizer in placement.metadata.finalizers
    hold = () if held else (Hold(placement, finalizer),)
    if isinstance(observed.content, Invalid):
        return Plan(first=hold)
    plans = (
        resources.plan(observed, placement, observed.content),
        policies.plan(observed, placement, observed.content),
    )
    first = [action for part in plans for action in part.first]
    then = [action for part in plans for action in part.then]
    return Plan(first=(*first, *hold), then=(*then, *_of_a_namesake(observed, placement)))


def _farewell(observed: Observed, placement: Placement) -> Plan:
    """Keep everything until the bindings are gone, each of which waits for its Works."""
    if observed.bindings:
        return Plan()
    finalizer = observed.scope.cleanup
    held = finalizer in placement.metadata.finalizers
    release = (Release(placement, finalizer),) if held else ()
    return Plan(first=tuple(_leftovers(observed)), then=release)


def _leftovers(observed: Observed) -> Iterator[Action]:
    yield from map(Delete, _present(observed))


def _of_a_namesake(observed: Observed, placement: Placement) -> Iterator[Action]:
    yield from (Delete(s) for s in _present(observed) if not resources.belongs(s, placement))


def _present(observed: Observed) -> Iterator[Snapshot | PolicySnapshot]:
    yield from (snapshot for snapshot in observed.resources if not snapshot.deleting)
    yield from (snapshot for snapshot in observed.policies if not snapshot.deleting)
