"""pytest fixtures of real API servers; a conftest imports those that its tests need."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator

import pytest

from fleet.kube.client import ApiClient
from fleet.testing.apiserver import ApiServer, api_server
from fleet.testing.kinds import install


@pytest.fixture(scope="session")
def server() -> Iterator[ApiServer]:
    """One API server for all tests of a session: they share it, each in names of its own."""
    with api_server(os.environ) as running:
        yield running


@pytest.fixture(scope="session")
def kinds(server: ApiServer) -> ApiServer:
    """The same, with our kinds and Karpenter's."""
    asyncio.run(install(server))
    return server


@pytest.fixture(scope="session")
def member_kinds() -> Iterator[ApiServer]:
    """A second one, for tests that need a hub and a member apart."""
    with api_server(os.environ) as running:
        asyncio.run(install(running))
        yield running


@pytest.fixture(scope="module")
def frail_server() -> Iterator[ApiServer]:
    """An API server that a module's tests may lose."""
    with api_server(os.environ) as running:
        yield running


@pytest.fixture(scope="module")
def frail_kinds(frail_server: ApiServer) -> ApiServer:
    """The same with our kinds: for what must not meet the members of other tests."""
    asyncio.run(install(frail_server))
    return frail_server


@pytest.fixture(scope="module")
def frail_member_kinds() -> Iterator[ApiServer]:
    """A second one, for what a member may lose."""
    with api_server(os.environ) as running:
        asyncio.run(install(running))
        yield running


@pytest.fixture
async def client(server: ApiServer) -> AsyncIterator[ApiClient]:
    made = ApiClient(server.connection(), "test")
    yield made
    await made.close()
