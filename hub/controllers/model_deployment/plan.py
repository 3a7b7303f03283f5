"""Decide which InferenceSet and which placement a ModelDeployment stands for. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from fleet.api import names
from fleet.api.binding import Binding
from fleet.api.deployment import DeploymentSpec, ModelDeployment
from fleet.api.objects import LabelSelector, LabelSelectorRequirement, Metadata, Resource
from fleet.api.placement import (
    Affinity,
    ClusterAffinity,
    ClusterSelector,
    ClusterSelectorTerm,
    Failover,
    Limits,
    Placement,
    PlacementSpec,
    PlacementType,
    Policy,
    ResourcePlacement,
    ResourceSelector,
    Scoring,
)
from fleet.api.workspace import (
    InferenceSet,
    InferenceSetSpec,
    InferenceSetTemplate,
    InferenceSpec,
    Preset,
    PresetOptions,
)
from hub.derived import as_wanted, stamped

TOLERATION_SECONDS = 30
"""How long a member may be silent before its replicas move."""


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
            update: dict[str, object] = {"annotations": stamped(resource)}
            if there:
                update["uid"] = there.metadata.uid
            metadata = resource.metadata.model_copy(update=update)
            yield Write(resource.model_copy(update={"metadata": metadata}))


def _metadata(deployment: ModelDeployment, annotations: dict[str, str]) -> Metadata:
    """Mark an object as the deployment's; annotations that say nothing are left out."""
    return Metadata(
        name=deployment.name,
        namespace=deployment.namespace,
        labels={names.OWNED_BY_DEPLOYMENT: deployment.name},
        annotations={key: value for key, value in annotations.items() if value},
        owner_references=(deployment.owner_reference(),),
    )


def inference_set(deployment: ModelDeployment) -> InferenceSet:
    spec = deployment.spec
    options = PresetOptions(model_access_secret=spec.model_access_secret)
    preset = Preset(name=spec.model, preset_options=options)
    template = InferenceSetTemplate(inference=InferenceSpec(preset=preset, config=spec.config))
    annotations = {
        names.GPUS_PER_REPLICA: str(spec.resources.gpu) if spec.resources.gpu else "",
        names.GPU_TYPES: ",".join(spec.resources.gpu_types),
        names.ENDPOINT_NAME: spec.endpoint.name,
        names.ALIASES: ",".join(spec.endpoint.aliases),
        names.SERVICE: names.service_name(spec.endpoint.name) if spec.endpoint.name else "",
    }
    return InferenceSet(
        metadata=_metadata(deployment, annotations),
        spec=InferenceSetSpec(
            replicas=spec.replicas, template=template, label_selector=LabelSelector()
        ),
    )


def placement(deployment: ModelDeployment) -> ResourcePlacement:
    return ResourcePlacement(
        metadata=_metadata(deployment, {}),
        spec=PlacementSpec(
            resource_selectors=tuple(_selectors(deployment)), policy=_policy(deployment.spec)
        ),
    )


def _selectors(deployment: ModelDeployment) -> Iterator[ResourceSelector]:
    """Take along what the InferenceSet names, or its pods would not start."""
    spec = deployment.spec
    yield ResourceSelector(
        group="kaito.sh", version="v1beta1", kind="InferenceSet", name=deployment.name
    )
    if spec.config:
        yield ResourceSelector(group="", version="v1", kind="ConfigMap", name=spec.config)
    if spec.model_access_secret:
        yield ResourceSelector(group="", version="v1", kind="Secret", name=spec.model_access_secret)


def _policy(spec: DeploymentSpec) -> Policy:
    return Policy(
        placement_type=PlacementType.PICK_N,
        number_of_clusters=spec.clusters.min,
        affinity=_regions(spec.clusters.regions) if spec.clusters.regions else None,
        scoring=Scoring(
            limits=Limits(usd_per_hour=spec.usd_per_hour),
            failover=Failover(toleration_seconds=TOLERATION_SECONDS),
        ),
    )


def _regions(regions: tuple[str, ...]) -> Affinity:
    requirement = LabelSelectorRequirement(key=names.REGION, operator="In", values=regions)
    term = ClusterSelectorTerm(label_selector=LabelSelector(match_expressions=(requirement,)))
    required = ClusterSelector(cluster_selector_terms=(term,))
    return Affinity(cluster_affinity=ClusterAffinity(required=required))
