"""Manifests as users write them, with what a test wants to be otherwise."""

from typing import Any

Manifest = dict[str, Any]
PLACEMENT = "placement.kubernetes-fleet.io"
NODES = {"labelSelector": {"matchLabels": {"apps": "phi-4-mini"}}}
PRESET = {"preset": {"name": "phi-4-mini-instruct"}}
EVERYTHING = {"group": "", "version": "v1", "kind": "Namespace", "name": "chat"}


def workspace(name: str, version: str = "v1beta1", **parts: Any) -> Manifest:
    """Parts that are None are left out."""
    whole: Manifest = {"resource": NODES, "inference": PRESET, **parts}
    given = {part: value for part, value in whole.items() if value is not None}
    return _manifest(f"kaito.sh/{version}", "Workspace", name) | given


def inference_set(name: str, version: str = "v1beta1", **spec: Any) -> Manifest:
    template = {"resource": {}, "inference": PRESET}
    whole = {"template": template, "labelSelector": NODES["labelSelector"], **spec}
    return _manifest(f"kaito.sh/{version}", "InferenceSet", name) | {"spec": whole}


def placement(name: str, version: str = "v1beta1", **spec: Any) -> Manifest:
    whole = {"resourceSelectors": [EVERYTHING], **spec}
    return _manifest(f"{PLACEMENT}/{version}", "ClusterResourcePlacement", name, "") | {
        "spec": whole
    }


def policy(name: str, **fields: Any) -> Manifest:
    return placement(name, policy=fields)


def member(name: str, **spec: Any) -> Manifest:
    whole = {"identity": {"kind": "User", "name": "member"}, **spec}
    return _manifest("cluster.kubernetes-fleet.io/v1beta1", "MemberCluster", name, "") | {
        "spec": whole
    }


def deployment(name: str, group: str = "modelfleet.dev/v1alpha1", **spec: Any) -> Manifest:
    return _manifest(group, "ModelDeployment", name) | {"spec": {"model": "qwen2-7b", **spec}}


def endpoint(name: str, **spec: Any) -> Manifest:
    whole = {"service": "phi", "url": "https://gateway.example/v1", **spec}
    return _manifest("modelfleet.dev/v1alpha1", "ModelEndpoint", name) | {"spec": whole}


def service(name: str, **spec: Any) -> Manifest:
    whole = {"model": "phi", **spec}
    return _manifest("modelfleet.dev/v1alpha1", "ModelService", name) | {"spec": whole}


def _manifest(api: str, kind: str, name: str, namespace: str = "default") -> Manifest:
    metadata = {"name": name, "namespace": namespace} if namespace else {"name": name}
    return {"apiVersion": api, "kind": kind, "metadata": metadata}
