"""The member's own copy of what a placement selects: with what was decided for its cluster."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fleet.api import names
from fleet.api.binding import Allocation
from fleet.api.workspace import InferenceSet, Workspace

Manifest = Mapping[str, Any]
WORKLOADS = (Workspace.kind(), InferenceSet.kind())


def is_workload(manifest: Manifest) -> bool:
    group = str(manifest["apiVersion"]).partition("/")[0]
    return group == Workspace.group() and manifest["kind"] in WORKLOADS


def reference(manifest: Manifest) -> str:
    """Name a workload as a Work's annotation does."""
    metadata = manifest["metadata"]
    return f"{manifest['kind']}/{metadata.get('namespace', '')}/{metadata['name']}"


def member_copies(
    manifests: Iterable[Manifest], allocations: Sequence[Allocation]
) -> tuple[dict[str, Any], ...]:
    """Write each workload's allocation into it; all else goes as it is."""
    decided = {f"{a.kind}/{a.namespace}/{a.name}": a for a in allocations}
    return tuple(
        _allocated(manifest, decided[reference(manifest)])
        if is_workload(manifest) and reference(manifest) in decided
        else dict(manifest)
        for manifest in manifests
    )


def _allocated(manifest: Manifest, allocation: Allocation) -> dict[str, Any]:
    metadata = manifest["metadata"]
    text = json.dumps(allocation.model_dump(mode="json"), sort_keys=True)
    annotations = {**metadata.get("annotations", {}), names.ALLOCATION: text}
    described = {**manifest, "metadata": {**metadata, "annotations": annotations}}
    chosen = {"instanceType": allocation.instance_type}
    if manifest["kind"] == Workspace.kind():
        return described | {"resource": {**manifest.get("resource", {}), **chosen}}
    spec = manifest["spec"]
    template = spec["template"]
    resource = {**template.get("resource", {}), **chosen}
    allocated = {"replicas": allocation.replicas, "template": {**template, "resource": resource}}
    return described | {"spec": {**spec, **allocated}}
