"""Decide which Workspaces an InferenceSet needs. Pure: no I/O, no clock, no randomness."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from pydantic import ValidationError

from fleet.api import names
from fleet.api.binding import Allocation
from fleet.api.conditions import Condition, find
from fleet.api.objects import Key, Metadata
from fleet.api.workspace import UPDATING, InferenceSet, ResourceSpec, Workspace
from member_agent.inputs import Workload, inputs

HANDED_DOWN: Final = (
    names.GPU_TYPES,
    names.GPUS_PER_REPLICA,
    names.MODEL,
    names.RUNTIME,
    names.SERVICE,
)
"""Annotations of an InferenceSet that hold for each of its replicas."""
LONGEST_STEM: Final = 40
"""Characters of a child's name: a StatefulSet's pods carry its name and more in a label of 63."""
SUCCEEDED: Final = "WorkspaceSucceeded"
INFERENCE: Final = "InferenceReady"
NO_CAPACITY: Final = "InsufficientCapacity"


@dataclass(frozen=True, slots=True)
class Observed:
    """All that `plan` may look at, read once at the start of the reconcile."""

    inference_set: InferenceSet | None
    """None where it is gone, and its children with it, or where it cannot be read."""
    children: tuple[Workspace, ...]
    """That the InferenceSet owns."""
    contents: Mapping[Key, str] = field(default_factory=dict)
    """Digests of the ConfigMaps that it and they name."""

    def inputs(self, workload: Workload) -> str:
        """Sum up what a workload is made from now."""
        made = inputs(workload)
        return made.with_config(self.contents.get(made.config, "") if made.config else "")


@dataclass(frozen=True, slots=True)
class Hold:
    """Keep the InferenceSet until its Workspaces are gone."""

    inference_set: InferenceSet


@dataclass(frozen=True, slots=True)
class Release:
    inference_set: InferenceSet


@dataclass(frozen=True, slots=True)
class Write:
    child: Workspace


@dataclass(frozen=True, slots=True)
class Delete:
    child: Workspace


Action = Hold | Release | Write | Delete


@dataclass(frozen=True, slots=True)
class Plan:
    actions: tuple[Action, ...]
    wanted: tuple[str, ...] = ()
    """The children that there are to be, by name."""

    @property
    def written(self) -> frozenset[str]:
        """The children that are not yet, or were not until now, as they are to be."""
        return frozenset(each.child.name for each in self.actions if isinstance(each, Write))


def plan(observed: Observed) -> Plan:
    """Compare the replicas that are wanted with those that are there."""
    owner = observed.inference_set
    if owner is None:
        return Plan(())
    if owner.deleting:
        return Plan(tuple(_farewell(owner, observed)))
    if _inherited(owner, observed.children):
        return Plan((), tuple(child.name for child in observed.children))
    held = names.INFERENCE_SET_FINALIZER in owner.metadata.finalizers
    there = {child.name: child for child in observed.children}
    wanted = [child_of(owner, index) for index in range(owner.spec.replicas)]
    new = [child for child in wanted if _differs(child, there.get(child.name))]
    return Plan(
        actions=(
            *(() if held else (Hold(owner),)),
            *map(Write, new),
            *map(Delete, _outgoing(owner, wanted, observed)),
        ),
        wanted=tuple(child.name for child in wanted),
    )


def _inherited(owner: InferenceSet, children: tuple[Workspace, ...]) -> bool:
    """Whether KAITO made the replicas of an InferenceSet that has not changed since.

    Ours have other names: to make them would start each model anew.
    """
    named = {_name(owner, index) for index in range(owner.spec.replicas)}
    notes = (child.metadata.annotations for child in children if child.name not in named)
    theirs = sum(names.SPEC_HASH not in each for each in notes)
    told = (each.observed_generation for each in owner.status.conditions)
    settled = owner.metadata.generation in told
    return settled and 0 < theirs == len(children) == owner.spec.replicas


def _farewell(owner: InferenceSet, observed: Observed) -> Iterator[Action]:
    """The finalizer goes after the children, and they after their nodes."""
    yield from (Delete(child) for child in observed.children if not child.deleting)
    if not observed.children and _held(owner):
        yield Release(owner)


def _held(owner: InferenceSet) -> bool:
    return names.INFERENCE_SET_FINALIZER in owner.metadata.finalizers


def child_of(owner: InferenceSet, index: int) -> Workspace:
    """Write the Workspace of a replica; what it may not change makes it another one."""
    template = owner.spec.template
    resource: dict[str, Any] = {"label_selector": owner.spec.label_selector}
    if template.resource.instance_type:
        resource |= {"instance_type": template.resource.instance_type}
    if template.resource.partition:
        resource |= {"partition": template.resource.partition}
    metadata = Metadata(
        name=_name(owner, index),
        namespace=owner.namespace,
        labels={**template.metadata.labels, names.INFERENCE_SET: owner.name},
        annotations={**template.metadata.annotations, **_handed_down(owner)},
        owner_references=(owner.owner_reference(),),
    )
    return Workspace(
        metadata=_stamped(metadata),
        resource=ResourceSpec(**resource),
        inference=template.inference,
    )


def _stamped(metadata: Metadata) -> Metadata:
    """Note what was written, so that what is to be no more is given up."""
    text = json.dumps(metadata.dump(), sort_keys=True)
    notes = {**metadata.annotations, names.SPEC_HASH: names.digest(text)}
    return metadata.model_copy(update={"annotations": notes})


def _name(owner: InferenceSet, index: int) -> str:
    digest = names.digest(owner.metadata.uid, str(index), _lasting(owner))
    return f"{owner.name[:LONGEST_STEM].rstrip('-.')}-{digest}"


def _lasting(owner: InferenceSet) -> str:
    """Sum up what a Workspace has for life."""
    template = owner.spec.template
    lasting = {
        "preset": template.inference.preset.name if template.inference.preset else "",
        "resource": template.resource.dump(),
        "selector": owner.spec.label_selector.dump(),
    }
    return sha256(json.dumps(lasting, sort_keys=True).encode()).hexdigest()


def _handed_down(owner: InferenceSet) -> dict[str, str]:
    """Give each replica its part of what was decided for all of them."""
    notes = owner.metadata.annotations
    ours = {name: notes[name] for name in HANDED_DOWN if name in notes}
    try:
        allocation = Allocation.model_validate_json(notes[names.ALLOCATION])
    except (KeyError, ValidationError):
        return ours
    one = allocation.model_copy(update={"replicas": 1})
    return ours | {names.ALLOCATION: json.dumps(one.dump(), sort_keys=True)}


def _differs(new: Workspace, old: Workspace | None) -> bool:
    """Whether a child has to be written; one that is being deleted first has to be gone."""
    if old is None:
        return True
    if old.deleting:
        return False
    mine, theirs = new.metadata, old.metadata
    noted = new.metadata.annotations.items() <= theirs.annotations.items()
    labelled = mine.labels.items() <= theirs.labels.items()
    same = new.resource == old.resource and new.inference == old.inference
    return not (noted and labelled and same)


def _outgoing(owner: InferenceSet, wanted: list[Workspace], observed: Observed) -> list[Workspace]:
    """Let go of what is too many; what is outdated serves on until others do so in its place.

    Where there is no room for both, the outdated ones make room, one at a time.
    """
    names_wanted = {child.name for child in wanted}
    there = {child.name: child for child in observed.children}
    old = [child for child in there.values() if child.name not in names_wanted]
    going = [child for child in old if child.deleting]
    staying = sorted((c for c in old if not c.deleting), key=lambda c: (not answers(c), c.name))
    new = [there[name] for name in names_wanted if name in there]
    places = max(0, owner.spec.replicas - sum(serves(child, observed) for child in new))
    if places and not going and any(map(_short, new)):
        places = min(places, len(staying) - 1)
    return staying[places:] if places else staying


def serves(child: Workspace, observed: Observed) -> bool:
    """Whether a Workspace is ready in the form that it has now, and with its config as it is."""
    said, of = _said(child, SUCCEEDED), child.status.observed_inputs
    if said is None or not said.true or said.observed_generation < child.metadata.generation:
        return False
    return not of or of == observed.inputs(child)


def answers(child: Workspace) -> bool:
    """Whether a Workspace has an engine that serves, be it an earlier one."""
    said, engine = _said(child, SUCCEEDED), _said(child, INFERENCE)
    late = engine is not None and engine.reason == UPDATING
    return late or (said is not None and said.true)


def _short(child: Workspace) -> bool:
    said = _said(child, "NodeClaimReady")
    return said is not None and said.reason == NO_CAPACITY


def _said(child: Workspace, kind: str) -> Condition | None:
    return find(child.status.conditions, kind)
