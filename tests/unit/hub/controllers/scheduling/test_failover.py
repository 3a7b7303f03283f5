"""What a silent member had moves where the user asked for it, and comes back only in time."""

from datetime import timedelta
from typing import Any

from fleet.api import names
from fleet.api.binding import BindingState
from fleet.kube.queue import WorkQueue
from tests.unit.fleet.engine.fleets import A10, NOON, WELL, agent, member, phi, pool, said, three
from tests.unit.hub.controllers.scheduling.desk import (
    KEY,
    LLAMA,
    SCORED,
    Desk,
    binding,
    placement,
    snapshot,
)

TOLERATED, HEARTBEAT = 30.0, 5.0


class Region(Desk):
    """A workload in eu, under a policy that moves it after 30 s."""

    async def begin(self, **policy: Any) -> None:
        self.client.put(placement())
        self.client.put(snapshot(1, phi(), **({"scoring": SCORED} | policy)))
        for each in three(pool(A10)):
            self.client.put(each)
        await self.reconcile()
        self.report("eu", "True")

    async def pass_time(self, seconds: float, *, silent: set[str]) -> float | None:
        """Let heartbeats come in, but those of silent members, and reconcile at the end."""
        for _ in range(int(seconds / HEARTBEAT)):
            self.seconds += HEARTBEAT
            for name in {"us", "eu", "apac"} - silent:
                self.beat(name)
            self.heartbeats.tick()
        return await self.scheduling.reconcile(KEY)

    def beat(self, name: str) -> None:
        beat = NOON + timedelta(seconds=self.seconds)
        said_now = agent(said("Joined", "True"), WELL, beat=beat)
        self.client.put(member(name, pool(A10), agentStatus=[said_now]))


async def test_a_member_silent_for_less_than_is_tolerated_keeps_its_share() -> None:
    region = Region()
    await region.begin()
    again = await region.pass_time(20, silent={"eu"})
    assert region.states() == {"eu": "Scheduled"}
    assert again == TOLERATED - 20


async def test_a_share_moves_after_the_toleration_and_the_old_binding_says_since_when() -> None:
    region = Region()
    await region.begin()
    await region.pass_time(30, silent={"eu"})
    assert region.states() == {"eu": "Unscheduled", "us": "Scheduled"}
    notes = region.bindings()["eu"].metadata.annotations
    assert notes == {
        names.PREVIOUS_STATE: "Scheduled",
        names.SILENT_SINCE: "2026-01-01T11:59:30Z",
    }
    said = {d.cluster_name: d.reason for d in region.policy().status.target_clusters}
    assert said["eu"] == "failover: silent for 30 s, 30 s are tolerated"


async def test_without_a_toleration_nothing_moves() -> None:
    region = Region()
    await region.begin(scoring={})
    await region.pass_time(400, silent={"eu"})
    assert region.states() == {"eu": "Scheduled"}


async def test_the_old_binding_is_restored_if_its_member_answers_first() -> None:
    region = Region()
    await region.begin()
    await region.pass_time(30, silent={"eu"})
    region.report("eu", "True")
    await region.pass_time(5, silent=set())
    assert region.states() == {"eu": "Scheduled", "us": "Unscheduled"}
    assert not region.bindings()["eu"].metadata.annotations


async def test_a_member_that_answers_without_its_workload_is_not_waited_for() -> None:
    region = Region()
    await region.begin()
    await region.pass_time(30, silent={"eu"})
    await region.pass_time(5, silent=set())
    assert region.states() == {"eu": "Unscheduled", "us": "Scheduled"}


async def test_what_is_ready_elsewhere_stays_there() -> None:
    region = Region()
    await region.begin()
    await region.pass_time(30, silent={"eu"})
    for name in ("eu", "us"):
        region.report(name, "True")
    await region.pass_time(5, silent=set())
    assert region.states() == {"eu": "Unscheduled", "us": "Scheduled"}


async def test_when_most_of_the_fleet_falls_silent_nothing_moves_and_an_event_says_so() -> None:
    region = Region()
    await region.begin()
    region.heard.take()
    await region.pass_time(60, silent={"eu", "us"})
    await region.pass_time(5, silent={"eu", "us"})
    assert region.states() == {"eu": "Scheduled"}
    assert region.heard.messages == [
        "more than half of the fleet fell silent at once: eu keep their share"
    ]
    assert region.heard.reasons == ["FailoverHeldBack!"]


