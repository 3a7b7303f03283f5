"""pytest fixtures of real API servers; a conftest imports those that its tests need."""

import os
from collections.abc import AsyncIterator, Iterator

import pytest

from fleet.kube.client import ApiClient
from fleet.testing.apiserver import ApiServer, api_server


@pytest.fixture(scope="session")
def server() -> Iterator[ApiServer]:
    """One API server for all tests of a session: they share it, each in names of its own."""
    with api_server(os.environ) as running:
        yield running


@pytest.fixture(scope="module")
def frail_server() -> Iterator[ApiServer]:
    """An API server that a module's tests may lose."""
    with api_server(os.environ) as running:
        yield running


@pytest.fixture
async def client(server: ApiServer) -> AsyncIterator[ApiClient]:
    made = ApiClient(server.connection(), "test")
    yield made
    await made.close()
