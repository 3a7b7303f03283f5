"""Workspace and InferenceSet, as KAITO's users write them."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from fleet.api.conditions import Condition
from fleet.api.objects import LabelSelector, Model, Resource
from fleet.api.schema import DNS_LABEL, FILLED, LIST, NAME, PRESETS, REQUIRED, Rule, Schema

_ACCESS: Final = Schema(filled=True, enum=("public", "private"))
UPDATING: Final = "WorkspaceInferenceStatusUpdating"
"""Reason of InferenceReady while an engine answers as it was before a change."""
_ROLLING: Final = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}}

_TOLD_APART: Final = Rule(
    "self.all(a, !has(a.source) || !has(a.source.name) || self.exists_one(b,"
    " has(b.source) && has(b.source.name) && b.source.name == a.source.name))",
    "Duplicate adapter source name found; give each adapter a name of its own",
)


def _known(use: str) -> Rule:
    hint = f'; "kubectl explain workspace.{use}.preset.name" lists those that are known'
    return Rule(
        f"self.name.lowerAscii() in {PRESETS}",
        f"Unsupported {use} preset name{hint}",
        field="name",
        words=f"'Unsupported {use} preset name ' + self.name + '{hint}'",
    )


class Partition(Model):
    """A share of a GPU, or of a node's GPUs."""

    mode: Annotated[str, Schema(enum=("mig", "accelerator"))]
    """mig takes a slice of a GPU, accelerator some of a node's GPUs."""
    profile: str = ""
    """Slice that mig takes: `1g.10gb`."""
    count: Annotated[int | None, Schema(minimum=1)] = None
    """GPUs of a node that accelerator takes."""


class ResourceSpec(Model):
    """Nodes that a Workspace runs on."""

    count: Annotated[int, FILLED] = 1
    """Nodes that a template runs on; for a preset they are worked out."""
    instance_type: str = ""
    """Type of the instances, as the cloud names it; without it the cheapest that fits is chosen."""
    label_selector: Annotated[LabelSelector, REQUIRED] = LabelSelector()
    """Labels of nodes that may be used; new nodes get them."""
    preferred_nodes: Annotated[tuple[str, ...], LIST] = ()
    """Of no effect; kept for older manifests."""
    partition: Partition | None = None
    """A share of a GPU, or of a node's GPUs."""


class PresetOptions(Model):
    """How a preset is fetched."""

    image: str = ""
    """Of no effect; kept for older manifests."""
    image_pull_secrets: Annotated[tuple[str, ...], LIST] = ()
    """Of no effect; kept for older manifests."""
    model_access_secret: str = ""
    """Secret with the model hub's access token under HF_TOKEN."""


class Preset(Model):
    """A model that needs no more than its name."""

    name: Annotated[str, NAME]
    """The model, by one of these names, an alias or its repository `org/model`: $presets."""
    access_mode: Annotated[str, _ACCESS] = "public"
    """Of no effect; kept for older manifests."""
    preset_options: PresetOptions = PresetOptions()
    """How the model is fetched."""


class DataSource(Model):
    """Where data comes from: URLs, a volume or an image."""

    name: Annotated[str, NAME] = ""
    """Name of the data; clients ask for an adapter by it."""
    urls: Annotated[tuple[str, ...], LIST] = ()
    """Addresses to download it from."""
    volume_source: dict[str, Any] | None = None
    """Volume that holds it, as in a Pod."""
    image: str = ""
    """Image that holds it, in its folder `/data`."""
    image_pull_secrets: Annotated[tuple[str, ...], LIST] = ()
    """Secrets to pull the image with."""


class DataDestination(Model):
    """Where data goes: a volume or an image."""

    volume_source: dict[str, Any] | None = None
    """Volume to write it to, as in a Pod."""
    image: str = ""
    """Image to push it as."""
    image_push_secret: str = ""
    """Secret to push the image with."""


class Adapter(Model):
    """An adapter that changes the model."""

    source: DataSource | None = None
    """Where its weights come from."""
    strength: str = "1.0"
    """How much it changes the model; the engine knows no other than 1.0."""


class InferenceSpec(Model):
    """A model to serve: a preset, or a template for anything else."""

    RULES: ClassVar = (
        Rule("has(self.preset) || has(self.template)", "Preset or Template must be specified"),
        Rule(
            "!(has(self.preset) && has(self.template))",
            "Preset and Template cannot be set at the same time",
        ),
    )

    preset: Annotated[Preset | None, Schema(rules=(_known("inference"),))] = None
    """A model that needs no more than its name."""
    template: dict[str, Any] | None = None
    """Pods that serve the model, as a PodTemplateSpec, for models without a preset."""
    config: Annotated[str, NAME] = ""
    """ConfigMap with the engine's arguments under `inference_config.yaml`."""
    adapters: Annotated[tuple[Adapter, ...], Schema(max_items=10, rules=(_TOLD_APART,))] = ()
    """LoRA adapters, each served as a model of its own beside the preset."""


class TuningSpec(Model):
    """A model to tune."""

    preset: Annotated[Preset | None, Schema(rules=(_known("tuning"),))] = None
    """The model."""
    method: str = ""
    """How it is tuned: lora or qlora."""
    config: Annotated[str, NAME] = ""
    """ConfigMap with the tuning's arguments under `training_config.yaml`."""
    input: Annotated[DataSource | None, REQUIRED] = None
    """Data to tune with."""
    output: Annotated[DataDestination | None, REQUIRED] = None
    """Where the adapter goes."""


