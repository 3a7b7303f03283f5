"""The hub's side of a member that joins and leaves, over a server that keeps its state."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from fleet.api import names
from fleet.api.cluster import ClusterState, InternalMemberCluster, MemberCluster
from fleet.api.core import Namespace, Role, RoleBinding, ServiceAccount
from fleet.api.objects import Key
from fleet.api.work import Work
from fleet.kube.cache import Cache
from fleet.testing.client import FakeClient
from fleet.testing.heard import Heard
from hub.controllers.membership.handlers import Membership
from hub.controllers.membership.observe import OURS, Reads
from hub.gateway_hosts import GatewayHosts

US, NAMESPACE = "us", "fleet-member-us"
MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)
"""When everything that is deleted on this server was deleted."""
FORCE = timedelta(minutes=15)
OWN = {"kind": "ServiceAccount", "name": "member-agent", "namespace": NAMESPACE}
TERMINATING = "kubernetes"
RESERVED = ("models.example", "*.wild.example", "10.0.0.9")
"""Names of the global gateway."""


class Gate:
    """Membership, with the namespace controller that ends what is in a deleted namespace."""

    def __init__(self, *resources: Any) -> None:
        self.client, self.heard, self.now = FakeClient(), Heard(), MIDNIGHT
        self.reads = Reads(
            clusters=Cache(MemberCluster),
            internals=Cache(InternalMemberCluster),
            works=Cache(Work),
            namespaces=Cache(Namespace, label_selector=OURS),
            accounts=Cache(ServiceAccount, label_selector=OURS),
            roles=Cache(Role, label_selector=OURS),
            role_bindings=Cache(RoleBinding, label_selector=OURS),
        )
        self.membership = Membership(
            client=self.client.as_manager("membership"),
            caches=self.reads,
            hosts=GatewayHosts(self.reads.clusters, self.reads.works, RESERVED),
            clock=lambda: self.now,
            force_after=FORCE,
            tell=self.heard.tell,
        )
        for resource in resources:
            self.client.put(resource)

    async def reconcile(self, times: int = 1) -> float | None:
        again = None
        for _ in range(times):
            for cache in self.reads:
                await self.client.relist(cache)
            again = await self.membership.reconcile(Key("", US))
        return again

    async def join(self) -> None:
        """Let the member in, and let its agent say so."""
        await self.reconcile(2)
        self.say(joined="True")
        await self.reconcile()
        self.hold_namespace()

    def say(self, joined: str | None, **status: Any) -> None:
        """Report as the agent does."""
        agent: dict[str, Any] = {"type": "MemberAgent", "conditions": []}
        if joined:
            agent["conditions"] = [condition("Joined", joined)]
        self.client.put(self.internal.manifest() | {"status": {"agentStatus": [agent], **status}})

    def hold_namespace(self) -> None:
        """Keep the namespace until it is empty, as every real one is kept."""
        (namespace,) = self.client.bodies(Namespace)
        self.client.put(namespace | {"metadata": {"name": NAMESPACE, "finalizers": [TERMINATING]}})

    def control_namespaces(self) -> None:
        """End what is in a namespace that was deleted, then the namespace itself."""
        server = self.client.server
        for namespace in self.client.bodies(Namespace):
            if "deletionTimestamp" not in namespace["metadata"]:
                continue
            for address in [a for a in server.objects if a.namespace == NAMESPACE]:
                server.delete(address)
            if not any(a.namespace == NAMESPACE for a in server.objects):
                self.client.put(namespace | {"metadata": {"name": NAMESPACE, "finalizers": []}})

    @property
    def internal(self) -> InternalMemberCluster:
        (found,) = self.client.all(InternalMemberCluster)
        return found

    @property
    def cluster(self) -> MemberCluster:
        return self.cluster_named(US)

    def cluster_named(self, name: str) -> MemberCluster:
        (found,) = (c for c in self.client.all(MemberCluster) if c.name == name)
        return found

    @property
    def state(self) -> ClusterState:
        return self.internal.spec.state

    def said(self, kind: str) -> tuple[str, str]:
        """Give status and reason of a condition of the cluster."""
        found = [c for c in self.cluster.status.conditions if c.type == kind]
        return (found[0].status, found[0].reason) if found else ("", "")


def cluster(identity: Mapping[str, str] = OWN, **more: Any) -> MemberCluster:
    metadata = {"name": US, "uid": "uid-us", **more.pop("metadata", {})}
    spec = {"identity": identity, **more}
    return MemberCluster.model_validate({"metadata": metadata, "spec": spec})


def work(name: str = "llama-work") -> Work:
    """Build a Work that an agent has taken up: its finalizer keeps it."""
    metadata = {"name": name, "namespace": NAMESPACE, "finalizers": ["kubernetes-fleet.io/x"]}
    return Work.model_validate({"metadata": metadata})


def condition(kind: str, status: str) -> dict[str, Any]:
    return {
        "type": kind,
        "status": status,
        "reason": "Said",
        "message": "the agent said so",
        "observedGeneration": 1,
        "lastTransitionTime": MIDNIGHT.isoformat(),
    }


def held() -> dict[str, Any]:
    return {"finalizers": [names.MEMBER_CLUSTER_FINALIZER]}
