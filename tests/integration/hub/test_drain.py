"""A cluster is drained on a real hub: cordoned, evicted within a budget, and taken up again."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from typer.testing import CliRunner, Result

from cli.__main__ import build
from fleet.api.binding import ClusterResourceBinding
from fleet.api.cluster import MemberCluster
from fleet.api.core import Namespace
from fleet.api.eviction import ClusterResourcePlacementDisruptionBudget
from fleet.api.objects import Key
from fleet.api.placement import ClusterResourcePlacement
from fleet.kube.client import ApiClient
from fleet.testing.apiserver import ApiServer
from fleet.testing.waiting import until
from tests.integration.cli.conftest import written
from tests.integration.hub.conftest import HubProcess
from tests.integration.hub.fleet import shaped
from tests.integration.hub.members import Members

NAME = "drained"
LABELS: Mapping[str, Mapping[str, str]] = {"drain-a": {"drain": "1"}, "drain-b": {"drain": "1"}}
CORDON = [{"key": "cordon-key", "value": "cordon-value", "effect": "NoSchedule"}]


class Scene:
    def __init__(self, client: ApiClient, config: Path) -> None:
        self.client, self.config = client, config

    async def run(self, *words: str) -> Result:
        line = [*words, "--kubeconfig", str(self.config)]
        return await asyncio.to_thread(CliRunner().invoke, build(line), line)

    async def place(self) -> None:
        await self.client.create(shaped(Namespace, NAME))
        selector = {"group": "", "version": "v1", "kind": "Namespace", "name": NAME}
        selector["selectionScope"] = "NamespaceOnly"
        term = {"labelSelector": {"matchLabels": {"drain": "1"}}}
        required = {
            "requiredDuringSchedulingIgnoredDuringExecution": {"clusterSelectorTerms": [term]}
        }
        policy = {
            "placementType": "PickN",
            "numberOfClusters": 1,
            "affinity": {"clusterAffinity": required},
        }
        spec = {"resourceSelectors": [selector], "policy": policy}
        await self.client.create(shaped(ClusterResourcePlacement, NAME, spec=spec))

    async def places(self) -> dict[str, bool]:
        """Name the clusters that it is on, and whether it is available there."""
        bindings = (await self.client.list(ClusterResourceBinding)).objects()
        return {
            b.spec.target_cluster: b.true_now("Available")
            for b in bindings
            if b.name.startswith(f"{NAME}-") and not b.deleting
        }

    async def on(self, cluster: str) -> None:
        async def there() -> bool:
            return await self.places() == {cluster: True}

        await until(there)

    async def taints(self, cluster: str) -> list[dict[str, str]]:
        member = await self.client.get(MemberCluster, Key("", cluster))
        return [taint.dump() for taint in member.spec.taints] if member else []


async def test_a_drained_cluster_is_left_within_the_budget_and_comes_back(
    client: ApiClient, hub: HubProcess, server: ApiServer, tmp_path: Path
) -> None:
    del hub
    trust = {"server": server.url, "certificate-authority": server.ca_file}
    (tmp_path / "user").mkdir()
    scene = Scene(client, written(tmp_path / "user", trust))
    members = Members(client, NAME, LABELS)
    await members.join()
    budget = shaped(ClusterResourcePlacementDisruptionBudget, NAME, spec={"minAvailable": 1})
    made = await client.create(budget)
    async with members.answering():
        await scene.place()
        await scene.on("drain-b")
        held = await scene.run("drain", "drain-b")
        assert held.exit_code == 1
        blocked = "Eviction is blocked by specified ClusterResourcePlacementDisruptionBudget"
        assert f"drain-b is not drained, these stay: {NAME}: {blocked}" in held.stderr
        assert await scene.taints("drain-b") == CORDON
        await client.delete(made)
        said = await scene.run(
            "draincluster", "--hub-cluster-context", "hub", "--clusterName", "drain-b"
        )
        assert said.exit_code == 0, said.stderr
        assert "drain-b is drained" in said.stdout
        await scene.on("drain-a")
        back = await scene.run("uncordoncluster", "--cluster-name=drain-b")
        assert back.stdout.strip() == "drain-b is uncordoned"
        assert await scene.taints("drain-b") == []
        assert await scene.places() == {"drain-a": True}


async def test_a_cordon_is_one_taint_among_others_and_a_name_must_be_a_member_s(
    client: ApiClient, server: ApiServer, tmp_path: Path
) -> None:
    trust = {"server": server.url, "certificate-authority": server.ca_file}
    scene, other = Scene(client, written(tmp_path, trust)), {"key": "gpu", "effect": "NoSchedule"}
    spec = {"identity": {"kind": "User", "name": "x"}, "taints": [other]}
    await client.create(shaped(MemberCluster, "cordoned", spec=spec))
    assert "nothing new is placed there" in (await scene.run("cordon", "cordoned")).stdout
    assert (await scene.run("cordon", "cordoned")).stdout == "cordoned is cordoned already\n"
    assert await scene.taints("cordoned") == [other, *CORDON]
    said = (await scene.run("uncordon", "cordoned")).stdout
    assert said == "cordoned is uncordoned; it still has the taints gpu\n"
    assert "is not cordoned" in (await scene.run("uncordon", "cordoned")).stdout
    for words, message in {
        ("cordon", "nobody"): "there is no member nobody on the hub",
        ("drain",): "name one cluster: no one is not",
        ("cordon", "a", "--cluster-name", "b"): "name one cluster: a and b is not",
        ("drain", "cordoned", "--timeout", "soon"): "--timeout: `soon` is no length of time",
    }.items():
        refused = await scene.run(*words)
        assert refused.exit_code == 1
        assert message in refused.stderr
