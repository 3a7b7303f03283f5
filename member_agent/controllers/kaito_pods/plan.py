"""Decide how pods that KAITO made are marked for a region's gateway. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from fleet.api import names
from fleet.api.core import Pod, StatefulSet
from fleet.api.workspace import InferenceSet, Preset, Workspace

ROLE: Final = "multiroleinference.kaito.sh/created-by"
"""Label of a Workspace with one role of several; KAITO serves all under the model's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """All that `plan` may look at, read once at the start of the reconcile."""

    workspace: Workspace | None
    placed: Workspace | InferenceSet | None
    """What came by a Work: the Workspace itself, or the InferenceSet that it is a replica of."""
    engine: StatefulSet | None
    """Of the Workspace, where it bears our label."""
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
    """Mark what the hub had placed, and leave alone what is a user's own or was made by us."""
    workspace, placed = observed.workspace, observed.placed
    if workspace is None or workspace.inference is None or placed is None or _ours(observed):
        return ()
    return tuple(_marks(observed.pods, service_of(placed), served_name(workspace)))


def _ours(observed: Observed) -> bool:
    """Whether the engine is the agent's: its template has the marks."""
    return observed.engine is not None and names.WORKSPACE_HASH in (
        observed.engine.metadata.annotations
    )


def _marks(pods: tuple[Pod, ...], service: str, model: str) -> Iterator[Mark]:
    for pod in pods:
        told = pod.metadata.labels.get(names.SERVICE), pod.metadata.annotations.get(names.MODEL)
        if not pod.deleting and told != (service, model):
            yield Mark(pod, service, model)


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