class Metric(Model):
    """A measurement."""

    description: str = ""
    """What was measured."""
    value: str = ""
    """The number."""
    unit: str = ""
    """Its unit."""
    config: Mapping[str, str] = {}
    """How it was measured."""


class Performance(Model):
    """How fast a model answers."""

    metrics: Mapping[str, Metric] = {}
    """Measurements by name."""


class WorkspaceState(StrEnum):
    PENDING = "Pending"
    READY = "Ready"
    NOT_READY = "NotReady"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


class WorkspaceStatus(Model):
    """What became of a Workspace."""

    worker_nodes: tuple[str, ...] = ()
    """Nodes that it runs on."""
    state: WorkspaceState | None = None
    """How it is, in one word."""
    target_node_count: int = 0
    """Nodes that it needs."""
    conditions: tuple[Condition, ...] = ()
    """How far it is, and why not further."""
    performance: Performance | None = None
    """How fast its model answers."""
    observed_inputs: str = ""
    """Digest of the spec, annotations and ConfigMap that the conditions speak of; empty: of the
    spec alone, by its generation."""


class Workspace(Resource):
    """A model to serve or to tune; `resource`, `inference` and `tuning` stand at the top."""

    API: ClassVar = "kaito.sh/v1beta1"
    RULES: ClassVar = (
        DNS_LABEL,
        Rule(
            "has(self.inference) || has(self.tuning)",
            "Either Inference or Tuning must be specified, not neither",
        ),
        Rule(
            "!(has(self.inference) && has(self.tuning))",
            "Either Inference or Tuning must be specified, but not both",
        ),
    )

    resource: ResourceSpec = ResourceSpec()
    """Nodes that it runs on."""
    inference: InferenceSpec | None = None
    """A model to serve."""
    tuning: TuningSpec | None = None
    """A model to tune."""
    status: WorkspaceStatus = WorkspaceStatus()
    """What became of it."""


class InferenceSetResource(Model):
    """Nodes of each replica."""

    instance_type: str = ""
    """Type of the instances, as the cloud names it; without it the cheapest that fits is chosen."""
    partition: Partition | None = None
    """A share of a GPU, or of a node's GPUs."""


class TemplateMetadata(Model):
    """Labels and annotations of the replicas."""

    labels: Mapping[str, str] = {}
    """Labels that each replica gets."""
    annotations: Mapping[str, str] = {}
    """Annotations that each replica gets."""


class InferenceSetTemplate(Model):
    """What each replica is."""

    metadata: Annotated[TemplateMetadata, Schema(free=True)] = TemplateMetadata()
    """Labels and annotations of the replicas."""
    resource: InferenceSetResource = InferenceSetResource()
    """Nodes of each replica."""
    inference: InferenceSpec
    """The model to serve."""


class MaintenanceWindow(Model):
    """When replicas may be replaced."""

    schedule: str
    """When the window opens, in five cron fields, UTC."""
    duration: Annotated[str, FILLED] = "4h"
    """How long the window is open."""


class AutoUpgrade(Model):
    """Whether replicas follow new engine images."""

    enabled: Annotated[bool, FILLED] = False
    """Whether they do."""
    strategy: Annotated[str, Schema(filled=True, enum=("InPlace", "Surge"))] = "InPlace"
    """InPlace replaces a replica, Surge makes the new one first."""
    maintenance_window: MaintenanceWindow | None = None
    """When replicas may be replaced; at any time without it."""


class InferenceSetSpec(Model):
    """How many replicas, and what each is."""

    replicas: Annotated[int, Field(ge=0), FILLED] = 1
    """Copies of the model that are to run."""
    template: InferenceSetTemplate
    """What each replica is."""
    label_selector: Annotated[LabelSelector, REQUIRED] = LabelSelector()
    """Labels of nodes that may be used; new nodes get them."""
    node_count_limit: int | None = None
    """Of no effect; kept for older manifests."""
    update_strategy: Annotated[dict[str, Any] | None, Schema(filled=True, default=_ROLLING)] = None
    """Of no effect; kept for older manifests."""
    auto_upgrade: AutoUpgrade | None = None
    """Whether replicas follow new engine images."""


class AutoUpgradeStatus(Model):
    """How far replicas follow new engine images."""

    num_drifted_workspaces: int = 0
    """Replicas that have an older image."""
    last_successful_upgrade_time: datetime | None = None
    """When the last of them was replaced."""


class InferenceSetStatus(Model):
    """What became of the replicas."""

    replicas: int = 0
    """Replicas that are there."""
    ready_replicas: int = 0
    """Replicas that serve, in their new form or still in an earlier one."""
    selector: str = ""
    """Label query for the replicas, for autoscalers."""
    conditions: tuple[Condition, ...] = ()
    """How far they are, and why not further."""
    performance: Performance | None = None
    """How fast they answer together."""
    auto_upgrade: AutoUpgradeStatus | None = None
    """How far they follow new engine images."""
    observed_inputs: str = ""
    """Digest of the spec, annotations and ConfigMap that the conditions speak of; empty: of the
    spec alone, by its generation."""


class InferenceSet(Resource):
    """A model to serve in several replicas."""

    API: ClassVar = "kaito.sh/v1beta1"
    RULES: ClassVar = (DNS_LABEL,)

    spec: InferenceSetSpec
    """How many replicas, and what each is."""
    status: InferenceSetStatus = InferenceSetStatus()
    """What became of them."""
