"""The hub as an API server's validating webhook, with the rights and the certificate of its own."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
import yaml

from fleet.kube.client import ApiClient
from fleet.kube.dynamic import key_of
from fleet.kube.errors import ForbiddenError
from fleet.kube.transport import Transport
from fleet.testing.apiserver import ApiServer, free_port
from fleet.testing.waiting import until
from tests.integration.api.definitions import sides
from tests.integration.api.judge import Judge
from tests.integration.api.rows import Row
from tests.integration.hub.conftest import HubProcess
from tests.integration.identity import NAMESPACE, render

pytestmark = pytest.mark.asyncio(loop_scope="module")
PLACEMENT: Final = "placement.kubernetes-fleet.io/v1beta1"
FILES: Final = (
    "policy-members.yaml",
    "policy-placements.yaml",
    "policy-overrides.yaml",
    "webhook.yaml",
)
DENIED: Final = 'admission webhook "hub.modelfleet.dev" denied the request: '
POLICY: Final = {"overrideRules": [{"overrideType": "Delete"}]}
CRD: Final = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "internalserviceexports.networking.fleet.azure.com"},
    "spec": {
        "group": "networking.fleet.azure.com",
        "names": {"kind": "InternalServiceExport", "plural": "internalserviceexports"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1alpha1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "x-kubernetes-preserve-unknown-fields": True,
                    }
                },
            }
        ],
    },
}
Manifest = dict[str, Any]


def object_of(kind: str, name: str, spec: Manifest, namespace: str = "") -> Manifest:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": PLACEMENT, "kind": kind, "metadata": metadata, "spec": spec}


def placement(name: str, **policy: Any) -> Manifest:
    selector = {"group": "", "version": "v1", "kind": "Namespace", "name": "nowhere"}
    spec = {"resourceSelectors": [selector]} | ({"policy": policy} if policy else {})
    return object_of("ClusterResourcePlacement", name, spec)


def cluster_override(name: str, selected: str) -> Manifest:
    selector = {"group": "", "version": "v1", "kind": "Namespace", "name": selected}
    spec = {"clusterResourceSelectors": [selector], "policy": POLICY}
    return object_of("ClusterResourceOverride", name, spec)


def override(name: str, space: str) -> Manifest:
    selector = {"group": "", "version": "v1", "kind": "ConfigMap", "name": name}
    spec = {"resourceSelectors": [selector], "policy": POLICY}
    return object_of("ResourceOverride", name, spec, space)


def eviction(placed: str) -> Manifest:
    spec = {"placementName": placed, "clusterName": "eu"}
    return object_of("ClusterResourcePlacementEviction", f"from-{placed}", spec)


def budget(name: str, **spec: Any) -> Manifest:
    return object_of("ClusterResourcePlacementDisruptionBudget", name, spec)


class World:
    """What was made for the tests here, and the hub that is asked."""

    def __init__(self, client: ApiClient, hub: HubProcess) -> None:
        self.client, self.hub = client, hub
        self.made: list[Manifest] = []

    async def have(self, *manifests: Manifest) -> None:
        self.made += await asyncio.gather(*map(self.client.dynamic.apply, manifests))

    async def said(self, manifest: Manifest) -> str:
        """Write it, for a moment where it is taken; give the refusal."""
        try:
            made = await self.client.dynamic.create(manifest)
        except ForbiddenError as refusal:
            return str(refusal)
        await self.gone(made)
        return ""

    async def gone(self, manifest: Mapping[str, Any]) -> None:
        resource = await self.client.dynamic.resource_for(manifest["apiVersion"], manifest["kind"])
        await self.client.dynamic.delete(resource, key_of(manifest))

    async def end(self) -> None:
        for manifest in reversed(self.made):
            await self.gone(manifest)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(
    server: ApiServer, hub_token: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """Have the hub asked by the server; what fills the limit is there before."""
    port = free_port()
    values = {"webhook": {"url": f"https://127.0.0.1:{port}", "serviceExports": True}}
    folder = tmp_path_factory.mktemp("webhook")
    async with AsyncExitStack() as stack:
        client = ApiClient(server.connection(), "test")
        stack.push_async_callback(client.close)
        found = World(client, _hub(server, hub_token, folder, port))
        stack.push_async_callback(found.hub.kill)
        stack.push_async_callback(found.end)
        for name in ("crowded", "fleet-member-exporting"):
            namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            await client.dynamic.apply(namespace)
        await found.have(*(override(f"o{number}", "crowded") for number in range(100)))
        await found.have(cluster_override("first", "webhooked"), CRD)
        for manifest in await render("hub", NAMESPACE, ("rbac.yaml",), values):
            await client.dynamic.apply(manifest, force=True)
        await found.have(*await render("hub", NAMESPACE, FILES, values))
        await found.hub.start()
        await until(partial(found.said, cluster_override("second", "webhooked")))
        yield found


def _hub(server: ApiServer, token: str, folder: Path, port: int) -> HubProcess:
    kubeconfig = folder / "kubeconfig.yaml"
    kubeconfig.write_text(yaml.safe_dump(server.kubeconfig(token)), encoding="utf-8")
    return HubProcess(
        kubeconfig,
        HUB_NAMESPACE=NAMESPACE,
        HUB_WEBHOOK_LISTEN=f"127.0.0.1:{port}",
        HUB_WEBHOOK_NAMES="127.0.0.1",
        HUB_WEBHOOK_SERVICE_EXPORTS="true",
    )


async def test_a_resource_has_one_override(world: World) -> None:
    said = await world.said(cluster_override("second", "webhooked"))
    assert said == (
        f"{DENIED}invalid resource selector {{Group: Version:v1 Kind:Namespace Name:webhooked"
        " LabelSelector:nil SelectionScope:NamespaceWithResources}: the resource has been selected"
        " by both second and first, which is not supported"
    )
    assert await world.said(cluster_override("second", "unhooked")) == ""


async def test_a_version_that_is_not_asked_about_is_asked_about_as_the_one_that_is(
    world: World,
) -> None:
    older = cluster_override("second", "webhooked") | {
        "apiVersion": "placement.kubernetes-fleet.io/v1alpha1"
    }
    assert "selected by both second and first" in await world.said(older)


async def test_there_are_100_overrides_in_a_namespace_at_most(world: World) -> None:
    said = await world.said(override("one-more", "crowded"))
    limit = "resourceOverride limit has been reached: at most 100 resources can be created."
    assert said == f"{DENIED}{limit}"
    assert await world.said(override("one-more", "default")) == ""


async def test_what_is_evicted_from_stays_and_does_not_name_its_clusters(world: World) -> None:
    fixed = placement("webhook-fixed", placementType="PickFixed", clusterNames=["eu"])
    going = placement("webhook-going")
    going["metadata"]["finalizers"] = ["example.com/stays"]
    await world.have(fixed, placement("webhook-all"))
    made = await world.client.dynamic.create(going)
    await world.gone(made)
    assert await world.said(eviction("webhook-all")) == await world.said(eviction("none")) == ""
    assert await world.said(eviction("webhook-fixed")) == (
        f"{DENIED}cluster resource placement policy type PickFixed is not supported"
    )
    assert await world.said(eviction("webhook-going")) == (
        f"{DENIED}cluster resource placement webhook-going is being deleted"
    )
    resource = await world.client.dynamic.resource_for(PLACEMENT, going["kind"])
    free = {"metadata": {"finalizers": None}}
    await world.client.dynamic.merge_patch(resource, key_of(made), free)


async def test_a_budget_fits_its_placement(world: World) -> None:
    await world.have(placement("webhook-budget"))
    kind = "cluster resource placement policy type PickAll is not supported with"
    assert await world.said(budget("webhook-budget", maxUnavailable=2)) == (
        f"{DENIED}{kind} any specified max unavailable 2"
    )
    assert await world.said(budget("webhook-budget", minAvailable="10%")) == (
        f"{DENIED}{kind} min available as a percentage 10%"
    )
    assert await world.said(budget("webhook-budget", minAvailable=2)) == ""
    assert await world.said(budget("webhook-nothing", maxUnavailable=2)) == ""


async def test_a_member_that_exports_a_service_stays_unless_nobody_is_to_look(
    world: World,
) -> None:
    export = {
        "apiVersion": "networking.fleet.azure.com/v1alpha1",
        "kind": "InternalServiceExport",
        "metadata": {"name": "web-shop", "namespace": "fleet-member-exporting"},
        "spec": {"serviceReference": {"namespacedName": "web/shop"}},
    }
    member = {
        "apiVersion": "cluster.kubernetes-fleet.io/v1beta1",
        "kind": "MemberCluster",
        "metadata": {"name": "exporting"},
        "spec": {"identity": {"kind": "User", "name": "exporting"}},
    }
    await world.have(export)
    made = await world.client.dynamic.create(member)
    with pytest.raises(ForbiddenError) as refused:
        await world.gone(made)
    assert str(refused.value) == (
        f"{DENIED}Please delete serviceExport web/shop in the member cluster before leaving,"
        " request is denied"
    )
    resource = await world.client.dynamic.resource_for(made["apiVersion"], made["kind"])
    skip = {"spec": {"deleteOptions": {"validationMode": "Skip"}}}
    await world.client.dynamic.merge_patch(resource, key_of(made), skip)
    await world.gone(made)


async def test_a_hub_that_starts_again_is_believed_again_and_without_one_all_is_taken(
    world: World,
) -> None:
    assert await world.hub.terminate() == 0
    assert await world.said(cluster_override("second", "webhooked")) == ""
    resource = await world.client.dynamic.resource_for("v1", "Secret")
    secret = await world.client.dynamic.get(resource, key_of(_secret()))
    assert secret is not None
    await world.gone(secret)
    await world.hub.start()
    await until(partial(world.said, cluster_override("second", "webhooked")))


async def test_under_policies_and_webhook_the_definitions_say_what_they_say_alone(
    world: World, server: ApiServer
) -> None:
    assert await world.said(cluster_override("second", "webhooked"))
    transport = Transport(server.connection())
    judge = Judge(transport)
    for number, row in enumerate(sides()):
        said = await judge.said(_renamed(row, f"{NAME}-{number}"))
        assert row.said.replace(f'"{NAME}"', f'"{NAME}-{number}"') in said, row
        assert bool(row.said) == bool(said), row
    await transport.close()


NAME: Final = "tried"


def _renamed(row: Row, name: str) -> Row:
    """Let it not meet what is left of another for a moment: the hub has finalizers on some."""
    metadata = row.manifest["metadata"]
    if metadata["name"] != NAME:
        return row
    return replace(row, manifest=row.manifest | {"metadata": metadata | {"name": name}})


def _secret() -> Manifest:
    metadata = {"name": "modelfleet-hub-webhook", "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
