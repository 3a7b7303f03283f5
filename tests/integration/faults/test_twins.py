"""Two clusters of one name, each with an agent and a good token: only one is heard at a time."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import yaml

from fleet.api import names
from fleet.api.cluster import MemberCluster
from fleet.api.core import ConfigMap, Namespace
from fleet.api.objects import Key
from fleet.kube.client import ApiClient
from fleet.testing.apiserver import ApiServer
from fleet.testing.fixtures import frail_member_server
from fleet.testing.waiting import until
from tests.integration.faults.programs import Forked
from tests.integration.faults.scene import MEMBER, Scene, Stage

__all__ = ["frail_member_server"]
ASIDE = f"another cluster reports as {MEMBER}"
pytestmark = pytest.mark.asyncio(loop_scope="module")


class Twin:
    """A second cluster to which the first one's agent is given too."""

    def __init__(self, fleet: Scene, stage: Stage, server: ApiServer) -> None:
        path = stage.home / "twin.yaml"
        path.write_text(yaml.safe_dump(server.kubeconfig()), encoding="utf-8")
        environ = {**fleet.agent.environ, "KUBECONFIG": str(path)}
        self.agent = Forked(stage.nursery, "member_agent", stage.home / "twin.log", environ)
        self.client = ApiClient(server.connection(), "test")


@pytest_asyncio.fixture(loop_scope="module")
async def twin(fleet: Scene, stage: Stage, frail_member_server: ApiServer) -> AsyncIterator[Twin]:
    made = Twin(fleet, stage, frail_member_server)
    yield made
    await made.agent.kill()
    await made.client.close()


async def test_of_two_clusters_with_one_name_the_second_waits_until_the_first_is_gone(
    fleet: Scene, twin: Twin
) -> None:
    run, key = "run-twin", Key("run-twin", "run-twin")
    await twin.client.create(Namespace.model_validate({"metadata": {"name": run}}))
    await fleet.place(run, failover_seconds=600)
    await until(lambda: fleet.has(run))

    await twin.agent.launch()
    await until(lambda: twin.agent.said(ASIDE) > 0)
    assert await twin.client.get(ConfigMap, key) is None

    await fleet.agent.kill()
    await until(lambda: _has(twin.client, key))
    await until(lambda: _heard(fleet, twin.client))

    before = fleet.agent.said(ASIDE)
    await fleet.agent.launch()
    await until(lambda: fleet.agent.said(ASIDE) > before)
    assert await _heard(fleet, twin.client)

    await twin.agent.kill()
    await until(lambda: _heard(fleet, fleet.member_client))


async def _has(client: ApiClient, key: Key) -> bool:
    return await client.get(ConfigMap, key) is not None


async def _heard(fleet: Scene, cluster: ApiClient) -> bool:
    """Say whether what the hub knows of the member is a cluster's word."""
    member = await fleet.hub_client.get(MemberCluster, Key("", MEMBER))
    system = await cluster.get(Namespace, Key("", "kube-system"))
    assert member
    assert system
    said = member.status.properties.get(names.CLUSTER_ID)
    return said is not None and said.value == system.metadata.uid
