"""The examples read as what they are meant to be."""

from pathlib import Path
from typing import Any

import yaml

from fleet.api.cluster import MemberCluster
from fleet.api.deployment import AIToolchainModelDeployment, ModelDeployment
from fleet.api.placement import ClusterResourcePlacement, PlacementType
from fleet.api.staged_update import (
    ClusterStagedUpdateRun,
    ClusterStagedUpdateStrategy,
    StageTaskType,
)
from fleet.api.workspace import Workspace
from fleet.catalog.catalogue import load

EXAMPLES = Path(__file__).parents[4] / "examples"


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((EXAMPLES / name).read_text("utf-8")))


def test_the_workspace_leaves_the_instance_type_to_the_decision() -> None:
    _, manifest, _ = documents("phi-4-mini.yaml")
    workspace = Workspace.model_validate(manifest)
    assert workspace.inference is not None
    assert workspace.inference.preset is not None
    assert load().preset(workspace.inference.preset.name) is not None
    assert workspace.resource.instance_type == ""


def test_its_placement_picks_one_cluster_and_fails_over() -> None:
    namespace, _, manifest = documents("phi-4-mini.yaml")
    placement = ClusterResourcePlacement.model_validate(manifest)
    assert placement.policy.placement_type is PlacementType.PICK_N
    assert placement.policy.number_of_clusters == 1
    assert placement.policy.scoring is not None
    assert placement.policy.scoring.failover is not None
    assert placement.policy.scoring.failover.toleration_seconds == 30
    (selector,) = placement.spec.resource_selectors
    assert selector.name == namespace["metadata"]["name"]


def test_the_deployment_wants_two_clusters() -> None:
    _, manifest = documents("model-deployment.yaml")
    deployment = ModelDeployment.model_validate(manifest)
    assert (deployment.spec.replicas, deployment.spec.clusters.min) == (2, 2)


def test_a_rollout_goes_to_all_at_once_and_then_by_region_with_a_word_before_the_last() -> None:
    *_, placement, at_once, first = documents("staged-rollout.yaml")
    by_region, second = documents("staged-rollout-run.yaml")
    read = ClusterResourcePlacement.model_validate(placement)
    assert (read.policy.placement_type, read.spec.strategy.type) == ("PickAll", "External")
    for strategy, manifest in ((at_once, first), (by_region, second)):
        run = ClusterStagedUpdateRun.model_validate(manifest).spec
        assert run.staged_rollout_strategy_name == strategy["metadata"]["name"]
        assert run.placement_name == read.name
    stages = ClusterStagedUpdateStrategy.model_validate(by_region).spec.stages
    tasks = {stage.name: [task.type for task in stage.before_stage_tasks] for stage in stages}
    assert tasks == {"us": [], "eu": [], "apac": [StageTaskType.APPROVAL]}


def test_the_change_of_a_rollout_is_to_the_config_that_its_workspace_names() -> None:
    _, config, manifest, *_ = documents("staged-rollout.yaml")
    (changed,) = documents("staged-rollout-change.yaml")
    workspace = Workspace.model_validate(manifest)
    assert workspace.inference
    assert workspace.inference.config == config["metadata"]["name"]
    assert changed["metadata"] == config["metadata"]
    assert changed["data"] != config["data"]


def test_the_published_deployment_reads_as_ours() -> None:
    (manifest,) = documents("aitoolchain.yaml")
    deployment = AIToolchainModelDeployment.model_validate(manifest)
    assert deployment.manifest()["apiVersion"] == manifest["apiVersion"]
    assert (deployment.spec.replicas, deployment.spec.resources.gpu) == (3, 2)


def test_the_published_workspace_reads_as_it_is_written() -> None:
    (manifest,) = documents("kaito-workspace.yaml")
    assert Workspace.model_validate(manifest).manifest() == manifest


def test_the_fleet_has_joined_and_its_types_and_prices_are_known() -> None:
    (listed,) = documents("fleet.yaml")
    members = [MemberCluster.model_validate(item) for item in listed["items"]]
    assert {member.name for member in members} == {"us", "eu", "apac"}
    for member in members:
        assert member.joined
        assert member.heartbeat is not None
        for pool in member.status.inventory.pools:
            sku = load().sku(pool.instance_type)
            assert sku is not None
            assert sku.gpus == pool.gpus_per_node
            assert load().price(pool.instance_type, member.region) is not None
            held = sum(hold.gpus for hold in pool.holds)
            assert held + pool.gpus_free == pool.nodes * pool.gpus_per_node
