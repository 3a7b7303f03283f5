"""What of an object on the hub goes to a member: what its user wrote, not what the hub added."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fleet.api.objects import Key
from fleet.api.placement import ResourceIdentifier

Manifest = dict[str, Any]
SERVER_METADATA = frozenset(
    {
        "resourceVersion",
        "uid",
        "managedFields",
        "generation",
        "finalizers",
        "ownerReferences",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "selfLink",
    }
)
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
SERVICE_ADDRESSES = ("clusterIP", "clusterIPs", "healthCheckNodePort")
JOB_LABELS = (
    "controller-uid",
    "batch.kubernetes.io/controller-uid",
    "job-name",
    "batch.kubernetes.io/job-name",
)


def clean(body: Mapping[str, Any]) -> Manifest:
    """Take away what the server writes, and what only means something in the hub itself."""
    rest = {k: v for k, v in body.items() if k not in ("metadata", "status")}
    manifest = rest | {"metadata": _metadata(body["metadata"])}
    special = SPECIAL.get((group_of(body), body["kind"]))
    return special(manifest) if special else manifest


def group_of(body: Mapping[str, Any]) -> str:
    return str(body["apiVersion"]).rpartition("/")[0]


def key_of(body: Mapping[str, Any]) -> Key:
    return Key(body["metadata"].get("namespace", ""), body["metadata"]["name"])


def identify(manifest: Mapping[str, Any]) -> ResourceIdentifier:
    group, _, version = str(manifest["apiVersion"]).rpartition("/")
    namespace, name = key_of(manifest)
    identity = ResourceIdentifier(version=version, kind=manifest["kind"], name=name)
    optional = {"group": group, "namespace": namespace}
    return identity.model_copy(update={k: v for k, v in optional.items() if v})


def _metadata(metadata: Mapping[str, Any]) -> Manifest:
    kept = {k: v for k, v in metadata.items() if k not in SERVER_METADATA}
    annotations = {k: v for k, v in kept.pop("annotations", {}).items() if k != LAST_APPLIED}
    return kept | ({"annotations": annotations} if annotations else {})


def _service(manifest: Manifest) -> Manifest:
    """Addresses are the hub's; a headless service stays one."""
    spec = dict(manifest.get("spec", {}))
    if spec.get("clusterIP") != "None":
        spec = {k: v for k, v in spec.items() if k not in SERVICE_ADDRESSES}
    if "ports" in spec:
        spec["ports"] = [{k: v for k, v in p.items() if k != "nodePort"} for p in spec["ports"]]
    return manifest | {"spec": spec}


def _namespace(manifest: Manifest) -> Manifest:
    return {k: v for k, v in manifest.items() if k != "spec"}


def _service_account(manifest: Manifest) -> Manifest:
    return {k: v for k, v in manifest.items() if k != "secrets"}


def _job(manifest: Manifest) -> Manifest:
    """The selector and labels that the hub has made up hold its own uid; the member makes its."""
    spec = dict(manifest.get("spec", {}))
    if not spec.get("manualSelector"):
        spec.pop("selector", None)
    template = dict(spec.get("template", {}))
    metadata = dict(template.get("metadata", {}))
    labels = {k: v for k, v in metadata.get("labels", {}).items() if k not in JOB_LABELS}
    metadata = {k: v for k, v in metadata.items() if k not in ("labels", "creationTimestamp")}
    template["metadata"] = metadata | ({"labels": labels} if labels else {})
    return manifest | {"spec": spec | {"template": template}}


def _volume_claim(manifest: Manifest) -> Manifest:
    spec = {k: v for k, v in manifest.get("spec", {}).items() if k != "volumeName"}
    return manifest | {"spec": spec}


SPECIAL: Mapping[tuple[str, str], Callable[[Manifest], Manifest]] = {
    ("", "Service"): _service,
    ("", "Namespace"): _namespace,
    ("", "ServiceAccount"): _service_account,
    ("", "PersistentVolumeClaim"): _volume_claim,
    ("batch", "Job"): _job,
}

FIRST = (
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
)
"""Kinds in the order in which a cluster wants them; kinds that are not named come last."""
_RANK = {kind: rank for rank, kind in enumerate(FIRST)}


def order(manifest: Mapping[str, Any]) -> tuple[int, str, str, str, str]:
    """Sort manifests the same way every time: what others need comes first."""
    namespace, name = key_of(manifest)
    kind = manifest["kind"]
    return _RANK.get(kind, len(FIRST)), kind, manifest["apiVersion"], namespace, name


PART_BYTES = 800_000
"""An object of the API must stay below 1.5 MB; KubeFleet splits at this size too."""


def split(manifests: Sequence[Manifest], limit: int = PART_BYTES) -> tuple[list[Manifest], ...]:
    """Cut into parts of at most `limit` bytes; an object larger than that has one for itself."""
    parts: list[list[Manifest]] = [[]]
    room = limit
    for manifest in manifests:
        size = len(json.dumps(manifest, separators=(",", ":")))
        if parts[-1] and size > room:
            parts.append([])
            room = limit
        parts[-1].append(manifest)
        room -= size
    return tuple(parts)
