"""Helm and kubectl, and a real API server."""

import asyncio
import os

import pytest

from cli.local import binaries
from cli.local.binaries import Binaries
from cli.local.progress import Progress
from fleet.testing.apiserver import ApiServer
from fleet.testing.fixtures import empty_server
from tests.integration.charts.kubectl import Kubectl
from tests.integration.charts.rendering import Helm

__all__ = ["empty_server"]


@pytest.fixture(scope="session")
def programs() -> Binaries:
    return asyncio.run(binaries.provide(os.environ, Progress(), tests=True))


@pytest.fixture(scope="session")
def helm(programs: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    return Helm(programs["helm"], tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="module")
def kubectl(
    programs: Binaries, empty_server: ApiServer, tmp_path_factory: pytest.TempPathFactory
) -> Kubectl:
    return Kubectl(programs["kubectl"], empty_server, tmp_path_factory.mktemp("kubectl"))
