"""What is asked: the placements in the user's manifests, each with the demands that it selects."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from cli.explain.manifests import ExplainError, Manifest
from fleet.api.core import Namespace
from fleet.api.deployment import AIToolchainModelDeployment, ModelDeployment
from fleet.api.objects import Key, Resource
from fleet.api.placement import (
    ClusterResourcePlacement,
    Placement,
    PlacementType,
    Policy,
    ResourcePlacement,
    ResourceSelector,
    SelectionScope,
)
from fleet.api.snapshot import Demand
from fleet.api.workspace import InferenceSet, Workspace
from fleet.catalog.catalogue import Catalogue
from fleet.engine import deployment as derived
from fleet.engine.ask import Holding
from fleet.engine.demand import DemandError, demand_of
from fleet.engine.holdings import namespace_needed

KINDS: Final[tuple[type[Resource], ...]] = (
    Workspace,
    InferenceSet,
    ModelDeployment,
    AIToolchainModelDeployment,
    ClusterResourcePlacement,
    ResourcePlacement,
    Namespace,
)
"""Whatever else a file holds is placed as it is, and bears on no decision."""
ONE: Final = Policy(placement_type=PlacementType.PICK_N, number_of_clusters=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One placement: written, derived, or only here for the answer's sake."""

    title: str
    policy: Policy
    limit: int | None
    demands: tuple[Demand, ...] = ()
    namespace: str = ""
    """Must be on the cluster beforehand."""
    holdings: tuple[Holding, ...] = ()
    who: Key | None = None
    """Whose promises are its own; None where there is no placement on a hub yet."""


@dataclass(slots=True)
class Written:
    """What the manifests say, kind by kind."""

    workloads: list[tuple[Workspace | InferenceSet, Demand]] = field(default_factory=list)
    deployments: list[tuple[ModelDeployment, Demand]] = field(default_factory=list)
    placements: list[Placement] = field(default_factory=list)
    namespaces: dict[str, Namespace] = field(default_factory=dict)


def questions(
    manifests: Iterable[Manifest], catalogue: Catalogue, namespace: str
) -> list[Question]:
    """Ask for every placement, and for each workload that none of them selects."""
    written = Written()
    for manifest in manifests:
        _take(written, manifest, catalogue, namespace)
    asked = [*_placed(written), *_derived(written), *_alone(written)]
    if not asked:
        kinds = ", ".join(sorted({kind.kind() for kind in KINDS} - {Namespace.kind()}))
        raise ExplainError(f"nothing to explain: none of {kinds} is there")
    return asked


def _take(written: Written, manifest: Manifest, catalogue: Catalogue, namespace: str) -> None:
    model = next((kind for kind in KINDS if manifest.is_a(kind)), None)
    found = (
        manifest.parse(model, namespace=namespace if model.NAMESPACED else "") if model else None
    )
    match found:
        case Workspace() | InferenceSet():
            written.workloads.append((found, _demand(manifest, found, catalogue)))
        case ModelDeployment():
            _refuse_counts(manifest, found)
            workload = derived.inference_set(found)
            written.deployments.append((found, _demand(manifest, workload, catalogue)))
        case Placement():
            written.placements.append(found)
        case Namespace():
            written.namespaces[found.name] = found
        case _:
            pass


def _demand(manifest: Manifest, workload: Workspace | InferenceSet, catalogue: Catalogue) -> Demand:
    _refuse_two_models(manifest, workload)
    try:
        return demand_of(workload, catalogue)
    except DemandError as error:
        field_of_deployment = manifest.kind == "ModelDeployment" and "preset" in error.field
        where = "spec.model" if field_of_deployment else error.field
        raise ExplainError(f"{manifest.where}: {where}: {error.reason}") from error


def _refuse_two_models(manifest: Manifest, workload: Workspace | InferenceSet) -> None:
    """Refuse what the API server would: it is not clear which of them to weigh."""
    if isinstance(workload, Workspace):
        where, inference = "inference", workload.inference
    else:
        where, inference = "spec.template.inference", workload.spec.template.inference
    if inference and inference.preset and inference.template:
        reason = "preset and template cannot be set at the same time"
        raise ExplainError(f"{manifest.where}: {where}: {reason}")


def _refuse_counts(manifest: Manifest, deployment: ModelDeployment) -> None:
    """Refuse what the API server would: counts that contradict each other."""
    spec, clusters = deployment.spec, deployment.spec.clusters
    reason = ""
    if spec.replicas < clusters.min:
        reason = f"spec.replicas: {spec.replicas} is less than clusters.min, {clusters.min}"
    elif clusters.max is not None and clusters.max < clusters.min:
        reason = f"spec.clusters: min, {clusters.min}, is more than max, {clusters.max}"
    if reason:
        raise ExplainError(f"{manifest.where}: {reason}")


def _placed(written: Written) -> Iterator[Question]:
    for placement in written.placements:
        policy, pairs = placement.policy, written.workloads
        yield Question(
            title=f"{placement.kind()} {placement.key}",
            policy=policy,
            limit=limit(policy),
            demands=tuple(d for workload, d in pairs if _selects(placement, workload, written)),
            namespace=namespace_needed(placement),
        )


def _derived(written: Written) -> Iterator[Question]:
    for deployment, demand in written.deployments:
        policy = derived.placement(deployment).policy
        title = f"ModelDeployment {deployment.key}"
        yield Question(title=title, policy=policy, limit=limit(policy), demands=(demand,))


def _alone(written: Written) -> Iterator[Question]:
    for workload, demand in written.workloads:
        if not any(_selects(placement, workload, written) for placement in written.placements):
            title = f"{workload.kind()} {workload.key} (no placement selects it; as PickN 1)"
            yield Question(title=title, policy=ONE, limit=1, demands=(demand,))


def limit(policy: Policy) -> int | None:
    """How many clusters a policy asks for; None is all of them."""
    picks_n = policy.placement_type is PlacementType.PICK_N
    return (policy.number_of_clusters or 0) if picks_n else None


def _selects(placement: Placement, workload: Workspace | InferenceSet, written: Written) -> bool:
    selectors = placement.spec.resource_selectors
    if placement.NAMESPACED and placement.namespace != workload.namespace:
        return False
    if placement.NAMESPACED:
        return any(_matches(selector, workload) for selector in selectors)
    space = written.namespaces.get(workload.namespace)
    by_name = Namespace.model_validate({"metadata": {"name": workload.namespace}})
    return any(
        _matches(selector, space or by_name)
        and selector.selection_scope is not SelectionScope.NAMESPACE_ONLY
        for selector in selectors
    )


def _matches(selector: ResourceSelector, resource: Resource) -> bool:
    group = resource.group() if "/" in resource.API else ""
    if (selector.group, selector.kind) != (group, resource.kind()):
        return False
    if selector.name:
        return selector.name == resource.name
    labels = selector.label_selector
    return labels is None or labels.matches(resource.metadata.labels)
