"""`modelfleet leave` with an agent that is not there any more."""

from typing import Final

from tests.integration.membership.cluster import Cluster

SETTINGS: Final = {"HUB_FORCE_LEAVE_SECONDS": "1"}


async def test_a_silent_agent_is_waited_for_up_to_a_time_and_finds_its_workloads_again(
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
