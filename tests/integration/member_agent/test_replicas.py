"""Two agents: one that is lost or stopped amid its work is succeeded; nothing is written twice."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from fleet.kube.client import ApiClient
from fleet.testing.apiserver import ApiServer, free_port
from fleet.testing.audit import Write, writes
from tests.integration import replicas
from tests.integration.member_agent.conftest import AgentProcess
from tests.integration.member_agent.test_work import Placed
from tests.integration.replicas import LEASE_SECONDS, MUCH, pair, succeed

pytestmark = pytest.mark.faults


@pytest.fixture
async def agents(
    server: ApiServer, client: ApiClient, environ: Mapping[str, str], tmp_path: Path
) -> AsyncIterator[Mapping[str, AgentProcess]]:
    async with pair(client, lambda user: _agent(server, tmp_path / user, environ)) as made:
        yield made


def _agent(server: ApiServer, home: Path, environ: Mapping[str, str]) -> AgentProcess:
    """Make an agent whose user tells it from the other, on its member as on the hub."""
    kubeconfig, token = replicas.kubeconfig(server, home), home / "token"
    token.write_text(home.name, encoding="utf-8")
    own = {
        "KUBECONFIG": kubeconfig,
        "MEMBER_AGENT_HUB_TOKEN_FILE": str(token),
        "MEMBER_AGENT_HEALTH_LISTEN": f"127.0.0.1:{free_port()}",
        "MEMBER_AGENT_NAMESPACE": replicas.NAMESPACE,
        "MEMBER_AGENT_LEASE_SECONDS": str(LEASE_SECONDS),
    }
    return AgentProcess(home, {**environ, **own})


class Load:
    """Many Works of one name's beginning."""

    def __init__(self, client: ApiClient, server: ApiServer, name: str) -> None:
        self.name, self._server = f"{name}-replicas", server
        self.works = [Placed(client, f"{self.name}-{number:02}") for number in range(MUCH)]

    async def begin(self) -> None:
        await asyncio.gather(*(work.write(a={"of": work.key.name}) for work in self.works))

    async def count(self) -> int:
        return sum(await asyncio.gather(*(work.said("Applied") for work in self.works)))

    async def done(self) -> bool:
        return all(await asyncio.gather(*(work.said("Available") for work in self.works)))

    async def outcome(self) -> list[tuple[str, int]]:
        """Give what the member has: the data of each object, and the objects on record."""
        return [await self._outcome(work) for work in self.works]

    async def _outcome(self, work: Placed) -> tuple[str, int]:
        record, data = await work.record(), await work.data("a")
        assert record
        return data["of"].removeprefix(self.name), len(record.status.applied_resources)

    def written(self) -> list[Write]:
        return [w for w in writes(self._server.audit_log) if w.name.startswith(self.name)]


async def test_an_agent_that_is_lost_or_stopped_is_succeeded_and_nothing_is_written_twice(
    agents: Mapping[str, AgentProcess], client: ApiClient, server: ApiServer
) -> None:
    calm, lost, stopped = (Load(client, server, name) for name in ("calm", "lost", "stopped"))
    await succeed(agents, (calm, lost, stopped), "modelfleet-member-agent")
