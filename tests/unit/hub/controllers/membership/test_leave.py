"""A member that leaves: its agent goes first, and is not waited for without end."""

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.api import names
from fleet.api.cluster import ClusterState, MemberCluster
from fleet.api.core import Namespace
from fleet.api.work import Work
from fleet.kube.errors import TransientError
from tests.unit.hub.controllers.membership.gate import (
    FORCE,
    MIDNIGHT,
    Gate,
    cluster,
    held,
    work,
)


async def leaving(*resources: Work) -> Gate:
    """Let a member join and take up Works, then delete it."""
    gate = Gate(cluster())
    await gate.join()
    for resource in resources:
        gate.client.put(resource)
    await gate.client.delete(gate.cluster)
    return gate


async def test_the_agent_is_asked_to_leave_and_waited_for() -> None:
    gate = await leaving(work())
    gate.now = MIDNIGHT + timedelta(minutes=1)
    again = await gate.reconcile()
    assert gate.state is ClusterState.LEAVE
    assert again == timedelta(minutes=14).total_seconds()
    gate.control_namespaces()
    await gate.reconcile()
    assert len(gate.client.all(Work)) == 1
    assert not gate.client.all(Namespace)[0].deleting


async def test_asking_twice_is_asking_once() -> None:
    gate = await leaving(work())
    await gate.reconcile()
    gate.client.writes_left = 0
    await gate.reconcile()


async def finish(gate: Gate) -> None:
    for _ in range(4):
        await gate.reconcile()
        gate.control_namespaces()


async def test_when_the_agent_has_left_everything_goes() -> None:
    gate = await leaving(work())
    await gate.reconcile()
    gate.say(joined="False")
    await finish(gate)
    assert gate.client.objects == {}


@pytest.mark.parametrize(
    ("late", "gone"), [(timedelta(seconds=-1), False), (timedelta(), True)], ids=["before", "after"]
)
async def test_an_agent_that_does_not_answer_is_given_up_after_the_timeout(
    late: timedelta, gone: bool
) -> None:
    gate = await leaving(work("a-work"), work("b-work"))
    gate.now = MIDNIGHT + FORCE + late
    await finish(gate)
    assert (gate.client.all(MemberCluster) == []) is gone
    assert (gate.client.all(Work) == []) is gone


async def test_an_agent_that_never_was_is_not_waited_for() -> None:
    gate = Gate(cluster())
    await gate.reconcile()
    gate.hold_namespace()
    await gate.client.delete(gate.cluster)
    await finish(gate)
    assert gate.client.objects == {}


async def test_a_state_that_is_unknown_is_no_goodbye() -> None:
    gate = await leaving(work())
    gate.say(joined="Unknown")
    await finish(gate)
    assert gate.state is ClusterState.LEAVE


async def test_a_work_that_comes_late_is_let_go_too() -> None:
    gate = await leaving()
    gate.say(joined="False")
    await gate.reconcile()
    gate.client.put(work())
    assert await gate.reconcile() == 5
    await finish(gate)
    assert gate.client.objects == {}


async def test_a_member_without_anything_on_the_hub_goes_at_once() -> None:
    gate = Gate(cluster(metadata=held()))
    await gate.client.delete(gate.cluster)
    await gate.reconcile()
    assert gate.client.objects == {}


async def test_the_finalizers_of_others_stay() -> None:
    other = {"finalizers": [*held()["finalizers"], "example.com/other"]}
    gate = Gate(cluster(metadata=other))
    await gate.client.delete(gate.cluster)
    await gate.reconcile()
    assert gate.cluster.metadata.finalizers == ("example.com/other",)
    gate.client.writes_left = 0
    await gate.reconcile()


async def test_a_leaving_member_still_says_how_it_is() -> None:
    gate = await leaving(work())
    await gate.reconcile()
    gate.say(joined="False")
    for cache in gate.reads:
        await gate.client.relist(cache)
    await gate.reconcile()
    assert gate.said("Joined") == ("False", "MemberClusterLeft")


@given(writes=st.integers(0, 8), forced=st.booleans())
async def test_a_crash_between_any_two_writes_leaves_nothing_either(
    writes: int, forced: bool
) -> None:
    gate = await leaving(work("a-work"), work("b-work"))
    if forced:
        gate.now = MIDNIGHT + FORCE
    else:
        await gate.reconcile()
        gate.say(joined="False")
    gate.client.writes_left = writes
    for _ in range(2):
        with suppress(TransientError):
            await gate.reconcile()
    gate.client.writes_left = 99
    await finish(gate)
    assert gate.client.objects == {}


async def test_a_member_that_is_gone_needs_nothing() -> None:
    gate = Gate()
    assert await gate.reconcile() is None
    assert gate.client.objects == {}


async def test_users_hear_of_a_member_that_comes_is_lost_and_goes() -> None:
    gate = Gate(cluster())
    await gate.join()
    assert gate.heard.take() == ["MemberClusterReadyToJoin", "MemberClusterJoined"]
    gate.say(joined="Unknown")
    await gate.reconcile(2)
    assert gate.heard.take() == ["MemberClusterUnknown!"]
    await gate.client.delete(gate.cluster)
    gate.say(joined="False")
    await gate.reconcile()
    assert gate.heard.take() == ["MemberClusterLeft"]


async def test_a_member_whose_object_vanished_leaves_with_its_workloads() -> None:
    gate = Gate(cluster())
    await gate.join()
    gate.client.put(work())
    gate.client.put(cluster(metadata={"finalizers": []}))
    await gate.client.delete(gate.cluster)
    assert gate.client.all(MemberCluster) == []
    await finish(gate)
    assert gate.state is ClusterState.LEAVE
    assert len(gate.client.all(Work)) == 1
    gate.say(joined="False")
    await finish(gate)
    assert gate.client.objects == {}


@pytest.mark.parametrize("answered", ["True", "Unknown"])
async def test_a_vanished_member_whose_agent_does_not_leave_is_given_up_after_the_timeout(
    answered: str,
) -> None:
    gate = Gate(cluster(metadata={"finalizers": []}))
    await gate.join()
    gate.say(joined=answered)
    gate.client.put(work())
    gate.client.put(cluster(metadata={"finalizers": []}))
    await gate.client.delete(gate.cluster)
    gate.now = MIDNIGHT + timedelta(hours=5)
    assert await gate.reconcile() == FORCE.total_seconds()
    gate.now += FORCE - timedelta(seconds=1)
    assert await gate.reconcile() == 1
    assert len(gate.client.all(Work)) == 1
    gate.now += timedelta(seconds=1)
    await finish(gate)
    assert gate.client.objects == {}


async def test_a_member_that_vanished_and_came_back_goes_on() -> None:
    gate = Gate(cluster())
    await gate.join()
    gate.client.put(work())
    gate.client.put(cluster(metadata={"finalizers": []}))
    await gate.client.delete(gate.cluster)
    await gate.reconcile()
    states = [gate.state]
    gate.client.put(cluster())
    await gate.reconcile(2)
    assert [*states, gate.state] == [ClusterState.LEAVE, ClusterState.JOIN]
    assert names.LEAVE_ASKED not in gate.internal.metadata.annotations
    assert len(gate.client.all(Work)) == 1
