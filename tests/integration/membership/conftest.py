"""A hub as a process, and clusters that `modelfleet` has join and leave it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from fleet.kube.client import ApiClient
from fleet.testing.apiserver import ApiServer
from fleet.testing.fixtures import client, kinds, server
from fleet.testing.relay import relay
from tests.integration.cli.conftest import written
from tests.integration.membership.cluster import Cluster
from tests.integration.membership.controllers import running_controllers
from tests.integration.membership.hubs import running_hub

__all__ = ["client", "kinds", "server"]


@pytest.fixture(scope="module")
def hub_config(kinds: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    cluster = {"server": kinds.url, "certificate-authority": kinds.ca_file}
    return written(tmp_path_factory.mktemp("hub"), cluster)


@pytest.fixture(scope="module")
def hub(hub_config: Path, request: pytest.FixtureRequest) -> Iterator[None]:
    """Run the module's hub, with its SETTINGS."""
    settings = getattr(request.module, "SETTINGS", {})
    with running_hub(hub_config, **settings):
        yield


@pytest.fixture(scope="module")
def controllers(hub_config: Path) -> Iterator[None]:
    with running_controllers(hub_config):
        yield


@pytest.fixture
async def cluster(
    hub: None, server: ApiServer, client: ApiClient, tmp_path: Path
) -> AsyncIterator[Cluster]:
    """Be a cluster with a name of its own, whose API server is the hub's too."""
    del hub
    async with relay(server.port) as line:
        made = Cluster(client, server, line.port, tmp_path)
        yield made
        await made.agent.kill()
