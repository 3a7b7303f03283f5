"""`modelfleet leave` with an agent that is there: it lets go, and what runs goes on running.

Every policy of the hub's chart is in force, and the namespace goes all the same.
"""

import pytest

from fleet.kube.client import swap
from fleet.testing.waiting import until
from tests.integration.membership.cluster import Cluster

GUARDED = True


@pytest.fixture
async def member(cluster: Cluster, controllers: None) -> Cluster:
    """Be a member with work."""
    del controllers
    await cluster.enter()
    await cluster.agent.start()
    await cluster.joined()
    await cluster.work("1")
    return cluster


async def test_a_member_leaves_with_its_workloads_and_comes_back_to_them(member: Cluster) -> None:
    asked = await member.run("leave")
    assert asked.exit_code == 1
    assert "with 1 Work in it" in asked.stderr
    assert "nobody can be asked here, and nothing was changed: say --yes" in asked.stderr
    before, record = await member.kept(), await member.record()
    assert before
    assert record

    said = await member.run("leave", "--yes", "--timeout", "120")
    assert said.exit_code == 0, said.stderr
    assert "helm uninstall modelfleet-member-agent" in said.stdout
    assert (await member.namespace(), await member.member()) == (None, None)
    kept = await member.kept()
    assert kept == before
    assert await member.record() == record
    assert member.agent.process
    assert member.agent.process.returncode is None

    await member.enter()
    await member.joined()
    await member.work("2")
    after = await member.kept()
    assert after
    assert after.metadata.uid == before.metadata.uid


async def test_a_member_whose_finalizer_was_taken_away_leaves_with_its_workloads(
    member: Cluster,
) -> None:
    before, there = await member.kept(), await member.member()
    assert there
    old = [*there.metadata.finalizers]
    await member.client.delete(there)
    await member.client.json_patch(there, swap("/metadata/finalizers", old, None))

    async def gone() -> bool:
        return await member.namespace() is None

    await until(gone)
    assert await member.kept() == before


async def test_who_is_no_member_cannot_leave(cluster: Cluster) -> None:
    said = await cluster.run("leave", "--yes")
    assert said.exit_code == 1
    assert f"there is no member {cluster.name} on the hub" in said.stderr
