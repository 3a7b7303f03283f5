"""A member's nodes, pools, claims and pods: all has a default, and a test says what it is about."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fleet.api import names
from fleet.api.core import Node, Pod
from fleet.api.karpenter import NodeClaim, NodePool
from fleet.api.objects import Key
from fleet.catalog.catalogue import load

MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)
"""When everything is made on a server of tests."""
A100, A10, V100, A100X4, T4 = (
    "Standard_NC24ads_A100_v4",
    "Standard_NV36ads_A10_v5",
    "Standard_NC6s_v3",
    "Standard_NC96ads_A100_v4",
    "Standard_NC4as_T4_v3",
)
PHI = Key("demo", "phi")
CLASS = {"group": "karpenter.kwok.sh", "kind": "KWOKNodeClass", "name": "gpu"}


def node(
    name: str = "n1",
    kind: str = A100,
    *,
    gpus: int = 1,
    ready: bool = True,
    labels: Mapping[str, str] | None = None,
    **spec: Any,
) -> Node:
    own = {names.INSTANCE_TYPE: kind, names.REGION: "centralus", "kubernetes.io/hostname": name}
    has = {"cpu": "24", "memory": "220Gi", **({names.GPU: str(gpus)} if gpus else {})}
    return Node.model_validate(
        {
            "metadata": {"name": name, "labels": {**own, **(labels or {})}},
            "spec": spec,
            "status": {
                "capacity": has,
                "allocatable": has,
                "conditions": [{"type": "Ready", "status": str(ready)}],
            },
        }
    )


def pool(
    name: str = "a100",
    *kinds: str,
    limit: int | None = 4,
    capacity_types: tuple[str, ...] = (),
    sold_out: Mapping[str, Any] | None = None,
    **template: Any,
) -> NodePool:
    requirements = [
        {"key": key, "operator": "In", "values": list(values)}
        for key, values in (
            (names.INSTANCE_TYPE, kinds or (A100,)),
            (names.CAPACITY_TYPE, capacity_types),
        )
        if len(values)
    ]
    noted = {"annotations": {names.SOLD_OUT: json.dumps(sold_out)}} if sold_out else {}
    return NodePool.model_validate(
        {
            "metadata": {"name": name, "uid": f"uid-{name}", **noted},
            "spec": {
                "limits": {} if limit is None else {names.GPU: str(limit)},
                "template": {
                    **template,
                    "spec": {"nodeClassRef": CLASS, "requirements": requirements},
                },
            },
        }
    )


def claim(
    name: str = "c1",
    kind: str = A100,
    *,
    owner: Key = PHI,
    of_pool: str = "a100",
    on: str = "",
    stages: tuple[str, ...] = (),
    **metadata: Any,
) -> NodeClaim:
    labels = {
        names.NODE_POOL: of_pool,
        names.WORKSPACE: owner.name,
        names.WORKSPACE_NAMESPACE: owner.namespace,
    }
    conditions = [condition(stage) for stage in stages]
    sku = load().skus[kind]
    wanted = {"key": names.INSTANCE_TYPE, "operator": "In", "values": [kind]}
    return NodeClaim.model_validate(
        {
            "metadata": {
                "name": name,
                "uid": f"uid-{name}",
                "labels": labels,
                "creationTimestamp": MIDNIGHT,
                "finalizers": [names.CLAIM_FINALIZER],
                **metadata,
            },
            "spec": {
                "nodeClassRef": CLASS,
                "requirements": [wanted],
                "resources": {"requests": {names.GPU: str(sku.gpus)}},
            },
            "status": {"nodeName": on, "conditions": conditions},
        }
    )


def condition(kind: str, status: str = "True", **more: Any) -> dict[str, Any]:
    since = {"lastTransitionTime": MIDNIGHT.isoformat()}
    return {"type": kind, "status": status, "reason": kind, **since, **more}


def pod(name: str = "p1", on: str = "n1", *, gpus: int = 1, phase: str = "Running") -> Pod:
    return Pod.model_validate(
        {
            "metadata": {"name": name, "namespace": "demo"},
            "spec": {
                "nodeName": on,
                "containers": [
                    {"name": "main", "resources": {"limits": {names.GPU: str(gpus), "cpu": "2"}}}
                ],
            },
            "status": {"phase": phase},
        }
    )
