"""A real API server that serves our kinds."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from fleet.kube.client import ApiClient
from fleet.kube.transport import Transport
from fleet.testing.apiserver import ApiServer
from fleet.testing.fixtures import server
from tests.integration.api.judge import Judge

__all__ = ["client", "server"]


@pytest.fixture
async def client(server: ApiServer) -> AsyncIterator[ApiClient]:
    made = ApiClient(server.connection(), "test")
    yield made
    await made.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def judge(server: ApiServer) -> AsyncIterator[Judge]:
    transport = Transport(server.connection())
    yield Judge(transport)
    await transport.close()
