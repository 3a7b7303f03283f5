"""What the API server takes, what it fills in, and what it says to what it refuses."""

import re
from typing import Any

import pytest

from fleet.kube.client import ApiClient
from fleet.kube.errors import RejectedError
from tests.integration.api.manifests import (
    NODES,
    PRESET,
    Manifest,
    deployment,
    endpoint,
    inference_set,
    member,
    placement,
    policy,
    service,
    workspace,
)

TEMPLATE = {"template": {"spec": {"containers": [{"name": "engine", "image": "engine:1"}]}}}
UNKNOWN = "Unsupported inference preset name phi-5"


async def refusal(client: ApiClient, manifest: Manifest) -> str:
    """Return what the server says; an older one adds the type of a bad value."""
    with pytest.raises(RejectedError) as refused:
        await client.dynamic.create(manifest)
    return re.sub(r'"(object|array)": ', "", str(refused.value))


@pytest.mark.parametrize("version", ["v1alpha1", "v1beta1"])
async def test_a_published_workspace_is_taken_in_each_version(
    client: ApiClient, version: str
) -> None:
    nodes = {"instanceType": "Standard_NC24ads_A100_v4", **NODES}
    made = await client.dynamic.create(workspace(f"phi-4-mini-{version}", version, resource=nodes))
    assert made["resource"]["count"] == 1
    assert made["inference"]["preset"]["accessMode"] == "public"


async def test_a_workspace_without_an_instance_type_stays_without(client: ApiClient) -> None:
    made = await client.dynamic.create(workspace("anywhere", "v1alpha1"))
    assert "instanceType" not in made["resource"]


@pytest.mark.parametrize(
    ("name", "preset"),
    [("by-repository", "microsoft/Phi-4-mini-instruct"), ("by-alias", "mistral-7b")],
)
async def test_a_preset_may_be_named_by_repository_or_alias(
    client: ApiClient, name: str, preset: str
) -> None:
    await client.dynamic.create(workspace(name, inference={"preset": {"name": preset}}))


async def test_a_template_keeps_every_field_of_its_pods(client: ApiClient) -> None:
    made = await client.dynamic.create(workspace("template", inference=TEMPLATE))
    assert made["inference"] == TEMPLATE


WORKSPACES: dict[str, tuple[dict[str, Any], str]] = {
    "both": (
        {"inference": PRESET | TEMPLATE},
        "inference: Invalid value: Preset and Template cannot be set at the same time",
    ),
    "none": ({"inference": {"config": "c"}}, "Preset or Template must be specified"),
    "idle": (
        {"inference": None},
        "Either Inference or Tuning must be specified, not neither",
    ),
    "torn": (
        {"tuning": {"preset": {"name": "phi-4"}, "method": "lora", "input": {}, "output": {}}},
        "Either Inference or Tuning must be specified, but not both",
    ),
    "unknown": (
        {"inference": {"preset": {"name": "phi-5"}}},
        f'inference.preset.name: Invalid value: {UNKNOWN}; "kubectl explain workspace.inference',
    ),
    "stranger": (
        {"inference": {"preset": {"name": "nobody/phi-4-mini-instruct"}}},
        "Unsupported inference preset name nobody/phi-4-mini-instruct",
    ),
    "twins": (
        {"inference": PRESET | {"adapters": [{"source": {"name": "sql", "image": "i"}}] * 2}},
        "inference.adapters: Invalid value: Duplicate adapter source name found",
    ),
    "nodes": ({"resource": {}}, "resource.labelSelector: Required value"),
    "access": (
        {"inference": {"preset": {"name": "phi-4", "accessMode": "secret"}}},
        'supported values: "public", "private"',
    ),
    "dotted.name": ({}, "metadata.name must be a DNS label"),
}


@pytest.mark.parametrize("name", WORKSPACES)
async def test_a_bad_workspace_is_refused_in_words(client: ApiClient, name: str) -> None:
    parts, words = WORKSPACES[name]
    assert words in await refusal(client, workspace(name, **parts))


