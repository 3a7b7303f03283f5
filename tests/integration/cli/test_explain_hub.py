"""`modelfleet explain` of what is on a hub: a real API server, written to as a hub would."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.__main__ import build
from fleet.api import names
from fleet.api.binding import ClusterResourceBinding
from fleet.api.cluster import MemberCluster
from fleet.api.core import Namespace
from fleet.api.objects import Resource
from fleet.api.placement import ClusterResourcePlacement, ResourcePlacement
from fleet.api.snapshot import (
    ClusterSchedulingPolicySnapshot,
    Demand,
    SchedulingPolicySnapshot,
)
from fleet.kube.client import ApiClient
from fleet.kube.errors import NotFoundError
from fleet.runtime import clock
from fleet.testing.apiserver import NOBODY, ApiServer, free_port
from tests.integration.cli.conftest import written
from tests.integration.hub.fleet import condition
from tests.unit.fleet.engine.fleets import A10, A100, allocation, member, phi, pool

TEAM = "kubernetes-fleet.io/team"


class Hub:
    """Objects of one test on a server that other tests use too: its members bear its name."""

    def __init__(self, client: ApiClient, kubeconfig: Path, name: str) -> None:
        self.client, self.kubeconfig, self.name = client, kubeconfig, name
        self.made: list[Resource] = []

    async def make(self, resource: Resource) -> None:
        live = await self.client.create(resource)
        self.made.append(live)
        if isinstance(resource, MemberCluster):
            await self.client.patch_status(live, resource.status)

    async def member(
        self, region: str, *pools: dict[str, Any], silent: float = 0, **status: Any
    ) -> str:
        """Make a member that was heard so many seconds ago."""
        heard = clock.now() - timedelta(seconds=silent)
        agent = {
            "type": "MemberAgent",
            "conditions": [condition(kind, 1).dump() for kind in ("Joined", "Healthy")],
            "lastReceivedHeartbeat": heard.isoformat(),
        }
        labels = {names.REGION: region, TEAM: self.name}
        name = f"{region}-{self.name}"
        await self.make(member(name, *pools, labels=labels, agentStatus=[agent], **status))
        return name

    async def placement(
        self,
        *demands: Demand,
        number: int = 1,
        index: int = 0,
        namespace: str = "",
        **scoring: Any,
    ) -> None:
        """Make a policy snapshot, and with the first one the placement that it is of."""
        kind = ResourcePlacement if namespace else ClusterResourcePlacement
        if index == 0:
            metadata = {"name": self.name, "namespace": namespace}
            selector = {"group": "", "version": "v1", "kind": "Namespace", "name": self.name}
            if namespace:
                selector |= {"kind": "ConfigMap"}
            spec = {"resourceSelectors": [selector]}
            await self.make(kind.model_validate({"metadata": metadata, "spec": spec}))
        if demands or number:
            await self.make(self._policy(demands, number, index, namespace, scoring))

    def _policy(
        self,
        demands: tuple[Demand, ...],
        number: int,
        index: int,
        namespace: str,
        scoring: dict[str, Any],
    ) -> Resource:
        kind = SchedulingPolicySnapshot if namespace else ClusterSchedulingPolicySnapshot
        mine = {"labelSelector": {"matchLabels": {TEAM: self.name}}}
        required = {"clusterSelectorTerms": [mine]}
        needed = {"requiredDuringSchedulingIgnoredDuringExecution": required}
        policy = {"placementType": "PickN", "affinity": {"clusterAffinity": needed}}
        if scoring:
            policy["scoring"] = scoring
        labels = {names.PARENT: self.name, names.LATEST: "true", names.POLICY_INDEX: str(index)}
        return kind.model_validate(
            {
                "metadata": {
                    "name": f"{self.name}-{index}",
                    "namespace": namespace,
                    "labels": labels,
                    "annotations": {names.NUMBER_OF_CLUSTERS: str(number)},
                },
                "spec": {
                    "policy": policy,
                    "policyHash": "aGFzaA==",
                    "demands": [demand.dump() for demand in demands],
                },
            }
        )

    async def binding(self, cluster: str, parent: str, instance_type: str = A10) -> None:
        decided = {"clusterName": cluster, "selected": True, "reason": "best"}
        spec = {
            "state": "Bound",
            "targetCluster": cluster,
            "resourceSnapshotName": "",
            "schedulingPolicySnapshotName": f"{parent}-0",
            "clusterDecision": decided,
            "allocations": [allocation(phi(), instance_type).dump()],
        }
        metadata = {"name": f"{parent}-{cluster}", "labels": {names.PARENT: parent}}
        body = {"metadata": metadata, "spec": spec}
        await self.make(ClusterResourceBinding.model_validate(body))

    async def explain(self, *words: str, kubeconfig: Path | None = None) -> Result:
        line = ["explain", *words, "--kubeconfig", str(kubeconfig or self.kubeconfig)]
        return await asyncio.to_thread(CliRunner().invoke, build(line), line)

    async def answer(self, *words: str) -> dict[str, Any]:
        """Explain; give each of this test's clusters by its region."""
        result = await self.explain(*(words or (self.name,)), "-o", "json")
        assert result.exit_code == 0, result.stderr
        (found,) = json.loads(result.stdout)["placements"]
        mine = [one for one in found["clusters"] if one["cluster"].endswith(self.name)]
        return {one["cluster"].removesuffix(f"-{self.name}"): one for one in mine}

    async def unmake(self) -> None:
        for resource in reversed(self.made):
            with suppress(NotFoundError):
                await self.client.delete(resource)


