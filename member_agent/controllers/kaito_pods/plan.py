"""Decide how pods that KAITO made are marked for a region's gateway. Pure."""

from dataclasses import dataclass
from typing import Final

from fleet.api import names
from fleet.api.core import Pod
from fleet.api.workspace import InferenceSet, Preset, Workspace

ROLE: Final = "multiroleinference.kaito.sh/created-by"
"""Label of a Workspace with one role of several; KAITO serves all under the model's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """All that `plan` may look at, read once at the start of the reconcile."""

    workspace: Workspace | None
    placed: Workspace | InferenceSet | None
    """What came by a Work: the Workspace itself, or the InferenceSet that it is a replica of."""
    pods: tuple[Pod, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """Note on a pod what it serves."""

    pod: Pod
    service: str
    """The ModelService, as the hub calls it."""
    model: str
    """The name that the engine knows."""


def plan(observed: Observed) -> tuple[Mark, ...]:
    """Mark the pods of what the hub had placed; what the member's own users have is theirs."""
    workspace, placed = observed.workspace, observed.placed
    if workspace is None or workspace.inference is None or placed is None:
        return ()
    service, model = service_of(placed), served_name(workspace)
    return tuple(Mark(pod, service, model) for pod in observed.pods if _lacks(pod, service, model))


def _lacks(pod: Pod, service: str, model: str) -> bool:
    """Whether a mark is missing, or ours and outdated: our engines' pods have theirs from birth."""
    labels, notes = pod.metadata.labels, pod.metadata.annotations
    told = labels.get(names.SERVICE), notes.get(names.MODEL)
    foreign = names.SERVICE in labels and names.MARKED not in notes
    return not pod.deleting and not foreign and told != (service, model)


def service_of(placed: Workspace | InferenceSet) -> str:
    """Name the ModelService of what the hub placed, as the hub does."""
    notes = placed.metadata.annotations
    preset = _preset(placed)
    called = notes.get(names.ENDPOINT_NAME) or (preset.name if preset else placed.name)
    return notes.get(names.SERVICE) or names.service_name(called)


def served_name(workspace: Workspace) -> str:
    """Name what KAITO's engine serves; a template may say it, since its command decides.

    A replica serves under its InferenceSet's name, unless its roles share the model's.
    """
    preset, labels = _preset(workspace), workspace.metadata.labels
    if preset is None:
        return workspace.metadata.annotations.get(names.MODEL) or workspace.name
    short = preset.name.rpartition("/")[2].lower()
    return short if ROLE in labels else labels.get(names.INFERENCE_SET) or short


def _preset(workload: Workspace | InferenceSet) -> Preset | None:
    if isinstance(workload, InferenceSet):
        return workload.spec.template.inference.preset
    return workload.inference.preset if workload.inference else None
