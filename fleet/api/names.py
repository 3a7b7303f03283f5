"""Names, labels, annotations and finalizers that other programs know."""

import re
from hashlib import sha256
from typing import Final

# KubeFleet's.
PARENT: Final = "kubernetes-fleet.io/parent-CRP"
LATEST: Final = "kubernetes-fleet.io/is-latest-snapshot"
POLICY_INDEX: Final = "kubernetes-fleet.io/policy-index"
RESOURCE_INDEX: Final = "kubernetes-fleet.io/resource-index"
NUMBER_OF_CLUSTERS: Final = "kubernetes-fleet.io/number-of-clusters"
CRP_GENERATION: Final = "kubernetes-fleet.io/CRP-generation"
RESOURCE_HASH: Final = "kubernetes-fleet.io/resource-hash"
NUMBER_OF_SNAPSHOTS: Final = "kubernetes-fleet.io/number-of-resource-snapshots"
SUBINDEX: Final = "kubernetes-fleet.io/subindex-of-resource-snapshot"
ENVELOPED_OBJECTS: Final = "kubernetes-fleet.io/number-of-enveloped-object"
PREVIOUS_STATE: Final = "kubernetes-fleet.io/previous-binding-state"
PARENT_BINDING: Final = "kubernetes-fleet.io/parent-resource-binding"
PARENT_SNAPSHOT: Final = "kubernetes-fleet.io/parent-resource-snapshot-index"
PARENT_SNAPSHOT_NAME: Final = "kubernetes-fleet.io/parent-resource-snapshot-name"
PARENT_NAMESPACE: Final = "kubernetes-fleet.io/parent-placement-namespace"
FLEET_RESOURCE: Final = "kubernetes-fleet.io/is-fleet-resource"
MEMBER_NAME: Final = "kubernetes-fleet.io/member-name"
CRP_CLEANUP: Final = "kubernetes-fleet.io/crp-cleanup"
RP_CLEANUP: Final = "kubernetes-fleet.io/rp-cleanup"
SCHEDULER_CLEANUP: Final = "kubernetes-fleet.io/scheduler-cleanup"
BINDING_CLEANUP: Final = "kubernetes-fleet.io/scheduler-crb-cleanup"
WORK_BINDING_CLEANUP: Final = "kubernetes-fleet.io/work-cleanup"
MEMBER_CLUSTER_FINALIZER: Final = "kubernetes-fleet.io/membercluster-finalizer"
PROFILE_FINALIZER: Final = "kubernetes-fleet.io/cluster-profile-cleanup"
UPDATE_RUN_FINALIZER: Final = "kubernetes-fleet.io/stagedupdaterun-finalizer"
TARGET_UPDATE_RUN: Final = "kubernetes-fleet.io/targetUpdateRun"
TARGET_UPDATING_STAGE: Final = "kubernetes-fleet.io/targetUpdatingStage"
TASK_TYPE: Final = "kubernetes-fleet.io/taskType"
LATEST_APPROVAL: Final = "kubernetes-fleet.io/isLatestUpdateRunApproval"
DELETE_STAGE: Final = "kubernetes-fleet.io/deleteStage"
BEFORE_STAGE: Final = "beforeStage"
AFTER_STAGE: Final = "afterStage"
MEMBER_NAMESPACE_PREFIX: Final = "fleet-member-"

# KAITO's.
WORKSPACE: Final = "kaito.sh/workspace"
WORKSPACE_NAMESPACE: Final = "kaito.sh/workspacenamespace"
INFERENCE_SET: Final = "inferenceset.kaito.sh/created-by"
WORKSPACE_FINALIZER: Final = "workspace.finalizer.kaito.sh"
INFERENCE_SET_FINALIZER: Final = "inferenceset.finalizer.kaito.sh"
RUNTIME: Final = "kaito.sh/runtime"
ENABLE_LOAD_BALANCER: Final = "kaito.sh/enablelb"
WORKSPACE_REVISION: Final = "workspace.kaito.io/revision"
WORKSPACE_HASH: Final = "workspace.kaito.io/hash"

