"""Workspace and InferenceSet, as KAITO's users write them."""

from enum import StrEnum
from typing import Any, ClassVar

from pydantic import Field

from fleet.api.conditions import Condition
from fleet.api.objects import LabelSelector, Model, Resource


class Partition(Model):
    mode: str
    profile: str = ""
    count: int | None = None


class ResourceSpec(Model):
    count: int = 1
    instance_type: str = ""
    label_selector: LabelSelector = LabelSelector()
    preferred_nodes: tuple[str, ...] = ()
    partition: Partition | None = None


class PresetOptions(Model):
    image: str = ""
    image_pull_secrets: tuple[str, ...] = ()
    model_access_secret: str = ""


class Preset(Model):
    name: str
    access_mode: str = "public"
    preset_options: PresetOptions = PresetOptions()


class DataSource(Model):
    name: str = ""
    urls: tuple[str, ...] = ()
    volume_source: dict[str, Any] | None = None
    image: str = ""
    image_pull_secrets: tuple[str, ...] = ()


class DataDestination(Model):
    volume_source: dict[str, Any] | None = None
    image: str = ""
    image_push_secret: str = ""


class Adapter(Model):
    source: DataSource | None = None
    strength: str = "1.0"


class InferenceSpec(Model):
    preset: Preset | None = None
    template: dict[str, Any] | None = None
    config: str = ""
    adapters: tuple[Adapter, ...] = ()


class TuningSpec(Model):
    preset: Preset | None = None
    method: str = ""
    config: str = ""
    input: DataSource | None = None
    output: DataDestination | None = None


class Metric(Model):
    description: str = ""
    value: str = ""
    unit: str = ""
    config: dict[str, str] = {}


class Performance(Model):
    metrics: dict[str, Metric] = {}


class WorkspaceState(StrEnum):
    PENDING = "Pending"
    READY = "Ready"
    NOT_READY = "NotReady"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


class WorkspaceStatus(Model):
    worker_nodes: tuple[str, ...] = ()
    state: WorkspaceState | None = None
    target_node_count: int = 0
    conditions: tuple[Condition, ...] = ()
    performance: Performance | None = None


class Workspace(Resource):
    """It has no `spec`: `resource`, `inference` and `tuning` stand at the top."""

    API: ClassVar = "kaito.sh/v1beta1"

    resource: ResourceSpec = ResourceSpec()
    inference: InferenceSpec | None = None
    tuning: TuningSpec | None = None
    status: WorkspaceStatus = WorkspaceStatus()


class InferenceSetResource(Model):
    instance_type: str = ""
    partition: Partition | None = None


class TemplateMetadata(Model):
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class InferenceSetTemplate(Model):
    metadata: TemplateMetadata = TemplateMetadata()
    resource: InferenceSetResource = InferenceSetResource()
    inference: InferenceSpec


class MaintenanceWindow(Model):
    schedule: str
    duration: str = "4h"


class AutoUpgrade(Model):
    enabled: bool = False
    strategy: str = "InPlace"
    maintenance_window: MaintenanceWindow | None = None


class InferenceSetSpec(Model):
    replicas: int = Field(default=1, ge=0)
    template: InferenceSetTemplate
    label_selector: LabelSelector = LabelSelector()
    node_count_limit: int | None = None
    update_strategy: dict[str, Any] | None = None
    auto_upgrade: AutoUpgrade | None = None


class InferenceSetStatus(Model):
    replicas: int = 0
    ready_replicas: int = 0
    selector: str = ""
    conditions: tuple[Condition, ...] = ()
    performance: Performance | None = None


class InferenceSet(Resource):
    API: ClassVar = "kaito.sh/v1beta1"

    spec: InferenceSetSpec
    status: InferenceSetStatus = InferenceSetStatus()
