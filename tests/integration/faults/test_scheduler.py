"""A scheduler killed at random while the fleet changes leaves what one left alone does."""

from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from fleet.kube.client import ApiClient
from fleet.testing.apiserver import ApiServer
from fleet.testing.fixtures import frail_server
from fleet.testing.waiting import passes, until
from tests.integration.hub.scheduler import Desk, scheduler
from tests.integration.process import ProgramProcess

CHURN = (
    *("join a", "join b", "join c", "join d", "place one 1", "place three 3", "place more 9"),
    *("leave b", "scale one 3", "join e", "scale three 1", "leave d", "join f"),
    *("scale three 2", "scale more 4"),
)

__all__ = ["frail_server"]


class Churn:
    """What happens to a fleet, and what placements are to have after each step."""

    def __init__(self, client: ApiClient, prefix: str) -> None:
        self.desk = Desk(client, prefix)
        self.members: set[str] = set()
        self.wanted: dict[str, int] = {}

    async def step(self, what: str) -> None:
        verb, name, *number = what.split()
        if verb == "join":
            self.members.add(name)
            await self.desk.join(name)
        elif verb == "leave":
            self.members.discard(name)
            await self.desk.leave(name)
        else:
            self.wanted[name] = int(number[0])
            call = self.desk.place if verb == "place" else self.desk.scale
            await call(name, int(number[0]))

    async def settled(self) -> bool:
        return all([await self._settled(name) for name in self.wanted])

    async def _settled(self, name: str) -> bool:
        chosen = await self.chosen(name)
        enough = self.wanted[name] <= len(self.members)
        right = chosen <= self.members
        full = len(chosen) == min(self.wanted[name], len(self.members))
        return right and full and (await self.desk.said(name))[0] == str(enough)

    async def chosen(self, name: str) -> set[str]:
        states = await self.desk.states(name)
        return {cluster for cluster, state in states.items() if state == "Scheduled"}

    async def end(self) -> dict[str, list[tuple[str, str]]]:
        """Give every binding, with its state."""
        found = {name: await self.desk.states(name) for name in self.wanted}
        return {name: sorted(states.items()) for name, states in found.items()}


@pytest.fixture
async def running(frail_server: ApiServer, tmp_path: Path) -> AsyncIterator[ProgramProcess]:
    made = scheduler(frail_server, tmp_path)
    try:
        await made.start()
        yield made
    finally:
        await made.kill()


async def test_a_scheduler_killed_at_random_ends_as_one_left_alone(
    running: ProgramProcess, frail_server: ApiServer
) -> None:
    client, random = ApiClient(frail_server.connection(), "people"), Random(7)  # noqa: S311
    calm, shaken = Churn(client, "calm"), Churn(client, "shaken")
    for what in CHURN:
        await calm.step(what)
        await until(calm.settled)
    for what in CHURN:
        await shaken.step(what)
        await passes(random.random() / 10)
        await running.kill()
        await running.start()
        await until(shaken.settled)
    assert await shaken.end() == await calm.end()
    await client.close()
