"""Inference workloads for tests: on the hub, and as the members report them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from fleet.api import names
from fleet.api.binding import BindingState, ClusterResourceBinding
from fleet.api.cluster import MemberCluster
from fleet.api.snapshot import ClusterResourceSnapshot
from fleet.api.work import Work
from fleet.api.workspace import InferenceSet, Workspace

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
NAMESPACE, PHI, PLACEMENT = "demo", "phi", "phi-placement"
IDENTITY = {"kind": "ServiceAccount", "name": "member-agent", "namespace": "modelfleet-system"}
REGIONS = {"us": "centralus", "eu": "northeurope", "apac": "japaneast"}


def workspace(name: str = PHI, *, preset: str = "phi-4-mini-instruct", **more: Any) -> Workspace:
    return Workspace.model_validate(
        {
            "metadata": metadata(name, **more),
            "resource": {"labelSelector": {}},
            "inference": {"preset": {"name": preset}},
        }
    )


def inference_set(name: str, *, preset: str = "qwen2-7b", **more: Any) -> InferenceSet:
    template = {"inference": {"preset": {"name": preset}}}
    spec = {"replicas": 2, "template": template, "labelSelector": {}}
    return InferenceSet.model_validate({"metadata": metadata(name, **more), "spec": spec})


def metadata(name: str, namespace: str = NAMESPACE, **more: Any) -> dict[str, Any]:
    return {"name": name, "namespace": namespace, "uid": f"uid-{namespace}-{name}", **more}


def member(name: str, *, gateway: bool = True) -> MemberCluster:
    """Build a member with its region, and a regional gateway where it has one."""
    url = f"https://{name}.example/v1"
    return MemberCluster.model_validate(
        {
            "metadata": {"name": name, "labels": {names.REGION: REGIONS.get(name, name)}},
            "spec": {"identity": IDENTITY},
            "status": {"gateway": {"url": url, "ready": True}} if gateway else {},
        }
    )


def condition(kind: str, status: str, reason: str = "Because", message: str = "") -> dict[str, Any]:
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "observedGeneration": 1,
        "lastTransitionTime": NOON,
    }


def binding(
    cluster: str,
    workload: Workspace | InferenceSet,
    state: BindingState = BindingState.BOUND,
    *,
    dollars: str = "1.50",
) -> ClusterResourceBinding:
    """Build the binding of a workload's placement, with what the workload takes there."""
    allocation = {
        **_identity(workload),
        "instanceType": "Standard_NC24ads_A100_v4",
        "gpusPerReplica": 1,
        "usdPerHour": Decimal(dollars),
    }
    spec = {
        "state": state,
        "targetCluster": cluster,
        "resourceSnapshotName": "phi-0-snapshot",
        "clusterDecision": {"clusterName": cluster, "selected": True, "reason": "best"},
        "allocations": [allocation],
    }
    labels = {names.PARENT: PLACEMENT}
    meta = {"name": f"{PLACEMENT}-{cluster}", "uid": f"uid-{cluster}", "labels": labels}
    return ClusterResourceBinding.model_validate({"metadata": meta, "spec": spec})


def snapshot(workload: Workspace | InferenceSet, generation: int) -> ClusterResourceSnapshot:
    """Build the snapshot that keeps the workload's generation on the hub."""
    ref = f"{workload.kind()}/{workload.namespace}/{workload.name}"
    annotations = {names.HUB_GENERATIONS: f'{{"{ref}": {generation}}}'}
    return ClusterResourceSnapshot.model_validate(
        {"metadata": {"name": "phi-0-snapshot", "annotations": annotations}}
    )


def work(
    cluster: str, workload: Workspace | InferenceSet, status: Mapping[str, Any] | None
) -> Work:
    """Build the Work of a workload, with the status that its member sent back."""
    ref = f"{workload.kind()}/{workload.namespace}/{workload.name}"
    manifest: dict[str, Any] = {"identifier": {"ordinal": 0, **_identity(workload)}}
    if status is not None:
        manifest["backReportedStatus"] = {"observedStatus": {"status": status}}
    return Work.model_validate(
        {
            "metadata": {
                "name": f"{PLACEMENT}-work",
                "namespace": names.member_namespace(cluster),
                "uid": f"uid-work-{cluster}",
                "generation": 1,
                "labels": {names.PARENT_BINDING: f"{PLACEMENT}-{cluster}"},
                "annotations": {
                    names.WORKLOAD: ref,
                    names.PARENT_SNAPSHOT_NAME: "phi-0-snapshot",
                },
            },
            "status": {
                "conditions": [condition("Applied", "True")],
                "manifestConditions": [manifest],
            },
        }
    )


def _identity(workload: Workspace | InferenceSet) -> dict[str, str]:
    return {
        "kind": workload.kind(),
        "namespace": workload.namespace,
        "name": workload.name,
    }