async def test_an_inference_set_gets_its_defaults(client: ApiClient) -> None:
    upgrade = {"maintenanceWindow": {"schedule": "0 2 * * 6"}}
    made = await client.dynamic.create(inference_set("phi", "v1alpha1", autoUpgrade=upgrade))
    assert made["spec"]["replicas"] == 1
    assert made["spec"]["autoUpgrade"] == {
        "enabled": False,
        "strategy": "InPlace",
        "maintenanceWindow": {"schedule": "0 2 * * 6", "duration": "4h"},
    }


async def test_an_inference_set_of_an_unknown_preset_is_refused(client: ApiClient) -> None:
    template = {"inference": {"preset": {"name": "phi-5"}}}
    said = await refusal(client, inference_set("unknown", template=template))
    assert "spec.template.inference.preset.name" in said
    assert UNKNOWN in said


async def test_a_placement_gets_kubefleets_defaults(client: ApiClient) -> None:
    said: dict[str, Any] = {"strategy": {"rollingUpdate": {}, "applyStrategy": {}}, "policy": {}}
    made = (await client.dynamic.create(placement("defaults", **said)))["spec"]
    assert made["resourceSelectors"][0]["selectionScope"] == "NamespaceWithResources"
    assert made["policy"] == {"placementType": "PickAll"}
    assert made["revisionHistoryLimit"] == 10
    assert made["statusReportingScope"] == "ClusterScopeOnly"
    assert made["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {
            "maxSurge": "25%",
            "maxUnavailable": "25%",
            "unavailablePeriodSeconds": 60,
        },
        "applyStrategy": {
            "type": "ClientSideApply",
            "comparisonOption": "PartialComparison",
            "whenToApply": "Always",
            "whenToTakeOver": "Always",
        },
    }


async def test_a_placement_without_policy_and_strategy_stays_so(client: ApiClient) -> None:
    made = await client.dynamic.create(placement("bare"))
    assert {"policy", "strategy"}.isdisjoint(made["spec"])


async def test_scoring_gets_its_defaults(client: ApiClient) -> None:
    scoring = {"failover": {"tolerationSeconds": 30}, "weights": {}, "limits": {}}
    fields = {"placementType": "PickN", "numberOfClusters": 1, "scoring": scoring}
    made = await client.dynamic.create(policy("scoring", **fields))
    assert made["spec"]["policy"]["scoring"] == {
        "profile": "cost",
        "weights": {"price": 100, "headroom": 1},
        "limits": {},
        "failover": {"tolerationSeconds": 30},
    }


async def test_a_limit_of_cost_is_money(client: ApiClient) -> None:
    scoring = {"limits": {"usdPerHour": "cheap"}}
    dear = policy("cheap", placementType="PickN", numberOfClusters=1, scoring=scoring)
    said = await refusal(client, dear)
    assert "spec.policy.scoring.limits.usdPerHour in body should match" in said


async def test_a_member_reports_each_minute_unless_told_otherwise(client: ApiClient) -> None:
    made = await client.dynamic.create(member("atlantis", deleteOptions={}))
    assert made["spec"]["heartbeatPeriodSeconds"] == 60
    assert made["spec"]["deleteOptions"] == {"validationMode": "Strict"}


@pytest.mark.parametrize("group", ["modelfleet.dev/v1alpha1", "aitoolchain.io/v1"])
async def test_a_deployment_needs_only_its_model(client: ApiClient, group: str) -> None:
    made = await client.dynamic.create(deployment("minimal", group, clusters={}))
    assert made["spec"] == {
        "model": "qwen2-7b",
        "engine": "vllm",
        "replicas": 1,
        "clusters": {"min": 1},
    }


