"""pytest fixtures of real API servers; a conftest imports those that its tests need."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleet.kube.client import ApiClient
from fleet.kube.errors import KubeError
from fleet.testing.apiserver import ApiServer, api_server, binaries
from fleet.testing.waiting import until

CRDS = Path(__file__).parents[2] / "crds"


@pytest.fixture(scope="session")
def server() -> Iterator[ApiServer]:
    """One API server for all tests of a session: they share it, each in names of its own."""
    with api_server(os.environ) as running:
        yield running


@pytest.fixture(scope="session")
def kinds(server: ApiServer) -> ApiServer:
    """The same, with our kinds and Karpenter's."""
    asyncio.run(_install(server))
    return server


@pytest.fixture(scope="session")
def member_kinds() -> Iterator[ApiServer]:
    """A second one, for tests that need a hub and a member apart."""
    with api_server(os.environ) as running:
        asyncio.run(_install(running))
        yield running


@pytest.fixture(scope="module")
def frail_server() -> Iterator[ApiServer]:
    """An API server that a module's tests may lose."""
    with api_server(os.environ) as running:
        yield running


@pytest.fixture(scope="module")
def frail_kinds(frail_server: ApiServer) -> ApiServer:
    """The same with our kinds: for what must not meet the members of other tests."""
    asyncio.run(_install(frail_server))
    return frail_server


@pytest.fixture
async def client(server: ApiServer) -> AsyncIterator[ApiClient]:
    made = ApiClient(server.connection(), "test")
    yield made
    await made.close()


async def _install(server: ApiServer) -> None:
    client = ApiClient(server.connection(), "test")
    folders = (CRDS, binaries(os.environ) / "karpenter-crds")
    texts = [path.read_text(encoding="utf-8") for f in folders for path in sorted(f.glob("*.yaml"))]
    definitions = [manifest for text in texts for manifest in yaml.safe_load_all(text)]
    await asyncio.gather(*(client.dynamic.apply(found, force=True) for found in definitions))
    for found in definitions:
        await until(partial(_served, client, found["spec"]))
    await client.close()


async def _served(client: ApiClient, spec: Mapping[str, Any]) -> bool:
    """Say whether the server lists objects of a kind, which it does some time after its CRD."""
    version = f"{spec['group']}/{spec['versions'][0]['name']}"
    try:
        resource = await client.dynamic.resource_for(version, spec["names"]["kind"])
        await client.served(resource)
    except KubeError:
        return False
    return True
