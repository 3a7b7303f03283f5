"""A real API server that serves our kinds."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleet.api.crd.kinds import KINDS
from fleet.kube.client import ApiClient
from fleet.kube.errors import NotFoundError
from fleet.kube.resources import ApiResource
from fleet.testing.apiserver import ApiServer
from fleet.testing.fixtures import server
from fleet.testing.waiting import until

__all__ = ["client", "server"]

CRDS = Path(__file__).parents[3] / "crds"


@pytest.fixture(scope="session")
def serving(server: ApiServer) -> ApiServer:
    asyncio.run(_install(server))
    return server


@pytest.fixture
async def client(serving: ApiServer) -> AsyncIterator[ApiClient]:
    made = ApiClient(serving.connection(), "test")
    yield made
    await made.close()


async def _install(server: ApiServer) -> None:
    client = ApiClient(server.connection(), "test")
    for file in sorted(CRDS.glob("*.yaml")):
        await client.dynamic.apply(_manifest(file))
    for kind in KINDS:
        await until(partial(_served, client, ApiResource.of(kind.model)))
    await client.close()


def _manifest(file: Path) -> Mapping[str, Any]:
    manifest: Mapping[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return manifest


async def _served(client: ApiClient, resource: ApiResource) -> bool:
    try:
        await client.served(resource)
    except NotFoundError:
        return False
    return True
