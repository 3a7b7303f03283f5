"""Decide which InferenceSet and which placement a ModelDeployment stands for. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from fleet.api.binding import Binding
from fleet.api.deployment import ModelDeployment
from fleet.api.objects import Resource
from fleet.api.placement import Placement
from fleet.api.workspace import InferenceSet
from fleet.engine.deployment import inference_set, placement
from hub.derived import as_wanted, stamped


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    deployment: ModelDeployment | None
    namesake: ModelDeployment | None
    """The ModelDeployment of the other group under the same name."""
    inference_set: InferenceSet | None
    placement: Placement | None
    bindings: tuple[Binding, ...] = ()


@dataclass(frozen=True, slots=True)
class Write:
    resource: Resource


def plan(observed: Observed) -> tuple[Write, ...]:
    deployment = observed.deployment
    if deployment is None or deployment.deleting or rival(observed):
        return ()
    return tuple(_writes(observed, deployment))


def rival(observed: Observed) -> Resource | None:
    """Find who has the name by right: the elder namesake, or an object that is not ours."""
    deployment, namesake = observed.deployment, observed.namesake
    if deployment is None:
        return None
    if namesake and _age(namesake) < _age(deployment):
        return namesake
    for there in (observed.inference_set, observed.placement):
        if there and not _owned(there, deployment):
            return there
    return None


def _age(deployment: ModelDeployment) -> tuple[bool, float, str]:
    created = deployment.metadata.creation_timestamp
    return created is None, created.timestamp() if created else 0.0, deployment.API


def _owned(there: Resource, deployment: ModelDeployment) -> bool:
    return any(o.uid == deployment.metadata.uid for o in there.metadata.owner_references)


def _writes(observed: Observed, deployment: ModelDeployment) -> Iterator[Write]:
    wanted: tuple[tuple[Resource | None, Resource], ...] = (
        (observed.inference_set, inference_set(deployment)),
        (observed.placement, placement(deployment)),
    )
    for there, resource in wanted:
        if not as_wanted(there, resource) and not (there and there.deleting):
            yield Write(_addressed(resource, deployment, there))


def _addressed(wanted: Resource, deployment: ModelDeployment, there: Resource | None) -> Resource:
    """Name the owner, what was wanted, and the very object that is written to."""
    update: dict[str, object] = {
        "annotations": stamped(wanted),
        "owner_references": (deployment.owner_reference(),),
    }
    if there:
        update["uid"] = there.metadata.uid
    metadata = wanted.metadata.model_copy(update=update)
    return wanted.model_copy(update={"metadata": metadata})