# Karpenter's and Kubernetes' own.
NODE_POOL: Final = "karpenter.sh/nodepool"
DO_NOT_DISRUPT: Final = "karpenter.sh/do-not-disrupt"
INSTANCE_TYPE: Final = "node.kubernetes.io/instance-type"
CAPACITY_TYPE: Final = "karpenter.sh/capacity-type"
REGION: Final = "topology.kubernetes.io/region"
ZONE: Final = "topology.kubernetes.io/zone"
LOCATION: Final = "fleet.azure.com/location"
MANAGED_BY: Final = "app.kubernetes.io/managed-by"
POD_INDEX: Final = "apps.kubernetes.io/pod-index"
GPU: Final = "nvidia.com/gpu"
CLUSTER_MANAGER: Final = "x-k8s.io/cluster-manager"

# Ours.
SERVICE: Final = "modelfleet.dev/service"
MODEL: Final = "modelfleet.dev/model"
ADAPTERS: Final = "modelfleet.dev/adapters"
MARKED: Final = "modelfleet.dev/marked"
ALLOCATION: Final = "modelfleet.dev/allocation"
ENSURE_NAMESPACE: Final = "modelfleet.dev/ensure-namespace"
HUB_GENERATIONS: Final = "modelfleet.dev/hub-generations"
DEMANDS: Final = "modelfleet.dev/demands"
CONFIG_HASH: Final = "modelfleet.dev/config-hash"
PODS_HASH: Final = "modelfleet.dev/pods-hash"
ENGINE: Final = "modelfleet.dev/engine"
WORKLOAD: Final = "modelfleet.dev/workload"
GPUS_PER_REPLICA: Final = "modelfleet.dev/gpus-per-replica"
GPU_TYPES: Final = "modelfleet.dev/gpu-types"
ENDPOINT_NAME: Final = "modelfleet.dev/endpoint-name"
ALIASES: Final = "modelfleet.dev/aliases"
SOLD_OUT: Final = "modelfleet.dev/sold-out"
CLAIM_FINALIZER: Final = "modelfleet.dev/claim"
OWNED_BY_DEPLOYMENT: Final = "modelfleet.dev/model-deployment"
SPEC_HASH: Final = "modelfleet.dev/spec-hash"
WORKLOAD_UID: Final = "modelfleet.dev/workload-uid"
SILENT_SINCE: Final = "modelfleet.dev/silent-since"
LEAVE_ASKED: Final = "modelfleet.dev/leave-asked"
GATEWAY_IDENTITY: Final = "modelfleet.dev/gateway-identity"
CLUSTER_ID: Final = "modelfleet.dev/cluster-id"
AGENT_VERSION: Final = "modelfleet.dev/agent-version"
CATEGORY: Final = "modelfleet"

_MAX_NAME = 63
_DIGEST = 8


def digest(*parts: str) -> str:
    """Eight hexadecimal characters that tell these parts from others."""
    return sha256("/".join(parts).encode()).hexdigest()[:_DIGEST]


def cut(text: str, *parts: str) -> str:
    """Name an object after its owner, within 63 characters, with a digest of `parts`."""
    return f"{text[: _MAX_NAME - _DIGEST - 1].rstrip('-.')}-{digest(*parts)}"


def binding_name(placement: str, placement_uid: str, cluster: str) -> str:
    """Name a binding after its owner: made twice it is one, made for a namesake it is another."""
    return cut(f"{placement}-{cluster}", placement_uid, cluster)


def member_namespace(cluster: str) -> str:
    """Namespace on the hub that belongs to a member cluster."""
    return f"{MEMBER_NAMESPACE_PREFIX}{cluster}"


def member_cluster(namespace: str) -> str | None:
    """Name the cluster that a namespace on the hub belongs to."""
    cluster = namespace.removeprefix(MEMBER_NAMESPACE_PREFIX)
    return cluster if cluster != namespace else None


def service_name(model: str) -> str:
    """Name the ModelService of a model: a DNS label, for `org/Model-1.5` too."""
    label = re.sub(r"[^a-z0-9-]+", "-", model.lower()).strip("-")
    return label if len(label) <= _MAX_NAME else cut(label, model)


def endpoint_name(workload: str, cluster: str) -> str:
    """Name the ModelEndpoint of a workload on a cluster."""
    name = f"{workload}-{cluster}"
    return name if len(name) <= _MAX_NAME else cut(name, workload, cluster)


def work_name(placement: str, namespace: str = "") -> str:
    """Name the Work of a placement in a member's namespace, as KubeFleet does."""
    return f"{namespace}.{placement}-work" if namespace else f"{placement}-work"