async def test_a_share_that_was_held_back_is_judged_anew_when_any_member_answers() -> None:
    region, queue = Region(), WorkQueue(lambda: 0.0)
    await region.begin()
    await region.pass_time(60, silent={"eu", "us"})
    region.scheduling.wake(queue)
    region.seconds += HEARTBEAT
    region.beat("us")
    assert await queue.get() == KEY
    await region.reconcile()
    assert region.states() == {"eu": "Unscheduled", "us": "Scheduled"}


async def test_users_hear_of_each_move_once_and_why() -> None:
    region = Region()
    await region.begin()
    assert region.heard.reasons == ["Scheduled"]
    assert region.heard.messages[0].startswith("eu is chosen: ")
    await region.reconcile()
    region.heard.take()
    await region.pass_time(30, silent={"eu"})
    assert region.heard.messages[1] == (
        "eu is left: the member is silent; what it runs stays until its successor is ready"
    )
    assert region.heard.take() == ["Scheduled", "FailoverBegun!"]
    region.report("eu", "True")
    await region.pass_time(5, silent=set())
    assert region.heard.messages[1] == "us is left: the former cluster answers again"
    assert region.heard.take() == ["Restored", "Unscheduled"]


async def test_a_second_region_lost_long_after_the_first_moves_too() -> None:
    region = Region()
    await region.begin()
    await region.pass_time(300, silent={"us"})
    await region.pass_time(30, silent={"us", "eu"})
    assert region.states() == {"eu": "Unscheduled", "apac": "Scheduled"}


async def test_after_a_gap_in_the_watch_silence_begins_anew() -> None:
    region = Region()
    await region.begin()
    await region.pass_time(10, silent={"eu"})
    region.clusters.gap()
    await region.pass_time(25, silent={"eu"})
    assert region.states() == {"eu": "Scheduled"}


async def after_a_restart(*placed: Any) -> Region:
    """Begin where eu beat last an hour ago, by its own clock, and a hub starts now."""
    region = Region()
    agent = {"type": "MemberAgent", "lastReceivedHeartbeat": NOON - timedelta(hours=1)}
    rules = {"failover": {"tolerationSeconds": 3 * HEARTBEAT}}
    fleet = [member(name, pool(A10)) for name in ("us", "apac")]
    policy = snapshot(1, phi(), scoring=rules)
    for each in (*fleet, member("eu", pool(A10), agentStatus=[agent]), placement(), policy):
        region.client.put(each)
    for each in placed:
        region.client.put(each)
    return region


async def test_a_restart_of_the_hub_is_no_silence_of_its_members() -> None:
    region = await after_a_restart(binding("eu", BindingState.BOUND))
    assert await region.reconcile() == 3 * HEARTBEAT
    await region.pass_time(10, silent={"eu"})
    assert region.states() == {"eu": "Bound"}
    await region.pass_time(5, silent={"eu"})
    assert region.states() == {"eu": "Unscheduled", "us": "Scheduled"}


async def test_a_restart_of_the_hub_is_no_answer_of_a_silent_member() -> None:
    notes = {names.SILENT_SINCE: "2026-01-01T11:00:00Z", names.PREVIOUS_STATE: "Bound"}
    let_go = binding("eu", BindingState.UNSCHEDULED, annotations=notes)
    region = await after_a_restart(let_go, binding("us"))
    region.report("eu", "True")
    await region.reconcile()
    assert region.states() == {"eu": "Unscheduled", "us": "Scheduled"}
    await region.pass_time(5, silent=set())
    assert region.states() == {"eu": "Bound", "us": "Unscheduled"}


async def test_a_cluster_that_left_is_replaced_at_once() -> None:
    left = binding("gone", BindingState.BOUND)
    desk = Desk(placement(), snapshot(1), member("us"), left)
    await desk.reconcile()
    assert desk.states() == {"gone": "Unscheduled", "us": "Scheduled"}
    assert desk.policy(f"{LLAMA}-0").status.conditions[0].true
