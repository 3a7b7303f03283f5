"""Our kinds and Karpenter's on a real API server."""

import asyncio
import fcntl
import os
import shutil
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from fleet.kube.client import ApiClient
from fleet.kube.errors import KubeError, TransientError
from fleet.testing.apiserver import ApiServer, api_server, binaries
from fleet.testing.waiting import until

CRDS = Path(__file__).parents[2] / "crds"


def etcd_with_kinds(folder: Path) -> Path:
    """Make the data of an etcd that holds all that our programs watch, once: others wait for it.

    A server that begins with it takes less than half of the CPU of one that installs the kinds.
    """
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            with api_server(os.environ) as server:
                asyncio.run(install(server))
                server.forget_name()
                shutil.move(server.etcd_data, folder)
    return folder


async def install(server: ApiServer) -> None:
    """Have a server serve all that our programs watch."""
    client = ApiClient(server.connection(), "test")
    folders = (CRDS, binaries(os.environ) / "karpenter-crds")
    texts = [path.read_text(encoding="utf-8") for f in folders for path in sorted(f.glob("*.yaml"))]
    definitions = [manifest for text in texts for manifest in _documents(text)]
    await asyncio.gather(*(until(partial(_applied, client, found)) for found in definitions))
    for found in definitions:
        await until(partial(_served, client, found["spec"]))
    await client.close()


def _documents(text: str) -> Iterable[dict[str, Any]]:
    """Read YAML by libyaml, which takes a sixth of the time that PyYAML's own parser does."""
    return yaml.load_all(text, Loader=yaml.CSafeLoader)


async def _applied(client: ApiClient, definition: Mapping[str, Any]) -> bool:
    """Give a server that has just started, on a busy machine, the time it needs."""
    try:
        await client.dynamic.apply(definition, force=True)
    except TransientError:
        return False
    return True


async def _served(client: ApiClient, spec: Mapping[str, Any]) -> bool:
    """Say whether the server lists objects of a kind, which it does some time after its CRD."""
    version = f"{spec['group']}/{spec['versions'][0]['name']}"
    try:
        resource = await client.dynamic.resource_for(version, spec["names"]["kind"])
        await client.served(resource)
    except KubeError:
        return False
    return True
