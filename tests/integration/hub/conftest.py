"""A real API server with our kinds, and a hub as a process of its own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from fleet.testing.apiserver import ApiServer
from fleet.testing.fixtures import client, frail_server, server
from tests.integration.identity import WORKS_POLICY, token_for
from tests.integration.process import ProgramProcess

__all__ = [
    "client",
    "frail_server",
    "hub",
    "hub_token",
    "kubeconfig",
    "server",
]

READ = ["get", "list", "watch"]


class HubProcess(ProgramProcess):
    """A hub on a server."""

    def __init__(self, kubeconfig: Path, **more: str) -> None:
        environ = {"KUBECONFIG": str(kubeconfig), "HUB_LOG_LEVEL": "INFO", **more}
        super().__init__("hub", kubeconfig.with_name("hub.log"), environ)


@pytest.fixture(scope="package")
def hub_token(server: ApiServer) -> str:
    """Be the hub with the rights that its chart gives it, and no more to place than tests need."""
    config_maps = {"apiGroups": [""], "resources": ["configmaps"], "verbs": READ}
    rbac = {"placeable": [config_maps]}
    return asyncio.run(token_for(server, "hub", WORKS_POLICY, rbac=rbac))


@pytest.fixture
def kubeconfig(server: ApiServer, hub_token: str, tmp_path: Path) -> Path:
    path = tmp_path / "kubeconfig.yaml"
    path.write_text(yaml.safe_dump(server.kubeconfig(hub_token)), encoding="utf-8")
    return path


@pytest.fixture
async def hub(kubeconfig: Path) -> AsyncIterator[HubProcess]:
    running = HubProcess(kubeconfig)
    try:
        await running.start()
        yield running
    finally:
        await running.kill()