@pytest.fixture
async def hub(
    client: ApiClient, kubeconfig: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Hub]:
    made = Hub(client, kubeconfig, f"t{names.digest(request.node.name)}")
    yield made
    await made.unmake()


def chosen(answer: dict[str, Any]) -> dict[str, str]:
    return {region: one["reason"] for region, one in answer.items() if one["chosen"]}


async def test_a_placement_goes_where_it_fits_and_costs_least(hub: Hub) -> None:
    await hub.member("centralus", pool(A100))
    await hub.member("northeurope", pool(A10))
    await hub.placement(phi())
    answer = await hub.answer()
    assert chosen(answer) == {"northeurope": "chosen"}
    assert answer["northeurope"]["usdPerHour"] == "3.84"
    assert answer["centralus"]["reason"] == "would do"


async def test_what_others_were_promised_is_not_there_any_more(hub: Hub) -> None:
    europe = await hub.member("northeurope", pool(A10, 1))
    await hub.member("centralus", pool(A100))
    await hub.placement(phi())
    await hub.binding(europe, f"other-{hub.name}")
    answer = await hub.answer()
    assert chosen(answer) == {"centralus": "chosen"}
    assert answer["northeurope"]["rejectedBy"] == "gpu-fit"


async def test_what_it_has_itself_it_may_keep(hub: Hub) -> None:
    europe = await hub.member("northeurope", pool(A10, 1))
    await hub.member("centralus", pool(A100))
    await hub.placement(phi())
    await hub.binding(europe, hub.name)
    assert chosen(await hub.answer()) == {"northeurope": "in use, stays"}


async def test_the_newest_policy_counts(hub: Hub) -> None:
    await hub.member("centralus", pool(A10))
    await hub.member("northeurope", pool(A10))
    await hub.placement(phi(), number=1)
    await hub.placement(phi(), number=2, index=10)
    await hub.placement(phi(), number=1, index=9)
    assert set(chosen(await hub.answer())) == {"centralus", "northeurope"}


async def test_a_member_that_is_silent_too_long_gives_its_share_away(hub: Hub) -> None:
    europe = await hub.member("northeurope", pool(A10), silent=120)
    await hub.member("centralus", pool(A100))
    await hub.member("eastus", pool(A100))
    await hub.placement(phi(), failover={"tolerationSeconds": 30})
    await hub.binding(europe, hub.name)
    answer = await hub.answer()
    assert "northeurope" not in chosen(answer)
    assert "silent" in answer["northeurope"]["reason"]
    said = (await hub.explain(hub.name)).stdout
    assert f"Lets go of {europe}: the member is silent" in said


