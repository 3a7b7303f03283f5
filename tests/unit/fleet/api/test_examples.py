"""The examples read as what they are meant to be."""

from pathlib import Path
from typing import Any

import yaml

from fleet.api.cluster import MemberCluster
from fleet.api.deployment import AIToolchainModelDeployment, ModelDeployment
from fleet.api.placement import ClusterResourcePlacement, PlacementType
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
