"""A server that is away, slow to answer or short of breath costs time, and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime

import pytest

from fleet.api.cluster import MemberCluster
from fleet.api.conditions import find
from fleet.api.objects import Key
from fleet.testing.interceptor import Call, Interceptor, Refusal
from fleet.testing.waiting import passes, until
from tests.integration.faults.outcome import Outcome
from tests.integration.faults.scene import MEMBER, Recording, Scene
from tests.integration.faults.second import NAME, second_member

pytestmark = pytest.mark.asyncio(loop_scope="module")
TOLERATION_SECONDS = 3
"""Three heartbeats: the shortest that placements may have here."""


@asynccontextmanager
async def away(*lines: Interceptor) -> AsyncIterator[None]:
    for line in lines:
        await line.close()
    try:
        yield
    finally:
        for line in lines:
            await line.open()


async def test_a_hubs_server_that_is_away_is_waited_for(
    fleet: Scene, undisturbed: Outcome, outage_seconds: float
) -> None:
    heard, run = Recording(), "run-hub-away"
    lost = fleet.hub.said("watch lost")
    fleet.listen(heard)
    await fleet.deploy(run)
    await until(lambda: any(call.speaks_of(run) for call in heard.writes))
    async with away(*fleet.to_hub):
        await passes(outage_seconds)
        assert fleet.hub.said("watch lost") > lost
    await fleet.ends_as(run, undisturbed)


async def test_a_members_server_that_is_away_is_named_on_the_hub(
    fleet: Scene, undisturbed: Outcome, outage_seconds: float
) -> None:
    heard, run = Recording(), "run-member-away"

    async def unhealthy() -> bool:
        live = await fleet.hub_client.get(MemberCluster, Key("", MEMBER))
        assert live
        agent = live.status.agent
        said = find(agent.conditions, "Healthy") if agent else None
        return said is not None and not said.true and "does not answer" in said.message

    fleet.listen(heard)
    await fleet.deploy(run)
    await until(lambda: any(call.resource == "appliedworks" for call in heard.writes))
    async with away(fleet.lines.on_member):
        await until(unhealthy)
        await passes(outage_seconds)
    await fleet.ends_as(run, undisturbed)


async def test_nothing_moves_while_the_hub_sees_nobody_and_one_alone_does_move(
    fleet: Scene, outage_seconds: float
) -> None:
    fleet.listen_no_more()
    run = "run-tolerated"
    await fleet.place(run, failover_seconds=TOLERATION_SECONDS)
    await until(lambda: fleet.has(run))
    where = {MEMBER: "Bound"}
    async with second_member(fleet) as second:
        second.away = True
        async with away(*fleet.to_hub):
            await passes(max(outage_seconds, 2 * TOLERATION_SECONDS))
        second.away = False
        await _heard(fleet)
        await passes(2 * TOLERATION_SECONDS)
        assert await fleet.bindings(run) == where

        second.away = True
        async with away(fleet.lines.of_agent):
            await until(lambda: fleet.told(run, "more than half of the fleet fell silent at once"))
            await passes(TOLERATION_SECONDS)
            assert await fleet.bindings(run) == where
            second.away = False
            await until(lambda: _moves(fleet, run))


async def _heard(fleet: Scene) -> None:
    """Wait until the hub has passed on heartbeats of both."""
    names = (MEMBER, NAME)
    before = [await _heartbeat(fleet, name) for name in names]

    async def all_new() -> bool:
        now = [await _heartbeat(fleet, name) for name in names]
        return all(one != other for one, other in zip(before, now, strict=True))

    await until(all_new)


async def _heartbeat(fleet: Scene, name: str) -> datetime | None:
    live = await fleet.hub_client.get(MemberCluster, Key("", name))
    return live.heartbeat if live else None


async def _moves(fleet: Scene, run: str) -> bool:
    return NAME in await fleet.bindings(run)


async def test_watches_cut_every_second_cost_time_only(fleet: Scene, undisturbed: Outcome) -> None:
    run = "run-watches-cut"
    fleet.listen_no_more()

    async def cutting() -> None:
        while True:
            await asyncio.sleep(1)
            for line in fleet.every_line:
                line.drop_watches()

    cuts = asyncio.create_task(cutting())
    await fleet.deploy(run)
    try:
        await fleet.ends_as(run, undisturbed)
    finally:
        cuts.cancel()
        with suppress(asyncio.CancelledError):
            await cuts


class Throttle:
    """Refuses each fifth request, as a server does that has too many."""

    def __init__(self) -> None:
        self.calls = self.refused = 0

    async def before(self, _call: Call) -> Refusal | None:
        self.calls += 1
        if self.calls % 5:
            return None
        self.refused += 1
        return Refusal(429, (("Retry-After", "1"),))

    async def after(self, _call: Call) -> None: ...


async def test_a_server_that_asks_for_patience_gets_it(fleet: Scene, undisturbed: Outcome) -> None:
    run, throttle = "run-throttled", Throttle()
    fleet.listen(throttle)
    await fleet.deploy(run)
    await fleet.ends_as(run, undisturbed)
    fleet.listen_no_more()
    assert throttle.refused > 10
