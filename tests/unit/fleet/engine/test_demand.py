"""What a workload needs is read from what its user wrote."""

from typing import Any

import pytest

from fleet.api import names
from fleet.api.workspace import InferenceSet, InferenceSpec, Workspace
from fleet.engine.demand import DemandError, demand_of
from fleet.testing.workloads import inference_set, metadata, workspace
from tests.unit.fleet.engine.fleets import A10, CATALOGUE


def templated(containers: Any, **resource: Any) -> Workspace:
    template = {"spec": {"containers": containers}} if containers is not None else {}
    return Workspace.model_validate(
        {
            "metadata": metadata("own"),
            "resource": {"labelSelector": {}, **resource},
            "inference": {"template": template},
        }
    )


def limited(gpus: object) -> dict[str, Any]:
    return {"resources": {"limits": {names.GPU: gpus}}}


def test_a_preset_says_what_its_model_needs() -> None:
    demand = demand_of(workspace("chat", preset="qwen2-7b-instruct"), CATALOGUE)
    assert demand.dump() == {
        "kind": "Workspace",
        "namespace": "demo",
        "name": "chat",
        "model": "qwen2-7b",
        "weightsGib": "14.19",
        "kvBytesPerToken": 57344,
        "kvHeads": 4,
        "attentionHeads": 28,
        "contextTokens": 2048,
        "computeCapability": "8.0",
        "replicas": 1,
        "gpusPerReplica": 0,
        "instanceTypes": [],
        "gpuModels": [],
        "split": False,
    }


@pytest.mark.parametrize(("asked", "tokens"), [(0, 2048), (4096, 4096), (10**6, 131072)])
def test_the_context_is_what_is_asked_for_within_the_models_limit(asked: int, tokens: int) -> None:
    assert demand_of(workspace(), CATALOGUE, context_tokens=asked).context_tokens == tokens


def test_a_deployments_inference_set_may_be_divided_over_the_types_that_it_names() -> None:
    annotations = {names.GPUS_PER_REPLICA: "2", names.GPU_TYPES: f"A100,{A10}"}
    labels = {names.OWNED_BY_DEPLOYMENT: "qwen"}
    owned = inference_set("qwen", labels=labels, annotations=annotations)
    demand = demand_of(owned, CATALOGUE)
    assert (demand.replicas, demand.split, demand.gpus_per_replica) == (2, True, 2)
    assert (demand.instance_types, demand.gpu_models) == ((A10,), ("A100",))


def test_an_instance_type_that_the_user_wrote_is_the_only_one() -> None:
    written = workspace().model_copy(update={"resource": templated([], instanceType=A10).resource})
    assert demand_of(written, CATALOGUE).instance_types == (A10,)


@pytest.mark.parametrize(
    ("containers", "resource", "replicas", "gpus"),
    [
        ([limited("1"), limited(2)], {}, 1, 3),
        ([limited("1")], {"count": 3}, 3, 1),
        ([{}], {}, 1, 0),
        ([{"resources": None}], {}, 1, 0),
        ([{"resources": {"limits": None}}], {}, 1, 0),
        ([limited("many")], {}, 1, 0),
        (None, {}, 1, 0),
    ],
)
def test_a_template_says_how_many_gpus_its_containers_ask_for(
    containers: Any, resource: dict[str, Any], replicas: int, gpus: int
) -> None:
    demand = demand_of(templated(containers, **resource), CATALOGUE)
    assert (demand.model, demand.replicas, demand.gpus_per_replica) == ("", replicas, gpus)


def without_inference() -> Workspace:
    return Workspace.model_validate(
        {"metadata": metadata("phi"), "resource": {"labelSelector": {}}}
    )


def without_preset() -> Workspace:
    return without_inference().model_copy(update={"inference": InferenceSpec()})


NOTE = f"metadata.annotations[{names.GPUS_PER_REPLICA}]"
PRESET = "inference.preset.name"


@pytest.mark.parametrize(
    ("workload", "field", "reason"),
    [
        (
            workspace(preset="Qwen-2-7B"),
            PRESET,
            "unknown preset 'Qwen-2-7B'; did you mean qwen2-7b or qwen3.8-27b or qwen3.6-27b?",
        ),
        (
            inference_set("a", preset="zzzz"),
            f"spec.template.{PRESET}",
            "unknown preset 'zzzz'; it is not in the catalogue",
        ),
        (without_inference(), "inference", "is missing"),
        (without_preset(), "inference", "preset or template is missing"),
        (workspace(annotations={names.GPUS_PER_REPLICA: "two"}), NOTE, "'two' is no number"),
    ],
)
def test_what_nobody_can_place_names_the_object_the_field_and_what_is_wrong(
    workload: Workspace | InferenceSet, field: str, reason: str
) -> None:
    with pytest.raises(DemandError) as caught:
        demand_of(workload, CATALOGUE)
    assert (caught.value.field, caught.value.reason) == (field, reason)
    assert str(caught.value) == f"{workload.kind()} {workload.key}: {field}: {reason}"
