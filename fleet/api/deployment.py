"""ModelDeployment: one intent, from which the hub writes an InferenceSet and a placement."""

from typing import ClassVar

from pydantic import Field

from fleet.api.conditions import Condition
from fleet.api.objects import Model, Resource
from fleet.api.placement import Money, ResourceIdentifier


class DeploymentResources(Model):
    gpu: int = Field(default=0, ge=0, le=16)
    """GPUs of each replica; 0 leaves it to the decision."""
    gpu_types: tuple[str, ...] = ()
    """GPU models or instance types that may be used: `A100`, `Standard_NC24ads_A100_v4`."""


class DeploymentClusters(Model):
    min: int = Field(default=1, ge=1)
    max: int | None = Field(default=None, ge=1)
    regions: tuple[str, ...] = ()
    """Regions that may be used; empty is all of them."""


class DeploymentEndpoint(Model):
    name: str = ""
    """The name that clients call the model by; the model's own where it is empty."""
    aliases: tuple[str, ...] = ()


class DeploymentSpec(Model):
    model: str
    engine: str = "vllm"
    replicas: int = Field(default=1, ge=1)
    resources: DeploymentResources = DeploymentResources()
    clusters: DeploymentClusters = DeploymentClusters()
    endpoint: DeploymentEndpoint = DeploymentEndpoint()
    config: str = ""
    """A ConfigMap with the engine's arguments under `inference_config.yaml`."""
    model_access_secret: str = ""
    usd_per_hour: Money | None = None
    """What all replicas on one cluster may cost."""


class DeploymentStatus(Model):
    replicas: int = 0
    ready_replicas: int = 0
    clusters: tuple[str, ...] = ()
    usd_per_hour: Money | None = None
    endpoint: str = ""
    workload: ResourceIdentifier | None = None
    conditions: tuple[Condition, ...] = ()


class ModelDeployment(Resource):
    API: ClassVar = "modelfleet.dev/v1alpha1"

    spec: DeploymentSpec
    status: DeploymentStatus = DeploymentStatus()


class AIToolchainModelDeployment(ModelDeployment):
    """The same kind in the group of the published example."""

    API: ClassVar = "aitoolchain.io/v1"
    KIND: ClassVar = "ModelDeployment"
