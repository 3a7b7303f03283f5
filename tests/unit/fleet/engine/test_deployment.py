"""A ModelDeployment stands for one InferenceSet and one placement of it."""

from typing import Any

import pytest

from fleet.api import names
from fleet.api.deployment import ModelDeployment
from fleet.engine.deployment import inference_set, placement


def deployment(**spec: Any) -> ModelDeployment:
    return ModelDeployment.model_validate(
        {"metadata": {"name": "chat", "namespace": "demo"}, "spec": {"model": "qwen2-7b", **spec}}
    )


def test_what_is_not_said_is_not_written() -> None:
    made = inference_set(deployment(replicas=3))
    assert made.metadata.dump() == {
        "name": "chat",
        "namespace": "demo",
        "labels": {names.OWNED_BY_DEPLOYMENT: "chat"},
        "annotations": {},
    }
    assert (made.spec.replicas, made.spec.template.inference.config) == (3, "")


def test_what_is_said_is_passed_on() -> None:
    said = deployment(
        resources={"gpu": 2, "gpuTypes": ["A100", "H100"]},
        endpoint={"name": "Chat_2", "aliases": ["a", "b"]},
        config="args",
        modelAccessSecret="hf",
    )
    made = inference_set(said)
    assert made.metadata.annotations == {
        names.GPUS_PER_REPLICA: "2",
        names.GPU_TYPES: "A100,H100",
        names.ENDPOINT_NAME: "Chat_2",
        names.ALIASES: "a,b",
        names.SERVICE: names.service_name("Chat_2"),
    }
    inference = made.spec.template.inference
    assert inference.config == "args"
    assert inference.preset is not None
    assert inference.preset.preset_options.dump() == {"modelAccessSecret": "hf"}
    selected = [(each.kind, each.name) for each in placement(said).spec.resource_selectors]
    assert selected == [("InferenceSet", "chat"), ("ConfigMap", "args"), ("Secret", "hf")]


@pytest.mark.parametrize(
    ("spec", "number", "scoring"),
    [
        ({}, 1, {"limits": {}, "failover": {"tolerationSeconds": 30}}),
        (
            {"clusters": {"min": 2, "max": 4}, "replicas": 4, "usdPerHour": "9.5"},
            2,
            {
                "limits": {"usdPerHour": "9.5"},
                "failover": {"tolerationSeconds": 30},
                "maxClusters": 4,
            },
        ),
    ],
)
def test_its_placement_picks_as_many_clusters_and_moves_from_a_silent_one(
    spec: dict[str, Any], number: int, scoring: dict[str, Any]
) -> None:
    policy = placement(deployment(**spec)).spec.policy
    assert policy is not None
    assert policy.scoring is not None
    assert (policy.number_of_clusters, policy.affinity) == (number, None)
    assert policy.scoring.dump() == scoring


def test_regions_are_required() -> None:
    policy = placement(deployment(clusters={"regions": ["centralus", "japaneast"]})).spec.policy
    assert policy is not None
    assert policy.dump()["affinity"]["clusterAffinity"] == {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "clusterSelectorTerms": [
                {
                    "labelSelector": {
                        "matchExpressions": [
                            {
                                "key": names.REGION,
                                "operator": "In",
                                "values": ["centralus", "japaneast"],
                            }
                        ]
                    }
                }
            ]
        }
    }
