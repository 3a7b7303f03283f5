"""A real API server that is a hub and a member at once, and an agent as a process of its own."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleet.api.karpenter import NodeClaim, NodePool
from fleet.api.names import member_namespace
from fleet.api.work import AppliedWork, Work
from fleet.api.workspace import InferenceSet, Workspace
from fleet.kube.client import ApiClient
from fleet.kube.errors import NotFoundError
from fleet.kube.resources import ApiResource
from fleet.testing.apiserver import ADMIN, ApiServer, binaries, free_port
from fleet.testing.fixtures import client, server
from fleet.testing.waiting import until
from tests.integration.member_agent.identity import admit

__all__ = ["agent", "client", "kinds", "server"]
CRDS = Path(__file__).parents[3] / "crds"
CLUSTER = "us"
NAMESPACE = member_namespace(CLUSTER)
OURS = (Work, AppliedWork, Workspace, InferenceSet, NodeClaim, NodePool)


class AgentProcess:
    """`python -m member_agent`; it may be killed and started again."""

    def __init__(self, home: Path, environ: Mapping[str, str]) -> None:
        self.home, self.environ = home, {**os.environ, **environ}
        self.log = home / "agent.log"
        self.process: asyncio.subprocess.Process | None = None

    async def start(self, *, waiting_for: str = "controller starts", times: int = 4) -> None:
        before = self.said(waiting_for)
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "member_agent", env=self.environ, stdout=log, stderr=log
            )
        await until(lambda: self.said(waiting_for) >= before + times, seconds=20)

    def said(self, words: str) -> int:
        """Count the lines of the log with these words."""
        return self.log.read_text(encoding="utf-8").count(words) if self.log.exists() else 0

    async def kill(self) -> None:
        if self.process and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    async def terminate(self) -> int:
        """Ask it to end; give its exit status."""
        if self.process is None:
            return 0
        if self.process.returncode is None:
            self.process.terminate()
        return await asyncio.wait_for(self.process.wait(), 6)


@pytest.fixture
async def kinds(client: ApiClient) -> ApiClient:
    """Serve our kinds and Karpenter's."""
    folders = (CRDS, binaries(os.environ) / "karpenter-crds")
    paths = sorted(path for folder in folders for path in folder.glob("*.yaml"))
    for path in paths:
        for manifest in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            await client.dynamic.apply(manifest, force=True)
    for model in OURS:
        await until(partial(_served, client, ApiResource.of(model)))
    return client


@pytest.fixture
async def environ(server: ApiServer, kinds: ApiClient, tmp_path: Path) -> Mapping[str, str]:
    """Say where the hub and the member are, with the rights that an agent has there."""
    kubeconfig, token = tmp_path / "kubeconfig.yaml", tmp_path / "token"
    kubeconfig.write_text(yaml.safe_dump(_kubeconfig(server)), encoding="utf-8")
    token.write_text(await admit(kinds, CLUSTER), encoding="utf-8")
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


async def _served(client: ApiClient, resource: ApiResource) -> bool:
    try:
        await client.served(resource)
    except NotFoundError:
        return False
    return True


def _kubeconfig(server: ApiServer) -> dict[str, Any]:
    cluster = {"server": server.url, "certificate-authority": server.ca_file}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": CLUSTER, "cluster": cluster}],
        "users": [{"name": ADMIN, "user": {"token": ADMIN}}],
        "contexts": [{"name": CLUSTER, "context": {"cluster": CLUSTER, "user": ADMIN}}],
        "current-context": CLUSTER,
    }
