"""pytest fixtures of real API servers; a conftest imports those that its tests need."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from fleet.kube.client import ApiClient
from fleet.testing.apiserver import ApiServer, api_server
from fleet.testing.kinds import etcd_with_kinds


@pytest.fixture(scope="session")
def etcd_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an etcd holds with our kinds and Karpenter's, made once for all workers."""
    worker = "PYTEST_XDIST_WORKER" in os.environ
    own = tmp_path_factory.getbasetemp()
    return etcd_with_kinds((own.parent if worker else own) / "etcd-with-kinds")


def _running(etcd_data: Path) -> Iterator[ApiServer]:
    with api_server(os.environ, etcd_data) as running:
        yield running


server = pytest.fixture(scope="package")(_running)
"""One API server with our kinds for the tests of a folder: each has names of its own there."""
member_server = pytest.fixture(scope="package")(_running)
"""A second one, for tests that need a hub and a member apart."""
frail_server = pytest.fixture(scope="module")(_running)
"""One that a module's tests may lose, or that must not meet the members of other tests."""
frail_member_server = pytest.fixture(scope="module")(_running)
"""A second one, for what a member may lose."""


@pytest.fixture(scope="module")
def empty_server() -> Iterator[ApiServer]:
    """One without our kinds."""
    with api_server(os.environ) as running:
        yield running


@pytest.fixture
async def client(server: ApiServer) -> AsyncIterator[ApiClient]:
    made = ApiClient(server.connection(), "test")
    yield made
    await made.close()
