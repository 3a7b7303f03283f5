"""What a ModelDeployment stands for: one InferenceSet, and one placement of it."""

from collections.abc import Iterator, Mapping
from typing import Final

from fleet.api import names
from fleet.api.deployment import DeploymentSpec, ModelDeployment
from fleet.api.objects import LabelSelector, LabelSelectorRequirement, Metadata
from fleet.api.placement import (
    Affinity,
    ClusterAffinity,
    ClusterSelector,
    ClusterSelectorTerm,
    Failover,
    Limits,
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

TOLERATION_SECONDS: Final = 30
"""How long a member may be silent before its replicas move."""


def inference_set(deployment: ModelDeployment) -> InferenceSet:
    spec = deployment.spec
    options = PresetOptions(model_access_secret=spec.model_access_secret)
    preset = Preset(name=spec.model, preset_options=options)
    template = InferenceSetTemplate(inference=InferenceSpec(preset=preset, config=spec.config))
    return InferenceSet(
        metadata=_metadata(deployment, _annotations(spec)),
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


def _metadata(deployment: ModelDeployment, annotations: Mapping[str, str]) -> Metadata:
    """Mark an object as the deployment's; annotations that say nothing are left out."""
    return Metadata(
        name=deployment.name,
        namespace=deployment.namespace,
        labels={names.OWNED_BY_DEPLOYMENT: deployment.name},
        annotations={key: value for key, value in annotations.items() if value},
    )


def _annotations(spec: DeploymentSpec) -> dict[str, str]:
    return {
        names.GPUS_PER_REPLICA: str(spec.resources.gpu or ""),
        names.GPU_TYPES: ",".join(spec.resources.gpu_types),
        names.ENDPOINT_NAME: spec.endpoint.name,
        names.ALIASES: ",".join(spec.endpoint.aliases),
        names.SERVICE: names.service_name(spec.endpoint.name) if spec.endpoint.name else "",
    }


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
    scoring = Scoring(
        limits=Limits(usd_per_hour=spec.usd_per_hour),
        failover=Failover(toleration_seconds=TOLERATION_SECONDS),
    )
    if spec.clusters.max is not None:
        scoring = scoring.model_copy(update={"max_clusters": spec.clusters.max})
    return Policy(
        placement_type=PlacementType.PICK_N,
        number_of_clusters=spec.clusters.min,
        affinity=_regions(spec.clusters.regions) if spec.clusters.regions else None,
        scoring=scoring,
    )


def _regions(regions: tuple[str, ...]) -> Affinity:
    requirement = LabelSelectorRequirement(key=names.REGION, operator="In", values=regions)
    term = ClusterSelectorTerm(label_selector=LabelSelector(match_expressions=(requirement,)))
    required = ClusterSelector(cluster_selector_terms=(term,))
    return Affinity(cluster_affinity=ClusterAffinity(required=required))
