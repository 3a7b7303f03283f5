"""Turn the engine's decision into what is to be done to a placement's bindings. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from itertools import islice

from fleet.api import names
from fleet.api.binding import Binding, BindingState
from fleet.api.placement import Placement
from fleet.api.snapshot import PolicySnapshot
from fleet.api.times import stamp
from fleet.engine.again import seconds_until_change
from fleet.engine.ask import Ask
from fleet.engine.decide import Decision, decide
from fleet.engine.verdicts import Cause, Ranked
from hub.controllers.scheduling.plan.actions import (
    Action,
    Announce,
    Change,
    Create,
    Delete,
    Hold,
    LetGo,
    Observed,
    Outcome,
    Plan,
    Release,
)
from hub.controllers.scheduling.plan.events import chosen_now, held_back, moved
from hub.controllers.scheduling.plan.mending import as_made, home, labelled
from hub.controllers.scheduling.plan.wording import decision, lacking, new_binding

MAX_NOT_SELECTED = 20
"""Clusters that were not chosen and that the status tells of."""


def plan(observed: Observed) -> Plan:
    """Compare what is wanted with what is there, and list the steps between them."""
    placement, ask = observed.placement, observed.ask
    if placement is None or placement.deleting:
        return Plan(tuple(_farewell(observed)))
    if ask is None:
        return Plan(tuple(_cleared(observed)))
    found = decide(ask, observed.fleet, observed.pending)
    held = names.SCHEDULER_CLEANUP in placement.metadata.finalizers
    hold = () if held else (Hold(placement),)
    return Plan(
        actions=(*hold, *_cleared(observed), *_steps(observed, placement, ask, found)),
        outcome=_outcome(found, observed.snapshot),
        taken={choice.cluster: choice.allocations for choice in found.chosen},
        settled=found.settled,
        again_in_seconds=seconds_until_change(found),
    )


def _farewell(observed: Observed) -> Iterator[Action]:
    placement = observed.placement
    every = (*observed.strays, *observed.bindings)
    yield from _given_back(observed)
    yield from (Delete(binding) for binding in every if not binding.deleting)
    yield from _let_go(every)
    held = placement and names.SCHEDULER_CLEANUP in placement.metadata.finalizers
    if placement and held and not every:
        yield Release(placement)


def _cleared(observed: Observed) -> Iterator[Action]:
    yield from _given_back(observed)
    yield from (Delete(stray) for stray in observed.strays if not stray.deleting)
    yield from _let_go((*observed.strays, *observed.bindings))


def _given_back(observed: Observed) -> Iterator[Action]:
    return (Change(each, labelled(each, home(each).name)) for each in observed.astray)


def _let_go(bindings: Iterable[Binding]) -> Iterator[Action]:
    for binding in bindings:
        if binding.deleting and names.BINDING_CLEANUP in binding.metadata.finalizers:
            yield LetGo(binding)


def _steps(observed: Observed, placement: Placement, ask: Ask, found: Decision) -> Iterator[Action]:
    """New bindings first: a crash in between leaves too many rather than too few."""
    chosen = {choice.cluster: choice for choice in found.chosen}
    made = [(binding, as_made(binding, placement)) for binding in observed.bindings]
    there = {binding.spec.target_cluster for _, binding in made}
    for name, choice in chosen.items():
        if name not in there:
            yield Create(new_binding(choice, observed), chosen_now(choice))
    for old, binding in made:
        if not binding.deleting:
            new = _wanted(binding, chosen, observed, _silent_since(binding, ask, found))
            if new != old:
                yield Change(old, new, tuple(moved(binding, new, found)))
    if found.held_back:
        yield Announce(held_back(found))


def _wanted(
    binding: Binding, chosen: Mapping[str, Ranked], observed: Observed, silent_since: str
) -> Binding:
    choice, snapshot = chosen.get(binding.spec.target_cluster), observed.snapshot
    if choice is None or snapshot is None:
        return _unscheduled(binding, silent_since)
    spec: dict[str, object] = {"state": binding.chosen_state}
    if not choice.kept:
        spec["cluster_decision"] = decision(choice, selected=True)
    if binding.spec.allocations != choice.allocations:
        spec["allocations"] = choice.allocations
    if binding.spec.scheduling_policy_snapshot_name != snapshot.name:
        spec["scheduling_policy_snapshot_name"] = snapshot.name
    return _copy(binding, spec, {})


def _unscheduled(binding: Binding, silent_since: str) -> Binding:
    if binding.spec.state is BindingState.UNSCHEDULED:
        return binding
    notes = {names.PREVIOUS_STATE: str(binding.spec.state)}
    if silent_since:
        notes[names.SILENT_SINCE] = silent_since
    return _copy(binding, {"state": BindingState.UNSCHEDULED}, notes)


def _copy(binding: Binding, spec: Mapping[str, object], notes: Mapping[str, str]) -> Binding:
    """Change the fields that are ours, and put our notes in the place of older ones."""
    ours = (names.PREVIOUS_STATE, names.SILENT_SINCE)
    others = {k: v for k, v in binding.metadata.annotations.items() if k not in ours}
    metadata = binding.metadata.model_copy(update={"annotations": {**others, **notes}})
    update = {"metadata": metadata, "spec": binding.spec.model_copy(update=spec)}
    return binding.model_copy(update=update)


def _silent_since(binding: Binding, ask: Ask, found: Decision) -> str:
    """Date the silence for which a binding is let go."""
    cluster = binding.spec.target_cluster
    if found.leaving.get(cluster) is not Cause.SILENT:
        return ""
    silence = timedelta(seconds=round(ask.silent_seconds[cluster]))
    return stamp(ask.now - silence)


def _told(chosen: Iterable[Ranked], snapshot: PolicySnapshot | None) -> bool:
    """Say whether the status has this choice: a crash may have left the bindings without it."""
    if snapshot is None or not snapshot.status.conditions:
        return False
    told = {each.cluster_name for each in snapshot.status.target_clusters if each.selected}
    return all(choice.cluster in told for choice in chosen)


def _outcome(found: Decision, snapshot: PolicySnapshot | None) -> Outcome:
    """Tell of the others too, but where none was compared: an earlier choice stands, or none is."""
    taken = [choice for choice in found.chosen if choice.cluster not in found.absent]
    chosen = sorted(taken, key=lambda choice: choice.cluster)
    if found.stands and (not chosen or _told(chosen, snapshot)):
        others = []
    elif found.fulfilled:
        others = list(islice(found.reported(), MAX_NOT_SELECTED))
    else:
        others = list(found.reported())
    told = others if found.absent else others[:MAX_NOT_SELECTED]
    return Outcome(
        chosen=tuple(decision(choice, selected=True) for choice in chosen),
        others=tuple(decision(v, selected=False) for v in told),
        lacking=lacking(found, others),
        stands=found.stands,
    )
