"""What GPU nodes each region offers."""

import json
from typing import Any

import pytest

from cli.local import pools
from cli.local.topology import REGIONS
from fleet.api import names
from fleet.api.karpenter import NodePool
from fleet.catalog.catalogue import load

CATALOGUE = load()


def node_pools(member: str) -> dict[str, NodePool]:
    found = [
        NodePool.model_validate(m)
        for m in pools.manifests(member, CATALOGUE)
        if m["kind"] == "NodePool"
    ]
    return {pool.name: pool for pool in found}


def types_file(member: str) -> list[dict[str, Any]]:
    types: list[dict[str, Any]] = json.loads(pools.instance_types(member, CATALOGUE))
    return types


@pytest.mark.parametrize("member", REGIONS)
def test_types_that_published_manifests_name_are_offered_everywhere(member: str) -> None:
    assert {"standard-nc24ads-a100-v4", "standard-nc6s-v3"} <= set(node_pools(member))


@pytest.mark.parametrize("member", REGIONS)
def test_every_pool_has_an_instance_type_and_a_node_class_of_its_own(member: str) -> None:
    known = {entry["name"] for entry in types_file(member)}
    classes = {
        m["metadata"]["name"]  # type: ignore[index]
        for m in pools.manifests(member, CATALOGUE)
        if m["kind"] == "KWOKNodeClass"
    }
    for name, pool in node_pools(member).items():
        (requirement,) = pool.spec.template.spec.requirements
        assert requirement.key == names.INSTANCE_TYPE
        assert set(requirement.values) <= known
        assert pool.spec.template.spec.node_class_ref.name == name
    assert classes == set(node_pools(member))


def test_regions_differ_in_what_they_may_still_provision() -> None:
    limits = {m: node_pools(m)["standard-nc24ads-a100-v4"].spec.limits[names.GPU] for m in REGIONS}
    assert limits == {"us": "16", "eu": "12", "apac": "8"}


def test_a_type_that_does_not_fit_the_limit_has_no_pool() -> None:
    for member, limit in pools.GPU_LIMITS.items():
        offered = {pools.pool_name(s.instance_type): s for s in pools.offered(member, CATALOGUE)}
        assert all(offered[name].gpus <= limit for name in node_pools(member))


def test_prices_are_the_regions() -> None:
    prices = {
        member: next(
            entry["offerings"][0]["Price"]
            for entry in types_file(member)
            if entry["name"] == "Standard_NC24ads_A100_v4"
        )
        for member in REGIONS
    }
    assert prices == {"us": 4.15, "eu": 4.408, "apac": 5.326}


def test_nodes_carry_their_region_and_zone() -> None:
    (offering,) = types_file("eu")[0]["offerings"]
    placed = {need["key"]: need["values"] for need in offering["Requirements"]}
    assert placed[names.REGION] == ["northeurope"]
    assert placed[names.ZONE] == ["northeurope-1"]
