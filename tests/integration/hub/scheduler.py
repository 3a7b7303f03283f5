"""A scheduler alone on a server: members and placements are what a test writes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from fleet.api import names
from fleet.api.binding import ClusterResourceBinding
from fleet.api.cluster import MemberCluster, MemberClusterStatus
from fleet.api.conditions import find
from fleet.api.keys import Key
from fleet.api.placement import ClusterResourcePlacement
from fleet.api.snapshot import ClusterSchedulingPolicySnapshot
from fleet.kube.client import ApiClient
from fleet.testing.apiserver import ApiServer
from tests.integration.hub.fleet import joined_status, shaped
from tests.integration.process import ProgramProcess

ARGUMENTS: Final = ("--controllers", "scheduling", "--heartbeat-timeout", "24h")
NOTHING: Final = {"group": "", "version": "v1", "kind": "Namespace", "name": "none"}


def scheduler(server: ApiServer, home: Path) -> ProgramProcess:
    kubeconfig = home / "scheduler.yaml"
    kubeconfig.write_text(yaml.safe_dump(server.kubeconfig()), encoding="utf-8")
    environ = {"KUBECONFIG": str(kubeconfig), "HUB_LOG_LEVEL": "INFO"}
    return ProgramProcess("hub", home / "scheduler.log", environ, *ARGUMENTS)


class Desk:
    """What people and the other controllers write, in names of one test."""

    def __init__(self, client: ApiClient, prefix: str) -> None:
        self.client, self.prefix = client, prefix

    async def join(self, name: str, **status: Any) -> MemberCluster:
        labels = {"of": self.prefix}
        identity = {"kind": "User", "name": "agent"}
        key = f"{self.prefix}-{name}"
        metadata = {"labels": labels}
        member = shaped(MemberCluster, key, metadata=metadata, spec={"identity": identity})
        made: MemberCluster = await self.client.create(member)
        agent = joined_status().dump() | status
        await self.client.patch_status(made, MemberClusterStatus.model_validate(agent))
        return made

    async def leave(self, name: str) -> None:
        member = await self.client.get(MemberCluster, Key("", f"{self.prefix}-{name}"))
        assert member
        await self.client.delete(member)

    async def place(self, name: str, picks: int, **more: Any) -> ClusterResourcePlacement:
        """Make a placement on this test's members, and its policy snapshot."""
        key, policy = f"{self.prefix}-{name}", self._policy(more)
        spec = {"resourceSelectors": [NOTHING], "policy": policy | {"numberOfClusters": picks}}
        placement = shaped(ClusterResourcePlacement, key, spec=spec)
        made: ClusterResourcePlacement = await self.client.create(placement)
        await self._snapshot(key, picks, policy)
        return made

    def _policy(self, more: Mapping[str, Any]) -> dict[str, Any]:
        term = {"labelSelector": {"matchLabels": {"of": self.prefix}}} | dict(more)
        required = {"clusterSelectorTerms": [term]}
        affinity = {"requiredDuringSchedulingIgnoredDuringExecution": required}
        return {"placementType": "PickN", "affinity": {"clusterAffinity": affinity}}

    async def _snapshot(self, key: str, picks: int, policy: Mapping[str, Any]) -> None:
        labels = {names.PARENT: key, names.LATEST: "true", names.POLICY_INDEX: "0"}
        notes = {names.NUMBER_OF_CLUSTERS: str(picks), names.CRP_GENERATION: "1"}
        snapshot = shaped(
            ClusterSchedulingPolicySnapshot,
            f"{key}-0",
            metadata={"labels": labels, "annotations": notes},
            spec={"policy": policy, "policyHash": "aGFzaA=="},
        )
        await self.client.create(snapshot)

    async def scale(self, name: str, picks: int) -> None:
        snapshot = await self.snapshot(name)
        assert snapshot
        path = f"/metadata/annotations/{names.NUMBER_OF_CLUSTERS.replace('/', '~1')}"
        put = {"op": "replace", "path": path, "value": str(picks)}
        await self.client.json_patch(snapshot, [put])

    async def snapshot(self, name: str) -> ClusterSchedulingPolicySnapshot | None:
        return await self.client.get(
            ClusterSchedulingPolicySnapshot, Key("", f"{self.prefix}-{name}-0")
        )

    async def said(self, name: str) -> tuple[str, str]:
        """Give what the policy snapshot says: whether it is scheduled, and the words."""
        snapshot = await self.snapshot(name)
        said = find(snapshot.status.conditions, "Scheduled") if snapshot else None
        return (said.status, said.message) if said else ("", "")

    async def bindings(self, name: str) -> list[ClusterResourceBinding]:
        labelled = f"{names.PARENT}={self.prefix}-{name}"
        found = await self.client.list(ClusterResourceBinding, label_selector=labelled)
        return list(found.objects())

    async def states(self, name: str) -> dict[str, str]:
        """Give the state of each binding, by its cluster's name in this test."""
        start = len(self.prefix) + 1
        found = await self.bindings(name)
        return {b.spec.target_cluster[start:]: str(b.spec.state) for b in found}
