"""A rollout on a hub that other tests use too: objects of one test, written as a hub would."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from cli.__main__ import build
from cli.rollout.subject import kinds_in
from fleet.api import names
from fleet.api.staged_update import Approval, UpdateRun
from fleet.kube.client import ApiClient
from fleet.runtime import clock

Body = dict[str, Any]


def condition(
    kind: str, status: str, reason: str, message: str = "", *, generation: int = 1
) -> Body:
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "observedGeneration": generation,
        "lastTransitionTime": clock.now().isoformat(timespec="seconds"),
    }


PLANNED = ("Initialized", "True", "UpdateRunInitializedSuccessfully")
GOING = ("Progressing", "True", "UpdateRunProgressing")
WAITING = ("Progressing", "False", "UpdateRunWaiting")
ENDED = ("Succeeded", "True", "UpdateRunSucceeded")
FAILED = ("Succeeded", "False", "UpdateRunFailed", "the policy changed")
STARTED = ("Started", "True", "ClusterUpdatingStarted")
UPDATED = ("Succeeded", "True", "ClusterUpdatingSucceeded")


class Rollouts:
    """What a hub and its users would have made of one placement, in either scope."""

    def __init__(self, client: ApiClient, kubeconfig: Path, name: str, namespace: str = "") -> None:
        self.client, self.kubeconfig = client, kubeconfig
        self.name, self.namespace = name, namespace
        self.kinds = kinds_in(namespace)

    async def command(self, *words: str) -> Result:
        line = ["rollout", *words, "--kubeconfig", str(self.kubeconfig)]
        if self.namespace:
            line += ["-n", self.namespace]
        return await asyncio.to_thread(CliRunner().invoke, build(line), line)

    async def document(self, *words: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((await self.command(*words, "-o", "json")).stdout)
        return found

    def _metadata(self, name: str, **labels: str) -> Body:
        within = {"namespace": self.namespace} if self.namespace else {}
        return {"name": name, "labels": labels, **within}

    async def placement(self, strategy: str = "External") -> None:
        selector = {"group": "", "version": "v1", "kind": "Namespace", "name": self.name}
        if self.namespace:
            selector["kind"] = "ConfigMap"
        spec = {"resourceSelectors": [selector], "strategy": {"type": strategy}}
        body = {"metadata": self._metadata(self.name), "spec": spec}
        made = await self.client.create(self.kinds.placement.model_validate(body))
        await self.report(made, {"observedResourceIndex": "3", "conditions": []})

    async def binding(self, cluster: str, index: int, *conditions: Sequence[str]) -> None:
        decided = {"clusterName": cluster, "selected": True, "reason": "x"}
        spec = {
            "state": "Bound",
            "targetCluster": cluster,
            "resourceSnapshotName": f"{self.name}-{index}-snapshot",
            "schedulingPolicySnapshotName": f"{self.name}-0",
            "clusterDecision": decided,
        }
        metadata = self._metadata(f"{self.name}-{cluster}", **{names.PARENT: self.name})
        body = {"metadata": metadata, "spec": spec}
        made = await self.client.create(self.kinds.binding.model_validate(body))
        await self.report(made, {"conditions": [condition(*c) for c in conditions]})

    async def snapshot(self, index: int, value: str) -> None:
        """Make a snapshot of one ConfigMap, which says `value`."""
        config = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "engine", "namespace": "chat"},
            "data": {"args": value},
        }
        labels = {names.PARENT: self.name, names.RESOURCE_INDEX: str(index)}
        metadata = self._metadata(f"{self.name}-{index}-snapshot", **labels)
        body = {"metadata": metadata, "spec": {"selectedResources": [config]}}
        await self.client.create(self.kinds.resources.model_validate(body))

    async def strategy(self) -> None:
        body = {"metadata": self._metadata(self.name), "spec": {"stages": [{"name": "all"}]}}
        await self.client.create(self.kinds.strategy.model_validate(body))

    async def run(self, number: int, *, state: str = "Run") -> UpdateRun:
        spec = {
            "placementName": self.name,
            "resourceSnapshotIndex": str(number),
            "stagedRolloutStrategyName": self.name,
            "state": state,
        }
        body = {"metadata": self._metadata(f"{self.name}-{number}"), "spec": spec}
        return await self.client.create(self.kinds.run.model_validate(body))

    async def runs(self) -> dict[str, UpdateRun]:
        listing = await self.client.list(self.kinds.run, self.namespace)
        mine = (run for run in listing.objects() if run.spec.placement_name == self.name)
        return {run.name: run for run in mine}

    async def far(
        self,
        run: UpdateRun,
        *conditions: Sequence[str],
        clusters: dict[str, list[Sequence[str]]] | None = None,
        waits: bool = False,
    ) -> None:
        """Say how far a run is: one stage, with its clusters, and an approval after it."""
        seen = run.metadata.generation
        asked = condition("ApprovalRequestCreated", "True", "StageTaskApprovalRequestCreated")
        task = {
            "type": "Approval",
            "approvalRequestName": f"{run.name}-after-all",
            "conditions": [asked] if waits else [],
        }
        stage = {
            "stageName": "all",
            "clusters": [
                {"clusterName": name, "conditions": [condition(*c) for c in said]}
                for name, said in (clusters or {}).items()
            ],
            "afterStageTaskStatus": [task],
        }
        status = {
            "conditions": [condition(*c, generation=seen) for c in conditions],
            "stagesStatus": [stage],
            "resourceSnapshotIndexUsed": run.spec.resource_snapshot_index,
        }
        await self.report(run, status)

    async def request(self, run: UpdateRun, when: str = "after") -> Approval:
        labels = {
            names.TARGET_UPDATE_RUN: run.name,
            names.TARGET_UPDATING_STAGE: "all",
            names.TASK_TYPE: f"{when}Stage",
            names.LATEST_APPROVAL: "true",
        }
        metadata = self._metadata(f"{run.name}-{when}-all", **labels)
        spec = {"parentStageRollout": run.name, "targetStage": "all"}
        body = {"metadata": metadata, "spec": spec}
        return await self.client.create(self.kinds.approval.model_validate(body))

    async def report(self, resource: Any, status: Body) -> None:
        """Write a status as the controllers do."""
        parsed = type(resource.status).model_validate(status)
        await self.client.patch_status(resource, parsed)