DEPLOYMENTS: dict[str, tuple[dict[str, Any], str]] = {
    "few": (
        {"replicas": 2, "clusters": {"min": 3}},
        "spec.replicas: Invalid value: replicas must be at least clusters.min",
    ),
    "crossed": (
        {"replicas": 3, "clusters": {"min": 3, "max": 2}},
        "clusters.min must not be more than clusters.max",
    ),
    "unknown": ({"model": "phi-5"}, "Unsupported model phi-5"),
    "engine": ({"engine": "steam"}, 'supported values: "vllm"'),
    "none": ({"replicas": 0}, "should be greater than or equal to 1"),
    "price": ({"usdPerHour": "-1"}, "spec.usdPerHour in body should match"),
    "modelless": ({"model": None}, "spec.model: Required value"),
}


@pytest.mark.parametrize("group", ["modelfleet.dev/v1alpha1", "aitoolchain.io/v1"])
@pytest.mark.parametrize("name", DEPLOYMENTS)
async def test_a_bad_deployment_is_refused_in_words(
    client: ApiClient, name: str, group: str
) -> None:
    spec, words = DEPLOYMENTS[name]
    assert words in await refusal(client, deployment(name, group, **spec))


async def test_an_endpoint_has_the_address_of_an_api(client: ApiClient) -> None:
    await client.dynamic.create(endpoint("external"))
    assert "spec.url in body should match" in await refusal(client, endpoint("ftp", url="ftp://a"))


EU = {"regions": ["northeurope"]}
TRAFFIC: dict[str, tuple[dict[str, Any], str]] = {
    "nobody": ({"targets": [{"weight": 5}]}, "name at least one of endpoints, regions or clusters"),
    "weight": ({"targets": [EU | {"weight": -1}]}, "greater than or equal to 0"),
    "headers": ({"rules": [EU | {"headers": []}]}, "should have at least 1 items"),
    "name": ({"rules": [EU | {"headers": [{"name": "a:b"}]}]}, "should match"),
    "percent": ({"shadow": EU | {"percent": 101}}, "less than or equal to 100"),
    "alike": ({"affinity": {}}, "name a header"),
}


async def test_a_service_may_say_how_its_requests_are_spread(client: ApiClient) -> None:
    rule = EU | {"headers": [{"name": "x-tenant", "value": "a"}]}
    traffic = {
        "targets": [EU | {"weight": 95}, {"endpoints": ["phi-v2-*"], "weight": 5, "priority": 1}],
        "rules": [rule],
        "shadow": EU,
        "affinity": {"prefixBytes": 512},
    }
    made = await client.dynamic.create(service("spread", traffic=traffic))
    assert made["spec"]["traffic"] == traffic


@pytest.mark.parametrize("name", TRAFFIC)
async def test_a_bad_spread_is_refused_in_words(client: ApiClient, name: str) -> None:
    traffic, words = TRAFFIC[name]
    assert words in await refusal(client, service(name, traffic=traffic))


async def test_a_credential_goes_only_to_external_endpoints_and_over_tls(
    client: ApiClient,
) -> None:
    credential = {"secret": "bought"}
    await client.dynamic.create(endpoint("bought", credential=credential))
    plain = endpoint("plain", url="http://api.example/v1", credential=credential)
    assert "url must begin with https://" in await refusal(client, plain)
    ours = endpoint("ours", cluster="eu", credential=credential)
    assert "credential is for external endpoints" in await refusal(client, ours)
    price = {"inputPerMillion": "0.5", "outputPerMillion": "1.5"}
    tls = {"serverName": "api.example", "authority": {"secret": "ca"}}
    await client.dynamic.create(endpoint("own", price=price, tls=tls, adapters=["sql"]))
    for field, value in (("price", price), ("tls", tls)):
        ours = endpoint("ours", cluster="eu", **{field: value})
        assert f"{field} is for external endpoints" in await refusal(client, ours)
    plain = endpoint("plain", url="http://api.example/v1", tls=tls)
    assert "url must begin with https:// where there is tls" in await refusal(client, plain)
