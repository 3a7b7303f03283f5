"""What an inference workload needs, read from the object that a user wrote."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from fleet.api import names
from fleet.api.snapshot import Demand
from fleet.api.workspace import InferenceSet, InferenceSpec, Workspace
from fleet.catalog.catalogue import Catalogue
from fleet.catalog.presets import ModelPreset
from fleet.engine import quantity

CONTEXT_TOKENS = 2048
"""The context that must fit where the user names none (KAITO's value)."""


class DemandError(ValueError):
    """A workload that nobody can place; the text names the object, the field and what is wrong."""

    def __init__(self, message: str, *, field: str = "", reason: str = "") -> None:
        super().__init__(message)
        self.field, self.reason = field, reason or message


def _error(workload: Workspace | InferenceSet, field: str, reason: str) -> DemandError:
    message = f"{workload.kind()} {workload.key}: {field}: {reason}"
    return DemandError(message, field=field, reason=reason)


def demand_of(
    workload: Workspace | InferenceSet, catalogue: Catalogue, *, context_tokens: int = 0
) -> Demand:
    """Compute the demand of a workload; DemandError where its model is not known."""
    inference = _inference(workload)
    known = {**_identity(workload), **_constraints(workload, catalogue)}
    if inference.preset is None:
        return Demand(**{**known, **_of_template(workload, inference)})
    preset = _preset(inference.preset.name, workload, catalogue)
    tokens = min(context_tokens or CONTEXT_TOKENS, preset.token_limit)
    return Demand(
        **known,
        model=preset.name,
        weights_gib=str(preset.weights_gib),
        kv_bytes_per_token=preset.kv_bytes_per_token,
        kv_heads=preset.kv_heads,
        attention_heads=preset.attention_heads,
        context_tokens=tokens,
        compute_capability=str(preset.compute_capability),
        replicas=workload.spec.replicas if isinstance(workload, InferenceSet) else 1,
    )


def _inference(workload: Workspace | InferenceSet) -> InferenceSpec:
    if isinstance(workload, InferenceSet):
        return workload.spec.template.inference
    if workload.inference is None:
        raise _error(workload, "inference", "is missing")
    return workload.inference


def _identity(workload: Workspace | InferenceSet) -> dict[str, Any]:
    return {
        "kind": workload.kind(),
        "namespace": workload.namespace,
        "name": workload.name,
        "split": names.OWNED_BY_DEPLOYMENT in workload.metadata.labels,
    }


def _constraints(workload: Workspace | InferenceSet, catalogue: Catalogue) -> dict[str, Any]:
    """Collect what the user named: the instance type, or a deployment's GPUs and their types."""
    notes = workload.metadata.annotations
    wanted = [name for name in notes.get(names.GPU_TYPES, "").split(",") if name]
    types = [name for name in (_instance_type(workload),) if name]
    types += [name for name in wanted if catalogue.sku(name)]
    return {
        "gpus_per_replica": _count(workload, names.GPUS_PER_REPLICA),
        "instance_types": tuple(types),
        "gpu_models": tuple(name for name in wanted if not catalogue.sku(name)),
    }


def _count(workload: Workspace | InferenceSet, annotation: str) -> int:
    text = workload.metadata.annotations.get(annotation, "0")
    if not text.isdecimal():
        raise _error(workload, f"metadata.annotations[{annotation}]", f"{text!r} is no number")
    return int(text)


def _instance_type(workload: Workspace | InferenceSet) -> str:
    if isinstance(workload, Workspace):
        return workload.resource.instance_type
    return workload.spec.template.resource.instance_type


def _preset(name: str, workload: Workspace | InferenceSet, catalogue: Catalogue) -> ModelPreset:
    if preset := catalogue.preset(name):
        return preset
    near = get_close_matches(name.lower(), list(catalogue.presets), n=3)
    known = f"did you mean {' or '.join(near)}?" if near else "it is not in the catalogue"
    field = f"{_path(workload)}inference.preset.name"
    raise _error(workload, field, f"unknown preset {name!r}; {known}")


def _path(workload: Workspace | InferenceSet) -> str:
    return "" if isinstance(workload, Workspace) else "spec.template."


def _of_template(workload: Workspace | InferenceSet, inference: InferenceSpec) -> Mapping[str, Any]:
    """Take what is known of a pod template: the GPUs that its containers ask for."""
    if inference.template is None:
        raise _error(workload, f"{_path(workload)}inference", "preset or template is missing")
    spec = (inference.template.get("spec") or {}).get("containers") or []
    wanted = [quantity.parse(str(_limits(container).get(names.GPU, 0))) for container in spec]
    gpus = sum(int(count or 0) for count in wanted)
    count = workload.resource.count if isinstance(workload, Workspace) else workload.spec.replicas
    return {"replicas": count, **({"gpus_per_replica": gpus} if gpus else {})}


def _limits(container: Mapping[str, Any]) -> Mapping[str, Any]:
    limits: Mapping[str, Any] = (container.get("resources") or {}).get("limits") or {}
    return limits
