"""A real API server that serves widgets, and a namespace for each test."""

import pytest

from fleet.kube.client import ApiClient
from fleet.testing.fixtures import client, frail_server, server
from tests.integration.kube.widgets import install, new_namespace

__all__ = ["client", "frail_server", "namespace", "server"]


@pytest.fixture
async def namespace(client: ApiClient) -> str:
    await install(client)
    return await new_namespace(client)
