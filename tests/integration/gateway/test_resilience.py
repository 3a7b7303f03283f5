"""Upstreams are killed, stopped and refuse for real, and clients notice as little as can be."""

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import httpx
import pytest

from fleet.testing.waiting import until
from gateway.snapshot import Endpoint
from tests.gateway_engine import Process, engine
from tests.gateway_upstream import (
    CHUNKED,
    STREAM,
    End,
    chunk,
    completes,
    event,
    head,
    says,
    upstream,
)
from tests.integration.gateway.program import CHAT, HEADERS, Gateway, gateway

pytestmark = pytest.mark.faults
TWO = 2


@dataclass
class Seen:
    """What clients got that asked so often a second."""

    answers: list[httpx.Response] = field(default_factory=list)
    spans: list[tuple[float, float]] = field(default_factory=list)
    """When each was asked and answered."""

    async def ask(self, running: Gateway, http: httpx.AsyncClient) -> None:
        began = monotonic()
        url = f"{running.url}/v1/chat/completions"
        self.answers.append(await http.post(url, json=CHAT, headers=HEADERS))
        self.spans.append((began, monotonic()))

    async def rate(self, running: Gateway, number: int, per_second: float) -> None:
        async with httpx.AsyncClient(timeout=60) as http, asyncio.TaskGroup() as group:
            for _ in range(number):
                group.create_task(self.ask(running, http))
                await asyncio.sleep(1 / per_second)

    @property
    def failed(self) -> list[str]:
        return [each.text for each in self.answers if not each.is_success]

    @property
    def seconds(self) -> list[float]:
        return [ended - began for began, ended in self.spans]

    def wasted_after(self, number: int) -> int:
        """Tries beyond the first, of those who asked when so many had been wasted already.

        Those who ask at one moment, as they do on a busy machine, cannot learn from each other.
        """
        tries = [int(each.headers["x-modelfleet-attempts"]) - 1 for each in self.answers]
        ends = sorted(end for more, (_, end) in zip(tries, self.spans, strict=True) if more)
        if len(ends) < number:
            return 0
        known = ends[number - 1]
        spans = zip(tries, self.spans, strict=True)
        return sum(more for more, (began, _) in spans if began > known)


@asynccontextmanager
async def pair(home: Path) -> AsyncIterator[tuple[Gateway, Process, Process]]:
    """Run a gateway before two engines that it probes and has learned from."""
    async with engine() as one, engine() as two, gateway(home, one, two, workers=1) as running:
        running.route_to(
            Endpoint(f"team/{number}", each.url, region=f"r{number}", probe=f"{each.url}/models")
            for number, each in enumerate((one, two))
        )
        await Seen().rate(running, 40, 100)
        yield running, one, two


async def test_one_of_two_that_is_killed_costs_nobody_an_answer(tmp_path: Path) -> None:
    async with pair(tmp_path) as (running, one, _):
        seen = Seen()
        load = asyncio.create_task(seen.rate(running, 350, 50))
        await asyncio.sleep(0.5)
        one.tell(signal.SIGKILL)
        await load
    assert (len(seen.answers), seen.failed) == (350, [])


@pytest.mark.parametrize("fault", [signal.SIGSTOP, signal.SIGUSR1], ids=["all", "POST"])
async def test_one_of_two_that_hangs_costs_nobody_an_answer(
    tmp_path: Path, fault: signal.Signals
) -> None:
    async with pair(tmp_path) as (running, one, _):
        seen = Seen()
        one.tell(fault)
        await seen.rate(running, 260, 20)
        one.tell(signal.SIGCONT)
    assert (len(seen.answers), seen.failed) == (260, [])
    assert sum(seconds > 3 for seconds in seen.seconds) <= 3


async def test_one_of_two_that_refuses_is_soon_left_alone(tmp_path: Path) -> None:
    async with pair(tmp_path) as (running, one, two):
        seen = Seen()
        one.tell(signal.SIGUSR2)
        await seen.rate(running, 250, 50)
        assert seen.failed == []
        assert seen.wasted_after(3) == 0
        two.tell(signal.SIGUSR2)
        both = Seen()
        await both.rate(running, 10, 50)
    assert {each.status_code for each in both.answers} == {503}
    assert all(int(each.headers["retry-after"]) >= 1 for each in both.answers)


