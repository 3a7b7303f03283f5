"""Two agents: one that is lost or stopped amid its work is succeeded; nothing is written twice."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest
import yaml

from fleet.api.core import Namespace
from fleet.api.objects import Metadata
from fleet.kube.client import ApiClient
from fleet.testing.apiserver import REPLICAS, ApiServer, free_port
from fleet.testing.audit import Write, turns, twice, writes
from fleet.testing.waiting import until
from tests.integration.member_agent.conftest import AgentProcess
from tests.integration.member_agent.test_work import Placed

pytestmark = pytest.mark.faults
FIRST, SECOND = REPLICAS
WORKS = 24
AMID = 6
"""Works that are applied when the leader is lost."""
LEASE_SECONDS = 3.0


@pytest.fixture
async def agents(
    kinds: ApiServer, client: ApiClient, environ: Mapping[str, str], tmp_path: Path
) -> AsyncIterator[Mapping[str, AgentProcess]]:
    """The first leads, the second stands by."""
    await client.create(Namespace(metadata=Metadata(name="replicas")))
    made = {user: _agent(kinds, tmp_path / user, environ) for user in REPLICAS}
    try:
        await made[FIRST].start()
        await made[SECOND].start(waiting_for="another leads", times=1)
        yield made
    finally:
        for each in made.values():
            await each.kill()


def _agent(server: ApiServer, home: Path, environ: Mapping[str, str]) -> AgentProcess:
    """Make an agent whose user tells it from the other, on its member as on the hub."""
    home.mkdir()
    kubeconfig, token = home / "kubeconfig.yaml", home / "token"
    kubeconfig.write_text(yaml.safe_dump(server.kubeconfig(home.name)), encoding="utf-8")
    token.write_text(home.name, encoding="utf-8")
    own = {
        "KUBECONFIG": str(kubeconfig),
        "MEMBER_AGENT_HUB_TOKEN_FILE": str(token),
        "MEMBER_AGENT_HEALTH_LISTEN": f"127.0.0.1:{free_port()}",
        "MEMBER_AGENT_NAMESPACE": "replicas",
        "MEMBER_AGENT_LEASE_SECONDS": str(LEASE_SECONDS),
    }
    return AgentProcess(home, {**environ, **own})


class Load:
    """Many Works of one name's beginning."""

    def __init__(self, client: ApiClient, name: str) -> None:
        self.name = f"{name}-replicas"
        self.works = [Placed(client, f"{self.name}-{number:02}") for number in range(WORKS)]

    async def write(self) -> None:
        await asyncio.gather(*(work.write(a={"of": work.key.name}) for work in self.works))

    async def applied(self) -> int:
        return sum([await work.said("Applied") for work in self.works])

    async def done(self) -> bool:
        return all([await work.said("Available") for work in self.works])

    async def outcome(self) -> list[tuple[str, int]]:
        """Give what the member has: the data of each object, and the objects on record."""
        return [await self._outcome(work) for work in self.works]

    async def _outcome(self, work: Placed) -> tuple[str, int]:
        record, data = await work.record(), await work.data("a")
        assert record
        return data["of"].removeprefix(self.name), len(record.status.applied_resources)

    def written(self, server: ApiServer) -> list[Write]:
        return [w for w in writes(server.audit_log) if w.name.startswith(self.name)]


async def test_an_agent_that_is_lost_or_stopped_is_succeeded_and_nothing_is_written_twice(
    agents: Mapping[str, AgentProcess], client: ApiClient, kinds: ApiServer
) -> None:
    calm, lost, stopped = (Load(client, name) for name in ("calm", "lost", "stopped"))
    await calm.write()
    await until(calm.done)
    undisturbed = await calm.outcome()
    assert turns(calm.written(kinds)) == [FIRST]

    await _amid(lost, lambda: agents[FIRST].tell(signal.SIGKILL))
    await until(lost.done)
    assert await lost.outcome() == undisturbed
    assert turns(lost.written(kinds)) == [FIRST, SECOND]
    assert twice(lost.written(kinds)) == []

    await agents[FIRST].start(waiting_for="another leads", times=1)
    await _amid(stopped, lambda: agents[SECOND].tell(signal.SIGSTOP))
    await until(stopped.done)
    agents[SECOND].tell(signal.SIGCONT)
    assert await agents[SECOND].ended() == 1
    assert agents[SECOND].said("the lease replicas/modelfleet-member-agent is lost")
    assert await stopped.outcome() == undisturbed
    assert turns(stopped.written(kinds)) == [SECOND, FIRST]
    assert twice(stopped.written(kinds)) == []


async def _amid(load: Load, lose: Callable[[], None]) -> None:
    """Lose the leader while it has much to do."""
    writing = asyncio.create_task(load.write())
    await until(lambda: _some(load))
    lose()
    assert await load.applied() < WORKS
    await writing


async def _some(load: Load) -> bool:
    return await load.applied() >= AMID
