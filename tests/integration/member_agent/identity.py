"""What the hub gives an agent: a namespace, an account, and no more rights than it needs."""

from contextlib import suppress
from typing import Any

from fleet.api.cluster import ClusterState, InternalMemberCluster, InternalMemberClusterSpec
from fleet.api.core import Namespace, Role, RoleBinding, ServiceAccount
from fleet.api.names import member_namespace
from fleet.api.objects import Key, Metadata
from fleet.kube.client import ApiClient
from fleet.kube.errors import AlreadyExistsError

ACCOUNT = "member-agent"


def rules() -> tuple[dict[str, Any], ...]:
    placement, cluster = "placement.kubernetes-fleet.io", "cluster.kubernetes-fleet.io"
    watch = ["get", "list", "watch"]
    return (
        {"apiGroups": [placement], "resources": ["works"], "verbs": [*watch, "patch", "update"]},
        {"apiGroups": [placement], "resources": ["works/status"], "verbs": ["patch", "update"]},
        {"apiGroups": [cluster], "resources": ["internalmemberclusters"], "verbs": watch},
        {
            "apiGroups": [cluster],
            "resources": ["internalmemberclusters/status"],
            "verbs": ["patch", "update"],
        },
        {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]},
        {
            "apiGroups": [""],
            "resources": ["serviceaccounts/token"],
            "resourceNames": [ACCOUNT],
            "verbs": ["create"],
        },
    )


async def admit(client: ApiClient, cluster: str) -> str:
    """Make a member's place on the hub, and give its agent's token."""
    namespace = member_namespace(cluster)
    named = Metadata(name=ACCOUNT, namespace=namespace)
    spec = InternalMemberClusterSpec(state=ClusterState.JOIN, heartbeat_period_seconds=2)
    subject = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": ACCOUNT}
    for resource in (
        Namespace(metadata=Metadata(name=namespace)),
        ServiceAccount(metadata=named),
        Role(metadata=named, rules=rules()),
        RoleBinding(metadata=named, role_ref=role, subjects=(subject,)),
        InternalMemberCluster(metadata=Metadata(name=cluster, namespace=namespace), spec=spec),
    ):
        with suppress(AlreadyExistsError):
            await client.create(resource)
    return await client.request_token(Key(namespace, ACCOUNT), 3600)
