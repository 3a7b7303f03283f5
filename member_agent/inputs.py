"""What an inference workload is made from, so that a report can say of what it speaks. Pure."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Final, NamedTuple

from fleet.api import names
from fleet.api.objects import Key
from fleet.api.workspace import InferenceSet, Workspace

Workload = Workspace | InferenceSet
NOTES: Final = (
    names.ALLOCATION,
    names.ENABLE_LOAD_BALANCER,
    names.GPU_TYPES,
    names.GPUS_PER_REPLICA,
    names.MODEL,
    names.RUNTIME,
    names.SERVICE,
)
"""Annotations that shape what runs; a change of them is in no generation."""
LABELS: Final = (names.INFERENCE_SET, names.OWNED_BY_DEPLOYMENT)


class Inputs(NamedTuple):
    """What a workload says itself, and the ConfigMap in which it says the rest."""

    own: str
    config: Key | None

    def with_config(self, content: str) -> str:
        """Sum up the whole of it; `content` is that of the ConfigMap, empty where there is none."""
        return sha256(f"{self.own}/{content}".encode()).hexdigest()[:16]


def inputs(workload: Workload) -> Inputs:
    metadata = workload.metadata
    said = {
        "spec": workload.model_dump(mode="json", exclude={"metadata", "status"}),
        "annotations": {k: v for k, v in metadata.annotations.items() if k in NOTES},
        "labels": {k: v for k, v in metadata.labels.items() if k in LABELS},
    }
    text = json.dumps(said, sort_keys=True)
    return Inputs(sha256(text.encode()).hexdigest(), config_of(workload))


def config_of(workload: Workload) -> Key | None:
    """Name the ConfigMap with the engine's settings."""
    if isinstance(workload, InferenceSet):
        named = workload.spec.template.inference.config
    else:
        named = workload.inference.config if workload.inference else ""
    return Key(workload.namespace, named) if named else None


def content(data: Mapping[str, str]) -> str:
    """Tell a ConfigMap from an edited one."""
    return sha256(json.dumps(dict(data), sort_keys=True).encode()).hexdigest()[:16]
