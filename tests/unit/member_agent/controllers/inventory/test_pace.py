"""When a member reports: at every heartbeat, at once when something changed, never too often."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.api import names
from fleet.api.cluster import ClusterState, GatewayStatus
from fleet.api.objects import Metadata
from fleet.api.work import Work
from fleet.kube.errors import TransientError
from tests.unit.member_agent.controllers.inventory.reporter import (
    KEY,
    PERIOD,
    Reporter,
    membership,
)
from tests.unit.member_agent.hardware import claim, node, pod, pool


async def test_the_first_report_comes_at_once_where_the_works_are_reported_on() -> None:
    reporter = Reporter()
    assert await reporter.report() == PERIOD
    assert reporter.heartbeat() == reporter.now()


async def test_the_first_heartbeat_waits_for_the_works_but_not_for_ever() -> None:
    reporter = Reporter()
    reporter.caught_up = False
    assert await reporter.report() == 0.2
    await reporter.after(9.9)
    assert reporter.heartbeat() is None
    await reporter.after(0.1)
    assert reporter.heartbeat() == reporter.now()


async def test_the_first_heartbeat_comes_once_the_works_are_reported_on() -> None:
    reporter = Reporter()
    reporter.caught_up = False
    await reporter.report()
    reporter.caught_up = True
    await reporter.after(0.2)
    assert reporter.heartbeat() == reporter.now()


async def test_later_heartbeats_do_not_wait_for_new_works() -> None:
    reporter = Reporter()
    await reporter.report()
    reporter.caught_up = False
    await reporter.after(PERIOD)
    assert reporter.heartbeat() == reporter.now()


async def test_without_news_nothing_is_written_before_the_next_heartbeat() -> None:
    reporter = Reporter(node())
    await reporter.report()
    before = reporter.written
    assert await reporter.after(PERIOD - 1) == 1
    assert reporter.written == before
    await reporter.after(1)
    assert reporter.heartbeat() == reporter.now()


@pytest.mark.parametrize(("luck", "seconds"), [(0.0, 57.0), (0.5, 60.0), (1.0, 63.0)])
async def test_heartbeats_vary_a_little(luck: float, seconds: float) -> None:
    reporter = Reporter()
    reporter.luck = luck
    assert await reporter.report() == pytest.approx(seconds)


async def test_news_are_written_at_once_but_one_report_a_second() -> None:
    reporter = Reporter()
    await reporter.report()
    reporter.member.put(node("n1"))
    assert await reporter.after(0.4) == pytest.approx(0.6)
    assert reporter.pools() == {}
    await reporter.after(0.6)
    assert len(reporter.pools()) == 1


async def test_looks_that_find_nothing_are_gathered() -> None:
    reporter = Reporter()
    await reporter.report()
    await reporter.after(10)
    reporter.member.put(node("n1"))
    assert await reporter.report() == pytest.approx(0.2)
    await reporter.after(0.2)
    assert len(reporter.pools()) == 1


@given(st.lists(st.sampled_from([0.0, 0.125, 0.25, 1.0, 30.0]), max_size=30))
async def test_however_fast_things_change_there_is_at_most_one_report_a_second(
    waits: list[float],
) -> None:
    reporter, times = Reporter(), list[float]()
    for index, wait in enumerate(waits):
        reporter.member.put(node(f"n{index}"))
        before = reporter.written
        await reporter.after(wait)
        if reporter.written != before:
            times.append(reporter.seconds)
    assert all(later - sooner >= 1 for sooner, later in pairwise(times))


@given(st.lists(st.sampled_from(["node", "pod", "pool", "claim", "wait"]), max_size=6))
async def test_reporting_again_writes_nothing(changes: list[str]) -> None:
    made: dict[str, Callable[[], Any]] = {"node": node, "pod": pod, "pool": pool, "claim": claim}
    reporter = Reporter()
    for change in changes:
        if change in made:
            reporter.member.put(made[change]())
        await reporter.after(2)
    await reporter.after(2)
    reporter.hub.writes_left = 0
    await reporter.after(2)


async def test_what_the_hub_asks_anew_is_answered_at_once() -> None:
    reporter = Reporter()
    await reporter.report()
    reporter.hub.put(membership(period=5))
    assert await reporter.after(2) == 5
    assert reporter.heartbeat() == reporter.now()
    await reporter.after(5)
    assert reporter.heartbeat() == reporter.now()


async def test_a_report_that_did_not_arrive_is_sent_again_and_not_at_each_look() -> None:
    reporter = Reporter()
    reporter.hub.writes_left = 0
    with pytest.raises(TransientError):
        await reporter.report()
    assert await reporter.after(0.2) == pytest.approx(0.8)
    reporter.hub.writes_left = 9
    await reporter.after(0.8)
    assert reporter.heartbeat() == reporter.now()


async def test_without_a_place_on_the_hub_nothing_is_reported() -> None:
    reporter = Reporter(hub=membership() | {"metadata": {"name": "eu", "namespace": "x"}})
    assert await reporter.report() is None


async def test_another_members_place_is_not_ours() -> None:
    reporter = Reporter()
    await reporter.look()
    assert await reporter.reports.reconcile(KEY._replace(name="eu")) is None
    assert reporter.heartbeat() is None


def work(*finalizers: str) -> Work:
    metadata = Metadata(name="w", namespace=KEY.namespace, finalizers=finalizers)
    return Work(metadata=metadata)


WAKES: dict[str, Callable[[Reporter], None]] = {
    "a node": lambda r: r.member.put(node()),
    "a pod": lambda r: r.member.put(pod()),
    "a claim": lambda r: r.member.put(claim()),
    "a pool": lambda r: r.member.put(pool()),
    "the hub asks for something else": lambda r: r.hub.put(membership(ClusterState.LEAVE)),
    "the gateway": lambda r: r.gateway.listeners[0](),
    "a Work is let go": lambda r: r.hub.put(work()),
}


@pytest.mark.parametrize("what", WAKES)
async def test_a_change_wakes_the_report(what: str) -> None:
    reporter = Reporter()
    reporter.hub.put(work(names.WORK_BINDING_CLEANUP))
    await reporter.look()
    queue = reporter.wake()
    assert await queue.get() == KEY, "it begins by itself"
    queue.done(KEY)
    WAKES[what](reporter)
    assert len(queue) == 1


async def test_its_own_report_does_not_wake_it() -> None:
    reporter = Reporter()
    await reporter.look()
    queue = reporter.wake()
    queue.done(await queue.get())
    await reporter.report()
    assert len(queue) == 0


async def test_a_pod_that_only_says_how_it_is_does_not_wake_it() -> None:
    reporter = Reporter(pod(phase="Pending"))
    await reporter.look()
    queue = reporter.wake()
    queue.done(await queue.get())
    reporter.member.put(pod(phase="Running"))
    assert len(queue) == 0
    reporter.member.put(pod(phase="Failed"))
    assert len(queue) == 1


async def test_the_gateway_is_told_of_at_once() -> None:
    reporter = Reporter()
    await reporter.report()
    assert reporter.status().gateway is None
    reporter.gateway.found = GatewayStatus(url="http://us.example/v1", ready=True)
    await reporter.after(1)
    assert reporter.status().gateway == reporter.gateway.found
