"""A hub and a member of dictionaries, the reports between them, and a time that a test turns."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from fleet.api.cluster import (
    ClusterState,
    GatewayStatus,
    InternalMemberCluster,
    InternalMemberClusterStatus,
    Pool,
)
from fleet.api.conditions import find
from fleet.api.objects import Key, Resource
from fleet.catalog.catalogue import load
from fleet.kube.queue import WorkQueue
from fleet.testing.client import FakeClient
from member_agent.controllers.inventory.handlers import InventoryReports
from member_agent.kinds import Kinds
from tests.unit.member_agent.hardware import MIDNIGHT

KEY = Key("fleet-member-us", "us")
PERIOD = 60
ON_HUB = ("membership", "works")


def membership(state: ClusterState = ClusterState.JOIN, period: int = PERIOD) -> dict[str, Any]:
    return {
        "apiVersion": InternalMemberCluster.API,
        "kind": "InternalMemberCluster",
        "metadata": {"name": KEY.name, "namespace": KEY.namespace},
        "spec": {"state": state, "heartbeatPeriodSeconds": period},
    }


class Gateway:
    """A gateway that is as the test says."""

    def __init__(self) -> None:
        self.found: GatewayStatus | None = None
        self.trouble = ""
        self.listeners = list[Callable[[], None]]()

    def status(self) -> GatewayStatus | None:
        return self.found

    def on_change(self, listener: Callable[[], None]) -> None:
        self.listeners.append(listener)


class Other:
    """Another system that is there when the test says so."""

    found = ""

    def on_change(self, listener: Callable[[], None]) -> None:
        del listener


class Reporter:
    def __init__(self, *resources: Resource, hub: Mapping[str, Any] | None = None) -> None:
        self.seconds, self.caught_up, self.luck = 0.0, True, 0.5
        self.hub, self.member = FakeClient(), FakeClient(*resources)
        self.hub.put(membership() if hub is None else hub)
        self.gateway, self.other = Gateway(), Other()
        self.reads = Kinds("us").for_inventory()
        self.hub.feed(*(getattr(self.reads, name) for name in ON_HUB))
        self.member.feed(*self._of_member())
        self.reports = InventoryReports(
            hub=self.hub.as_manager("agent"),
            member=self.member,
            reads=self.reads,
            key=KEY,
            clock=self.now,
            timer=lambda: self.seconds,
            chance=lambda: self.luck,
            catalogue=load(),
            gateway=self.gateway,
            caught_up=lambda: self.caught_up,
            aside=self.other,
            release="0.1.0",
        )

    def _of_member(self) -> list[Any]:
        fields = self.reads._asdict()
        return [cache for name, cache in fields.items() if name not in ON_HUB]

    def now(self) -> datetime:
        return MIDNIGHT + timedelta(seconds=self.seconds)

    async def look(self) -> None:
        for name, cache in self.reads._asdict().items():
            await (self.hub if name in ON_HUB else self.member).relist(cache)

    async def report(self) -> float | None:
        await self.look()
        return await self.reports.reconcile(KEY)

    async def after(self, seconds: float) -> float | None:
        self.seconds += seconds
        return await self.report()

    @property
    def written(self) -> int:
        """The version of what the hub holds: it grows with each report."""
        return self.hub.server.version

    def status(self) -> InternalMemberClusterStatus:
        (found,) = self.hub.all(InternalMemberCluster)
        return found.status

    def heartbeat(self) -> datetime | None:
        agent = self.status().agent
        return agent.last_received_heartbeat if agent else None

    def said(self, kind: str) -> tuple[str, str, str]:
        agent = self.status().agent
        assert agent
        found = find(agent.conditions, kind)
        assert found
        return found.status, found.reason, found.message

    def pools(self) -> dict[str, Pool]:
        return {pool.instance_type: pool for pool in self.status().inventory.pools}

    def wake(self) -> WorkQueue:
        queue = WorkQueue(lambda: 0.0)
        self.reports.wake(queue)
        return queue
