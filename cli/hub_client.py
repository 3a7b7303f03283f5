"""A client of the hub for commands that read it, by the user's kubeconfig."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cli.hub_access import NoHubError, hub_kubeconfig
from fleet.kube.client import ApiClient
from fleet.kube.config import from_kubeconfig
from fleet.kube.errors import KubeError

MANAGER = "modelfleet-cli"


@asynccontextmanager
async def hub_client(kubeconfig: str, context: str = "") -> AsyncIterator[ApiClient]:
    """Lend a client; NoHubError says which hub could not be read, and why."""
    path = hub_kubeconfig(kubeconfig, os.environ)
    try:
        client = ApiClient(from_kubeconfig(path, context=context), MANAGER)
        try:
            yield client
        finally:
            await client.close()
    except KubeError as error:
        raise NoHubError(f"the hub of {path}: {error}") from error
