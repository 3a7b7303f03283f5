"""Which Workspace a claim or a pod is for, as caches index them."""

from collections.abc import Iterable

from fleet.api.names import WORKSPACE, WORKSPACE_NAMESPACE
from fleet.api.objects import Key
from fleet.kube.wire import ObjectMeta

BY_WORKSPACE = "workspace"


def workspace_of(metadata: ObjectMeta) -> Iterable[str]:
    name = metadata.labels.get(WORKSPACE)
    if name:
        namespace = metadata.labels.get(WORKSPACE_NAMESPACE, metadata.namespace)
        yield str(Key(namespace, name))
