"""A real API server that serves our kinds."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from fleet.kube.client import ApiClient
from fleet.kube.transport import Transport
from fleet.testing.apiserver import ApiServer
from fleet.testing.fixtures import kinds, server
from tests.integration.api.judge import Judge

__all__ = ["client", "kinds", "server"]


@pytest.fixture
async def client(kinds: ApiServer) -> AsyncIterator[ApiClient]:
    made = ApiClient(kinds.connection(), "test")
    yield made
    await made.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def judge(kinds: ApiServer) -> AsyncIterator[Judge]:
    transport = Transport(kinds.connection())
    yield Judge(transport)
    await transport.close()
