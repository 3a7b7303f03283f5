"""A second member that has what the first one has, and whose agent is a few lines of a test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from fleet.api.cluster import InternalMemberCluster, MemberCluster
from fleet.api.names import member_namespace
from fleet.api.objects import Key
from fleet.kube.client import ApiClient
from fleet.runtime import clock
from fleet.testing.waiting import until
from tests.integration.faults.scene import MEMBER, Scene
from tests.integration.faults.world import Raw

NAME = "eu"
BEAT_SECONDS = 0.5


class Second:
    def __init__(self, client: ApiClient, report: dict[str, Any]) -> None:
        self._client, self._report = client.as_manager("second"), report
        self.away = False
        """Whether its line to the hub is down."""

    async def beat(self) -> None:
        internal = await self._client.get(InternalMemberCluster, Key(member_namespace(NAME), NAME))
        if internal:
            self._report["agentStatus"][0]["lastReceivedHeartbeat"] = clock.now().isoformat()
            await self._client.patch_status(internal, Raw(content=self._report))

    async def run(self) -> None:
        while True:
            if not self.away:
                await self.beat()
            await asyncio.sleep(BEAT_SECONDS)

    async def joined(self) -> bool:
        live = await self._client.get(MemberCluster, Key("", NAME))
        return live is not None and live.joined


@asynccontextmanager
async def second_member(fleet: Scene) -> AsyncIterator[Second]:
    """Have another member join, and leave with the end of the block."""
    await fleet.join(NAME)
    first = await fleet.hub_client.get(InternalMemberCluster, Key(member_namespace(MEMBER), MEMBER))
    assert first
    made = Second(fleet.hub_client, first.status.dump())
    beating = asyncio.create_task(made.run())
    try:
        await until(made.joined)
        yield made
    finally:
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating
        await fleet.leave(NAME)
