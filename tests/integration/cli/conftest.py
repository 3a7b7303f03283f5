"""A real API server with our kinds, as a hub that the user's kubeconfig leads to."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from fleet.api import names
from fleet.kube.client import ApiClient
from fleet.testing.apiserver import ADMIN, ApiServer
from fleet.testing.fixtures import client, server
from tests.integration.cli.rollouts import Rollouts

__all__ = ["client", "server"]


@pytest.fixture
def kubeconfig(server: ApiServer, tmp_path: Path) -> Path:
    return written(tmp_path, {"server": server.url, "certificate-authority": server.ca_file})


@pytest.fixture
async def rollouts(client: ApiClient, kubeconfig: Path, request: pytest.FixtureRequest) -> Rollouts:
    return Rollouts(client, kubeconfig, f"r{names.digest(request.node.name)}")


def written(folder: Path, cluster: Mapping[str, str], token: str = ADMIN) -> Path:
    """Write a kubeconfig; JSON is YAML too."""
    context = {"cluster": "hub", "user": "me"}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "hub", "cluster": dict(cluster)}],
        "users": [{"name": "me", "user": {"token": token}}],
        "contexts": [{"name": "hub", "context": context}],
        "current-context": "hub",
    }
    path = folder / "kubeconfig.yaml"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path