async def test_all_that_become_slow_at_once_lose_nobody(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        quick = [await stack.enter_async_context(engine(0.05)) for _ in range(TWO)]
        slow = [await stack.enter_async_context(engine(5)) for _ in range(TWO)]
        running = await stack.enter_async_context(gateway(tmp_path, *quick, workers=1))
        await Seen().rate(running, 40, 50)
        running.route(*slow)
        seen = Seen()
        await seen.rate(running, 60, 30)
    assert (len(seen.answers), seen.failed) == (60, [])
    assert any(seconds > 5 for seconds in seen.seconds)


async def test_what_a_lost_region_leaves_is_served_by_what_is_bought(tmp_path: Path) -> None:
    secret = tmp_path / "team" / "bought" / "apiKey"
    secret.parent.mkdir(parents=True)
    secret.write_text("sk-bought\n")
    async with (
        engine() as ours,
        upstream() as bought,
        gateway(tmp_path, ours, workers=1, credentials_dir=str(tmp_path)) as running,
    ):
        spare = Endpoint("team/spare", bought.url, priority=1, credential="team/bought/apiKey")
        running.route_to((Endpoint("team/0", ours.url), spare))
        await until(lambda: '"endpoints": 2' in running.log.read_text())
        await Seen().rate(running, 20, 50)
        assert not bought.requests
        seen = Seen()
        load = asyncio.create_task(seen.rate(running, 60, 50))
        await asyncio.sleep(0.3)
        ours.tell(signal.SIGKILL)
        await load
    assert (len(seen.answers), seen.failed) == (60, [])
    assert {each.headers["authorization"] for each in bought.requests} == {"Bearer sk-bought"}


async def test_streams_of_a_lost_region_end_in_an_error_and_none_is_torn(tmp_path: Path) -> None:
    gone = asyncio.Event()
    breaks = says(head(200, STREAM, CHUNKED), chunk(event("one")), gone, End.RESET)
    async with (
        upstream(breaks) as one,
        upstream(completes()) as two,
        gateway(tmp_path, one, two, workers=1) as running,
        httpx.AsyncClient(timeout=60) as http,
    ):
        streams = [asyncio.create_task(_stream(running, http)) for _ in range(100)]
        await until(lambda: one.open >= 50 and len(two.requests) >= 50)
        gone.set()
        ends = [(await stream)[-1] for stream in streams]
    assert sum(end == "data: [DONE]" for end in ends) == 50
    errors = [json.loads(end.removeprefix("data: ")) for end in ends if "[DONE]" not in end]
    assert [each["error"]["code"] for each in errors] == ["stream_interrupted"] * 50


@pytest.mark.parametrize("how", ["worker", "all"])
async def test_workers_are_restarted_among_500_connections_a_second_and_none_is_reset(
    tmp_path: Path, how: str
) -> None:
    async with upstream() as only, gateway(tmp_path, only, workers=2) as running:
        before = running.workers()
        load = asyncio.create_task(_connections(running, 1500, 500))
        await asyncio.sleep(1)
        if how == "all":
            running.tell(signal.SIGHUP)
        else:
            os.kill(min(before), signal.SIGTERM)
        answers = await load
        await until(lambda: min(before) not in running.workers())
    assert Counter(answers) == {"HTTP/1.1 200 OK": 1500}


async def _connections(running: Gateway, number: int, per_second: int) -> list[str]:
    """Open so many, each for one request; gives what each got."""
    tasks = []
    for _ in range(number):
        tasks.append(asyncio.create_task(_once(running)))
        await asyncio.sleep(1 / per_second)
    return await asyncio.gather(*tasks)


async def _once(running: Gateway) -> str:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(b"GET /healthz HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
    except OSError as error:
        return repr(error)
    return answer.partition(b"\r\n")[0].decode()


async def _stream(running: Gateway, http: httpx.AsyncClient) -> list[str]:
    url, asked = f"{running.url}/v1/chat/completions", {**CHAT, "stream": True}
    async with http.stream("POST", url, json=asked, headers=HEADERS) as answer:
        return [line async for line in answer.aiter_lines() if line]
