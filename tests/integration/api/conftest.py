"""A real API server that serves our kinds."""

from collections.abc import AsyncIterator

import pytest

from fleet.kube.client import ApiClient
from fleet.testing.apiserver import ApiServer
from fleet.testing.fixtures import kinds, server

__all__ = ["client", "kinds", "server"]


@pytest.fixture
async def client(kinds: ApiServer) -> AsyncIterator[ApiClient]:
    made = ApiClient(kinds.connection(), "test")
    yield made
    await made.close()
