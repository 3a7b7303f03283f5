"""What a GitOps tool applies stays as it applied it: a diff after the hub's work is empty."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleet.api import names
from fleet.api.conditions import Condition, find
from fleet.api.deployment import ModelDeployment
from fleet.api.keys import Key
from fleet.api.service import ModelService
from fleet.kube.client import ApiClient
from fleet.testing.apiserver import ADMIN, ApiServer, binaries
from fleet.testing.waiting import until
from tests.integration.hub.fleet import Fleet

MANAGER = "gitops"
KUBECTL_SECONDS = 30
WRITTEN_BY_PEOPLE = {"f:spec", "f:data", "f:resource", "f:inference"}


class Tool:
    """Applies a folder's worth of manifests and compares them, as Argo CD and Flux do."""

    def __init__(self, kubeconfig: Path, manifests: list[dict[str, Any]]) -> None:
        self._environ = {**os.environ, "KUBECONFIG": str(kubeconfig)}
        self._text = yaml.safe_dump_all(manifests).encode()

    async def kubectl(self, *arguments: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            binaries(os.environ) / "kubectl",
            *arguments,
            "--filename=-",
            env=self._environ,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(KUBECTL_SECONDS):
            said, _ = await process.communicate(self._text)
        return process.returncode or 0, said.decode()

    async def apply(self, *how: str) -> None:
        code, said = await self.kubectl("apply", *how)
        assert code == 0, said

    async def spec_writers(self) -> set[str]:
        """Name who has written into what was applied, statuses left out."""
        code, said = await self.kubectl("get", "-o=json", "--show-managed-fields")
        assert code == 0, said
        return {
            entry["manager"]
            for item in json.loads(said)["items"]
            for entry in item["metadata"].get("managedFields", ())
            if not entry.get("subresource") and entry["fieldsV1"].keys() & WRITTEN_BY_PEOPLE
        }

    async def differences(self, *how: str) -> str:
        code, said = await self.kubectl("diff", *how)
        assert code in {0, 1}, said
        return said if code else ""


def manifests(namespace: str, cluster: str) -> list[dict[str, Any]]:
    """Give one of each kind that people write."""
    owned = {"namespace": namespace}
    workspace = {
        "resource": {"labelSelector": {"matchLabels": {"apps": "phi"}}},
        "inference": {"preset": {"name": "phi-4-mini-instruct"}},
    }
    here = {"group": "", "version": "v1", "kind": "Namespace", "name": namespace}
    configs = {"group": "", "version": "v1", "kind": "ConfigMap", "name": "config"}
    fixed = {"placementType": "PickFixed", "clusterNames": [cluster]}
    identity = {
        "kind": "ServiceAccount",
        "name": "member-agent",
        "namespace": names.member_namespace(f"{cluster}-2"),
    }
    placement, ours = "placement.kubernetes-fleet.io/v1beta1", "modelfleet.dev/v1alpha1"
    return [
        _of("v1", "Namespace", {"name": namespace}),
        _of("v1", "ConfigMap", owned | {"name": "config"}, data={"k": "v"}),
        _of("kaito.sh/v1beta1", "Workspace", owned | {"name": "phi"}, **workspace),
        _of(
            placement,
            "ClusterResourcePlacement",
            {"name": namespace},
            spec={
                "resourceSelectors": [here],
                "policy": {"placementType": "PickN", "numberOfClusters": 1},
            },
        ),
        _of(
            placement,
            "ResourcePlacement",
            owned | {"name": "config"},
            spec={"resourceSelectors": [configs], "policy": fixed},
        ),
        _of(
            ours,
            "ModelDeployment",
            owned | {"name": "qwen2-7b"},
            spec={"model": "qwen2-7b", "endpoint": {"name": f"qwen-{namespace}"}},
        ),
        _of(
            ours,
            "ModelService",
            owned | {"name": "mine"},
            spec={"model": f"mine-{namespace}", "aliases": [f"my-{namespace}"]},
        ),
        _of(
            ours,
            "ModelEndpoint",
            owned | {"name": "bought"},
            spec={"service": "mine", "url": "https://models.example/v1"},
        ),
        _of(
            "cluster.kubernetes-fleet.io/v1beta1",
            "MemberCluster",
            {"name": f"{cluster}-2"},
            spec={"identity": identity},
        ),
    ]


def _of(version: str, kind: str, metadata: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **parts}


@pytest.fixture
def users_kubeconfig(server: ApiServer, tmp_path: Path) -> Path:
    path = tmp_path / "users.yaml"
    path.write_text(yaml.safe_dump(server.kubeconfig(ADMIN)), encoding="utf-8")
    return path


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize(
    "how",
    [("--server-side", f"--field-manager={MANAGER}"), ()],
    ids=["server-side, as Flux does", "client-side, as Argo CD does"],
)
async def test_nothing_differs_after_the_hub_has_done_its_work(
    client: ApiClient, users_kubeconfig: Path, how: tuple[str, ...]
) -> None:
    name = names.digest("gitops", *how)
    fleet = Fleet(client, f"team-{name}", f"us-{name}")
    await fleet.join()
    tool = Tool(users_kubeconfig, manifests(fleet.namespace, fleet.cluster))
    await tool.apply(*how)
    await until(lambda: _judged(client, fleet.namespace), seconds=30)
    assert await tool.differences(*how) == ""
    assert await tool.spec_writers() == {MANAGER if how else "kubectl-client-side-apply"}
    await tool.apply(*how)
    assert await tool.differences(*how) == ""


async def _judged(client: ApiClient, namespace: str) -> bool:
    """Whether every object has been looked at, and its condition is of what was applied."""
    deployment = await client.get(ModelDeployment, Key(namespace, "qwen2-7b"))
    service = await client.get(ModelService, Key(namespace, "mine"))
    fleet = Fleet(client, namespace, "")
    scheduled = await fleet.condition("Scheduled")
    found: list[Condition | None] = [
        find(resource.status.conditions, "Ready") if resource else None
        for resource in (deployment, service)
    ]
    return bool(scheduled) and all(c is not None and c.observed_generation for c in found)
