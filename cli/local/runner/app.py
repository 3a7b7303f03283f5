"""The composition root of the node runner."""

import asyncio

from cli.local.runner.apply import Hands
from cli.local.runner.node import Node
from cli.local.runner.pods import Pod
from cli.local.runner.settings import Settings
from fleet.kube.cache import Cache
from fleet.kube.client import ApiClient
from fleet.kube.program import Program, RunSettings
from fleet.kube.program import run as run_program
from fleet.runtime import clock


async def run(settings: Settings, client: ApiClient) -> None:
    """Play pods until told to end; what runs then goes on, and is taken up by the next runner."""
    pods: Cache[Pod] = Cache(Pod)
    hands = Hands(client, settings, clock.now)
    node = Node(pods, client, hands, settings.images, clock.now)

    async def let_go() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await hands.close()

    program = Program(client=client, caches=[pods], controllers=[node], background=[let_go])
    await run_program(program, RunSettings(health_listen=settings.health_listen))
