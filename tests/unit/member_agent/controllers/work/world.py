"""A hub and a member of dictionaries, and the controller of Works between them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fleet.api.cluster import ClusterState, InternalMemberCluster, InternalMemberClusterSpec
from fleet.api.core import ConfigMap, Namespace
from fleet.api.objects import Key, Metadata
from fleet.api.placement import ApplyStrategy
from fleet.api.work import AppliedWork, Work, Workload, WorkSpec
from fleet.api.workspace import InferenceSet, Workspace
from fleet.kube.cache import Cache
from fleet.kube.removals import Removals
from fleet.testing.client import FakeClient
from member_agent.controllers.work.handlers import Works
from member_agent.controllers.work.observe import Reads
from member_agent.controllers.work.observe.watches import Watches

Body = dict[str, Any]
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
KEY = Key("fleet-member-us", "web-work")
CONFIG = Key("default", "settings")


def manifest(api_version: str, kind: str, name: str, **rest: Any) -> Body:
    namespace = {} if kind in ("Namespace", "AppliedWork") else {"namespace": "default"}
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name} | namespace, **rest}


def config(name: str = "settings", **data: str) -> Body:
    return manifest("v1", "ConfigMap", name, data=data)


def work(*manifests: Body, annotations: Mapping[str, str] | None = None, **strategy: Any) -> Work:
    return Work(
        metadata=Metadata(name=KEY.name, namespace=KEY.namespace, annotations=annotations or {}),
        spec=WorkSpec(
            workload=Workload(manifests=manifests), apply_strategy=ApplyStrategy(**strategy)
        ),
    )


def membership(state: ClusterState = ClusterState.JOIN) -> InternalMemberCluster:
    return InternalMemberCluster(
        metadata=Metadata(name="us", namespace=KEY.namespace),
        spec=InternalMemberClusterSpec(state=state),
    )


class World:
    def __init__(self, *works: Work) -> None:
        self.hub, self.member = FakeClient(membership(), *works), FakeClient()
        self.member.put(Namespace(metadata=Metadata(name="default")))
        self.start()

    def start(self) -> None:
        """Begin with empty caches, as a program that has just started."""
        self.reads = Reads(
            works=Cache(Work),
            membership=Cache(InternalMemberCluster),
            records=Cache(AppliedWork),
            namespaces=Cache(Namespace),
            workspaces=Cache(Workspace),
            inference_sets=Cache(InferenceSet),
            configs=Cache(ConfigMap),
        )
        self.watches = Watches(self.member)
        self.works = Works(
            hub=self.hub,
            member=self.member,
            reads=self.reads,
            watches=self.watches,
            clock=lambda: NOON,
            removals=Removals(self.hub, settle_seconds=0),
        )

    async def look(self) -> None:
        for cache in self.reads:
            client = self.hub if cache in (self.reads.works, self.reads.membership) else self.member
            await client.relist(cache)

    async def reconcile(self, key: Key = KEY) -> float | None:
        await self.look()
        return await self.works.reconcile(key)

    async def settle(self, key: Key = KEY) -> None:
        for _ in range(3):
            await self.reconcile(key)

    @property
    def versions(self) -> tuple[int, int]:
        return self.hub.server.version, self.member.server.version

    def work(self) -> Work:
        return self.hub.all(Work)[0]

    def bodies(self, kind: str) -> list[Body]:
        return [body for address, body in self.member.objects.items() if address.kind == kind]

    def names(self, kind: str) -> list[str]:
        return sorted(body["metadata"]["name"] for body in self.bodies(kind))

    def said(self, kind: str) -> tuple[str, str]:
        """Give status and reason of a condition of the Work."""
        found = next(c for c in self.work().status.conditions if c.type == kind)
        return found.status, found.reason

    def said_of(self, ordinal: int, kind: str = "Applied") -> tuple[str, str, str]:
        item = self.work().status.manifest_conditions[ordinal]
        found = next(c for c in item.conditions if c.type == kind)
        return found.status, found.reason, found.message
