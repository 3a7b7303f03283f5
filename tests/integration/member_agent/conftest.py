"""A real API server that is a hub and a member at once, and an agent as a process of its own."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import yaml
from typing_extensions import override

from fleet.api.names import member_namespace
from fleet.kube.client import ApiClient
from fleet.testing.apiserver import ApiServer, free_port
from fleet.testing.fixtures import client, server
from tests.integration.identity import token_for
from tests.integration.member_agent.identity import admit
from tests.integration.process import ProgramProcess

__all__ = ["account_token", "agent", "client", "server"]
CLUSTER = "us"
NAMESPACE = member_namespace(CLUSTER)
WRITE = ["get", "list", "watch", "create", "patch", "delete"]


class AgentProcess(ProgramProcess):
    """An agent; it has started when all five of its controllers have."""

    def __init__(self, home: Path, environ: Mapping[str, str]) -> None:
        super().__init__("member_agent", home / "agent.log", environ)

    @override
    async def start(self, *, waiting_for: str = "controller starts", times: int = 5) -> None:
        await super().start(waiting_for=waiting_for, times=times)


@pytest.fixture(scope="package")
def account_token(server: ApiServer) -> str:
    """Be the agent on its member with its own rights, and those that tests' Works need."""
    placed = {"apiGroups": [""], "resources": ["configmaps", "secrets"], "verbs": WRITE}
    values = {"fullnameOverride": "tested-agent", "rbac": {"rules": [placed]}}
    return asyncio.run(token_for(server, "member-agent", **values))


@pytest.fixture
async def environ(
    server: ApiServer, account_token: str, client: ApiClient, tmp_path: Path
) -> Mapping[str, str]:
    """Say where the hub and the member are, with the rights that an agent has there."""
    kubeconfig, token = tmp_path / "kubeconfig.yaml", tmp_path / "token"
    kubeconfig.write_text(yaml.safe_dump(server.kubeconfig(account_token)), encoding="utf-8")
    token.write_text(await admit(client, CLUSTER), encoding="utf-8")
    token.chmod(0o600)
    return {
        "KUBECONFIG": str(kubeconfig),
        "MEMBER_AGENT_CLUSTER": CLUSTER,
        "MEMBER_AGENT_HUB_URL": server.url,
        "MEMBER_AGENT_HUB_CA_FILE": server.ca_file,
        "MEMBER_AGENT_HUB_TOKEN_FILE": str(token),
        "MEMBER_AGENT_HEALTH_LISTEN": f"127.0.0.1:{free_port()}",
    }


@pytest.fixture
async def agent(environ: Mapping[str, str], tmp_path: Path) -> AsyncIterator[AgentProcess]:
    running = AgentProcess(tmp_path, environ)
    yield running
    await running.kill()
