"""`modelfleet leave` with an agent that is not there any more."""

from typing import Final

from fleet.kube.client import swap
from fleet.testing.waiting import until
from tests.integration.membership.cluster import Cluster

SETTINGS: Final = {"HUB_FORCE_LEAVE_SECONDS": "1"}


async def test_a_silent_agent_is_waited_for_up_to_a_time_and_its_workloads_stay(
    cluster: Cluster, controllers: None
) -> None:
    del controllers
    await cluster.enter()
    await cluster.agent.start()
    await cluster.joined()
    await cluster.work("1")
    before = await cluster.kept()
    assert before
    await cluster.agent.kill()

    said = await cluster.run("leave", "--yes", "--timeout", "120")
    assert said.exit_code == 0, said.stderr
    assert (await cluster.namespace(), await cluster.member()) == (None, None)
    assert await cluster.kept() == before

    await cluster.enter()
    await cluster.agent.start()
    await cluster.joined()
    await cluster.work("2")
    after = await cluster.kept()
    assert after
    assert after.metadata.uid == before.metadata.uid

    await cluster.agent.kill()
    await _vanish(cluster)
    await until(lambda: _gone(cluster))
    assert await cluster.kept() == after


async def _vanish(cluster: Cluster) -> None:
    """Delete the member's object, and take the hub's finalizer away."""
    there = await cluster.member()
    assert there
    await cluster.client.delete(there)
    old = [*there.metadata.finalizers]
    await cluster.client.json_patch(there, swap("/metadata/finalizers", old, None))


async def _gone(cluster: Cluster) -> bool:
    return await cluster.namespace() is None
