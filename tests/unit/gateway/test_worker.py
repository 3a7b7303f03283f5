"""One worker in the test's own process: when it begins to take clients, and when it ends."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest
from typing_extensions import override

from fleet.testing.waiting import until
from gateway.control.broadcast import Broadcast
from gateway.keys import KeyFiles
from gateway.link import Health, Table
from gateway.settings import Settings
from gateway.snapshot import Endpoint, Service, Snapshot
from gateway.supervisor import link
from gateway.worker import Worker
from tests.gateway_upstream import completes, upstream

ASKED = {"model": "llama", "stream": True}


@dataclass
class Shop:
    """A worker and what its supervisor holds for it."""

    worker: Worker
    url: str
    broadcast: Broadcast
    life: int
    task: "asyncio.Task[None]"

    def orphan(self) -> None:
        """End the supervisor, as far as the worker can see."""
        life, self.life = self.life, -1
        os.close(life)

    def route(self, *urls: str) -> None:
        places = tuple(Endpoint(f"team/{number}", url) for number, url in enumerate(urls))
        self.broadcast.tell(Table(Snapshot((Service("team/llama", ("llama",), places),))))


@asynccontextmanager
async def shop(settings: Settings | None = None) -> AsyncIterator[Shop]:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    speaker, (end, life) = link(), os.pipe()
    broadcast = Broadcast()
    name = speaker.getsockname().decode().lstrip("\0")
    worker = Worker(settings or Settings(), listener)
    task = asyncio.create_task(worker.run(end, name))
    made = Shop(worker, url, broadcast, life, task)
    speaking = asyncio.create_task(broadcast.serve(speaker))
    try:
        yield made
    finally:
        if made.life >= 0:
            made.orphan()
        async with asyncio.timeout(20):
            await task
        speaking.cancel()
        await asyncio.gather(speaking, return_exceptions=True)
        os.close(end)
        listener.close()


async def test_a_client_that_comes_before_the_routes_waits_for_them() -> None:
    async with upstream() as only, shop() as running, httpx.AsyncClient() as http:
        early = asyncio.create_task(http.post(f"{running.url}/v1/completions", json=ASKED))
        await until(lambda: running.broadcast._listeners)
        assert not early.done()
        running.route(only.url)
        assert (await early).status_code == 200


async def test_what_probes_find_is_believed() -> None:
    async with upstream() as one, upstream() as two, shop() as running:
        running.route(one.url, two.url)
        await until(lambda: running.worker.intake.plane.routes.known)
        running.broadcast.tell(Health(1.0, {"team/0": False}))
        states = running.worker.intake.plane.routes.states
        await until(lambda: states["team/0"].up is False)
        async with httpx.AsyncClient() as http:
            for _ in range(4):
                await http.post(f"{running.url}/v1/completions", json=ASKED)
        assert (len(one.requests), len(two.requests)) == (0, 4)


async def test_a_worker_without_its_supervisor_ends_what_it_began() -> None:
    go = asyncio.Event()
    async with (
        upstream(completes(pause_after=go)) as only,
        shop() as running,
        httpx.AsyncClient() as http,
    ):
        running.route(only.url)
        async with http.stream("POST", f"{running.url}/v1/completions", json=ASKED) as answer:
            lines = answer.aiter_lines()
            assert await anext(lines)
            running.orphan()
            await until(lambda: running.worker.intake.draining)
            go.set()
            assert [line async for line in lines if line][-1] == "data: [DONE]"
        async with asyncio.timeout(20):
            await running.task


async def test_a_worker_that_never_had_routes_ends_when_it_is_told() -> None:
    async with shop() as running:
        await until(lambda: running.broadcast._listeners)
        running.orphan()
        await running.task
        assert running.worker.intake.draining


class BrokenKeys(KeyFiles):
    """Files that fail in a way nobody has thought of."""

    @override
    def refresh(self) -> None:
        raise ArithmeticError


async def test_a_worker_of_which_a_part_fails_gives_way(caplog: pytest.LogCaptureFixture) -> None:
    async with shop() as running:
        running.route()
        running.worker._supervisor = -1
        running.worker._keys = BrokenKeys(clients="", fleet="", regional=False)
        async with asyncio.timeout(20):
            await running.task
    assert "a part of the worker failed" in caplog.text
