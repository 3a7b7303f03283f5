"""A hub as a process, and clusters that `modelfleet` has join and leave it."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from fleet.kube.client import ApiClient
from fleet.testing.apiserver import ApiServer
from fleet.testing.fixtures import client, server
from fleet.testing.relay import relay
from tests.integration.cli.conftest import written
from tests.integration.identity import CHARTS, remove, token_for
from tests.integration.membership.cluster import Cluster
from tests.integration.membership.controllers import running_controllers
from tests.integration.membership.hubs import running_hub

__all__ = ["client", "server"]
POLICIES: Final = [path.name for path in sorted(CHARTS.glob("hub/templates/policy-*.yaml"))]
EVERY_POLICY: Final[Mapping[str, Any]] = {"guardRail": {"enabled": True}}


@pytest.fixture(scope="module")
def hub_config(server: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    cluster = {"server": server.url, "certificate-authority": server.ca_file}
    return written(tmp_path_factory.mktemp("hub"), cluster)


@pytest.fixture(scope="module")
def hub(hub_config: Path, request: pytest.FixtureRequest) -> Iterator[None]:
    """Run the module's hub, with its SETTINGS; where it is GUARDED, as the chart has it."""
    settings = getattr(request.module, "SETTINGS", {})
    if getattr(request.module, "GUARDED", False):
        hub_config = request.getfixturevalue("guarded_config")
    with running_hub(hub_config, **settings):
        yield


@pytest.fixture(scope="module")
def guarded_config(server: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Be the hub with its chart's rights, where every policy of the chart is in force."""
    token = asyncio.run(token_for(server, "hub", *POLICIES, **EVERY_POLICY))
    path = tmp_path_factory.mktemp("guarded") / "kubeconfig.yaml"
    path.write_text(yaml.safe_dump(server.kubeconfig(token)), encoding="utf-8")
    yield path
    asyncio.run(remove(server, "hub", POLICIES, EVERY_POLICY))


@pytest.fixture(scope="module")
def controllers(server: ApiServer, hub_config: Path) -> Iterator[None]:
    with running_controllers(server, hub_config):
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
