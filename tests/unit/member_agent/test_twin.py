"""Two clusters with one name: the first goes on, the second stands aside and says so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from fleet.api import names
from fleet.api.cluster import (
    AgentStatus,
    InternalMemberCluster,
    InternalMemberClusterStatus,
    PropertyValue,
)
from fleet.api.conditions import find
from fleet.api.core import Namespace
from fleet.api.objects import Key
from fleet.kube.cache import Cache
from fleet.kube.errors import TransientError
from fleet.testing.client import FakeClient
from member_agent.twin import Report, Twin, rival
from member_agent.twin_report import TwinReport
from tests.unit.fleet.kube.virtual import in_virtual_time
from tests.unit.member_agent.controllers.inventory.reporter import Reporter

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
KEY = Key("fleet-member-us", "us")
PERIOD = 60
EMPTY = {
    "apiVersion": InternalMemberCluster.API,
    "kind": "InternalMemberCluster",
    "metadata": {"name": KEY.name, "namespace": KEY.namespace},
    "spec": {"state": "Join", "heartbeatPeriodSeconds": PERIOD},
}


@pytest.mark.parametrize(
    ("cluster", "own", "wrote", "now", "found"),
    [
        ("a", "a", True, 0.0, ""),
        ("a", "b", False, 0.0, "a"),
        ("b", "a", False, 0.0, "b"),
        ("b", "a", True, 0.0, ""),
        ("a", "b", True, 0.0, "a"),
        ("a", "b", False, 179.0, "a"),
        ("a", "b", False, 180.0, ""),
        ("", "b", False, 0.0, ""),
        ("a", "", False, 0.0, ""),
    ],
)
def test_of_two_the_one_that_reports_goes_on_and_of_both_the_lesser(
    cluster: str, own: str, wrote: bool, now: float, found: str
) -> None:
    report = Report(cluster, NOON, at=0.0, period=60.0)
    assert rival(report, own, wrote=wrote, now=now) == found


def clock() -> datetime:
    return NOON + timedelta(seconds=asyncio.get_running_loop().time())


class Hub:
    """What the clusters of one name report to."""

    def __init__(self) -> None:
        self.client = FakeClient()
        self.client.put(EMPTY)

    @property
    def internal(self) -> InternalMemberCluster:
        return self.client.all(InternalMemberCluster)[0]

    async def report(self, cluster: str) -> None:
        said = PropertyValue(value=cluster, observation_time=clock())
        agent = AgentStatus(type="MemberAgent", last_received_heartbeat=clock())
        status = InternalMemberClusterStatus(
            properties={names.CLUSTER_ID: said}, agent_status=(agent,)
        )
        await self.client.as_manager("inventory").patch_status(self.internal, status)


class Cluster:
    """One of them, which reports while it is alone."""

    def __init__(self, hub: Hub, uid: str) -> None:
        self.hub, self.uid, self.reports = hub, uid, 0
        membership, namespaces = Cache(InternalMemberCluster), Cache(Namespace)
        self.twin = Twin(membership, namespaces, KEY, clock)
        metadata = {"name": "kube-system", "uid": uid, "resourceVersion": "1"}
        namespaces.put({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        namespaces.fill()
        membership.put(hub.internal.manifest())
        membership.fill()
        hub.client.feed(membership)
        self.said = TwinReport(
            hub=hub.client.as_manager("twin"),
            membership=membership,
            key=KEY,
            twin=self.twin,
            clock=clock,
        )

    async def beat(self) -> None:
        while True:
            await self.twin.alone()
            await self.hub.report(self.uid)
            self.reports += 1
            await asyncio.sleep(PERIOD)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        parts = (self.twin.run(), self.said.run(), self.beat())
        tasks = [asyncio.create_task(part) for part in parts]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def sole(hub: Hub) -> str:
    said = find(hub.internal.status.conditions, "SoleCluster")
    return said.status if said else ""


def test_the_second_stands_aside_and_says_so_until_the_first_is_gone() -> None:
    async def body() -> None:
        hub = Hub()
        first = Cluster(hub, "z")
        async with first.running():
            await asyncio.sleep(600)
            second = Cluster(hub, "a")
            running = second.running()
            await running.__aenter__()
            await asyncio.sleep(600)
            assert (second.reports, first.twin.found, sole(hub)) == (0, "", "False")
            assert second.twin.found.startswith("another cluster reports as us (z); join one of")
            with pytest.raises(TransientError, match="stands aside: another cluster"):
                async with second.twin.while_alone():
                    pass
        before = first.reports
        await asyncio.sleep(100)
        assert second.reports == 0
        await asyncio.sleep(100)
        assert (first.reports, second.reports > 0) == (before, True)
        await running.__aexit__(None, None, None)

    in_virtual_time(body())


def test_of_two_that_begin_at_once_one_goes_on() -> None:
    async def body() -> None:
        hub = Hub()
        one, other = Cluster(hub, "a"), Cluster(hub, "b")
        async with one.running(), other.running():
            await asyncio.sleep(600)
            assert one.reports >= 10
            assert other.reports <= 1
            assert (one.twin.found, bool(other.twin.found)) == ("", True)

    in_virtual_time(body())


async def test_who_goes_on_says_so_once_nothing_is_heard_of_the_other() -> None:
    reporter = Reporter(hub=EMPTY)
    await reporter.report()
    (internal,) = reporter.hub.all(InternalMemberCluster)
    assert find(internal.status.conditions, "SoleCluster") is None
    twin = TwinReport(
        hub=reporter.hub.as_manager("twin"),
        membership=Cache(InternalMemberCluster),
        key=KEY,
        twin=Twin(Cache(InternalMemberCluster), Cache(Namespace), KEY, reporter.now),
        clock=reporter.now,
    )
    await reporter.hub.patch_status(internal, twin.status(internal))
    said = list[str]()
    for _ in range(5):
        await reporter.after(PERIOD)
        found = find(reporter.status().conditions, "SoleCluster")
        assert found
        said.append(found.status)
    assert said == ["False", "False", "False", "False", "True"]
    written = reporter.written
    await reporter.after(1)
    assert reporter.written == written
