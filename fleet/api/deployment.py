"""ModelDeployment: one intent, from which the hub writes an InferenceSet and a placement."""

from typing import Annotated, ClassVar, Final

from pydantic import Field

from fleet.api.conditions import Condition
from fleet.api.objects import Model, Resource
from fleet.api.placement import Money, ResourceIdentifier
from fleet.api.schema import DNS_LABEL, FILLED, LABEL, LIST, NAME, PRESETS, Rule, Schema

_HINT: Final = '; "kubectl explain modeldeployment.spec.model" lists those that are known'
_KNOWN: Final = Rule(
    f"self.lowerAscii() in {PRESETS}",
    f"Unsupported model{_HINT}",
    words=f"'Unsupported model ' + self + '{_HINT}'",
)
_ENGINES: Final = Schema(filled=True, enum=("vllm",))


class DeploymentResources(Model):
    """GPUs of each replica."""

    gpu: int = Field(default=0, ge=0, le=16)
    """GPUs of each replica; 0 leaves it to the decision."""
    gpu_types: Annotated[tuple[Annotated[str, LABEL], ...], LIST] = ()
    """GPU models or instance types that may be used: `A100`, `Standard_NC24ads_A100_v4`."""


class DeploymentClusters(Model):
    """How many clusters serve the model, and which."""

    min: Annotated[int, Field(ge=1), FILLED] = 1
    """Clusters that serve it at least."""
    max: Annotated[int | None, Field(ge=1)] = None
    """Clusters that serve it at most, where fewer cannot hold all replicas; `min` without it."""
    regions: Annotated[tuple[Annotated[str, LABEL], ...], LIST] = ()
    """Regions that may be used; empty is all of them."""


class DeploymentEndpoint(Model):
    """What clients call the model by."""

    name: Annotated[str, NAME] = ""
    """The name that clients call the model by; the model's own where it is empty."""
    aliases: Annotated[tuple[Annotated[str, NAME], ...], LIST] = ()
    """Further names."""


class DeploymentSpec(Model):
    """What to serve, how much of it, and where it may go; all but the model has a default."""

    RULES: ClassVar = (
        Rule(
            "!has(self.clusters) || self.replicas >= self.clusters.min",
            "replicas must be at least clusters.min: each of the clusters serves one or more",
            field="replicas",
        ),
        Rule(
            "!has(self.clusters) || !has(self.clusters.max) ||"
            " self.clusters.min <= self.clusters.max",
            "clusters.min must not be more than clusters.max",
            field="clusters",
        ),
    )

    model: Annotated[str, NAME, Schema(rules=(_KNOWN,))]
    """The model, by one of these names, an alias or its repository `org/model`: $presets."""
    engine: Annotated[str, _ENGINES] = "vllm"
    """What serves the model."""
    replicas: Annotated[int, Field(ge=1), FILLED] = 1
    """Copies of the model that are to run, over all clusters."""
    resources: DeploymentResources = DeploymentResources()
    """GPUs of each replica."""
    clusters: DeploymentClusters = DeploymentClusters()
    """How many clusters serve the model, and which."""
    endpoint: DeploymentEndpoint = DeploymentEndpoint()
    """What clients call the model by."""
    config: Annotated[str, NAME] = ""
    """A ConfigMap with the engine's arguments under `inference_config.yaml`."""
    model_access_secret: Annotated[str, NAME] = ""
    """A Secret with the model hub's access token under HF_TOKEN."""
    usd_per_hour: Money | None = None
    """What all replicas on one cluster may cost, in US dollars an hour."""


class DeploymentStatus(Model):
    """What became of it."""

    replicas: int = 0
    """Replicas that are there."""
    ready_replicas: int = 0
    """Replicas that serve."""
    clusters: tuple[str, ...] = ()
    """Clusters that have them."""
    usd_per_hour: Money | None = None
    """What all of them cost, in US dollars an hour."""
    endpoint: str = ""
    """The name that clients call the model by."""
    workload: ResourceIdentifier | None = None
    """The InferenceSet that was made from it."""
    conditions: tuple[Condition, ...] = ()
    """Whether it serves, and why not."""


class ModelDeployment(Resource):
    """A model to serve from the fleet: what, how much, and what it may cost."""

    API: ClassVar = "modelfleet.dev/v1alpha1"
    RULES: ClassVar = (DNS_LABEL,)

    spec: DeploymentSpec
    """What to serve, how much of it, and where it may go."""
    status: DeploymentStatus = DeploymentStatus()
    """What became of it."""


class AIToolchainModelDeployment(ModelDeployment):
    """The same kind in the group of the published example."""

    API: ClassVar = "aitoolchain.io/v1"
    KIND: ClassVar = "ModelDeployment"