async def test_a_cluster_that_vanished_is_let_go_of(hub: Hub) -> None:
    europe = await hub.member("northeurope", pool(A10))
    await hub.member("centralus", pool(A100))
    await hub.placement(phi())
    await hub.binding(europe, hub.name)
    await hub.client.delete(next(r for r in hub.made if r.name == europe))
    assert chosen(await hub.answer()) == {"centralus": "chosen"}
    said = (await hub.explain(hub.name, "-o", "yaml")).stdout
    assert f"leaving:\n    {europe}: the cluster left the fleet" in said


async def test_a_placement_within_a_namespace_is_asked_for_with_it(hub: Hub) -> None:
    await hub.make(Namespace.model_validate({"metadata": {"name": hub.name}}))
    await hub.member("northeurope", pool(A10), namespaces={"default": ""})
    await hub.member("centralus", pool(A100), namespaces={hub.name: ""})
    await hub.placement(phi(), namespace=hub.name)
    answer = await hub.answer(hub.name, "-n", hub.name)
    assert chosen(answer) == {"centralus": "chosen"}
    assert hub.name in answer["northeurope"]["reason"]
    result = await hub.explain("placement", hub.name)
    assert result.exit_code == 1
    assert result.stderr == (
        f"there is no ClusterResourcePlacement {hub.name} on the hub;"
        " a ResourcePlacement needs -n NAMESPACE\n"
    )


async def test_a_placement_that_is_not_there_is_named(hub: Hub) -> None:
    result = await hub.explain("nothing", "-n", "nowhere")
    assert (result.exit_code, result.stderr) == (
        1,
        "there is no ResourcePlacement nowhere/nothing on the hub\n",
    )


async def test_a_placement_that_no_hub_has_looked_at_says_so(hub: Hub) -> None:
    await hub.placement(number=0)
    result = await hub.explain("placement", hub.name)
    assert (result.exit_code, result.stderr) == (
        1,
        f"ClusterResourcePlacement {hub.name} has no policy snapshot yet: is the hub up?\n",
    )


async def test_files_are_asked_of_the_hub_s_fleet_where_no_other_is_given(
    hub: Hub, tmp_path: Path
) -> None:
    await hub.member("centralus", pool(A100))
    taken = await hub.member("northeurope", pool(A10, 1))
    await hub.binding(taken, f"other-{hub.name}")
    file = tmp_path / "it.yaml"
    file.write_text(
        "apiVersion: kaito.sh/v1beta1\nkind: Workspace\nmetadata: {name: phi}\n"
        "resource: {labelSelector: {}}\ninference: {preset: {name: phi-4-mini-instruct}}\n"
    )
    answer = await hub.answer("-f", str(file))
    assert answer["northeurope"]["rejectedBy"] == "gpu-fit"
    assert answer["centralus"]["usdPerHour"] == "4.15"


async def test_a_hub_that_is_away_is_named_with_its_kubeconfig(hub: Hub, tmp_path: Path) -> None:
    url = f"https://127.0.0.1:{free_port()}"
    away = written(tmp_path, {"server": url})
    result = await hub.explain("chat", kubeconfig=away)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"the hub of {away}: {url}: ")


async def test_a_user_without_rights_is_told_what_is_forbidden(
    hub: Hub, server: ApiServer, tmp_path: Path
) -> None:
    cluster = {"server": server.url, "certificate-authority": server.ca_file}
    result = await hub.explain("chat", kubeconfig=written(tmp_path, cluster, NOBODY))
    assert result.exit_code == 1
    assert "memberclusters" in result.stderr
    assert "forbidden" in result.stderr


async def test_a_kubeconfig_that_is_none_is_named(hub: Hub, tmp_path: Path) -> None:
    missing = tmp_path / "nowhere.yaml"
    result = await hub.explain("chat", kubeconfig=missing)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"the hub of {missing}: kubeconfig {missing}: ")
