"""The whole program: it loses processes, files and servers, and no request."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import httpx
import psutil
import pytest

from fleet.testing.apiserver import free_port
from fleet.testing.waiting import until
from tests.gateway_upstream import completes, upstream
from tests.integration.gateway.program import CHAT, HEADERS, KEY, MODEL, Gateway, answers, gateway


@dataclass
class Load:
    """Clients that ask one thing after another, each on a new connection or on a kept one."""

    gateway: Gateway
    asked: int = 0
    failed: list[str] = field(default_factory=list)
    ended: bool = False

    async def ask(self, *, keep: bool) -> None:
        headers = {} if keep else {"connection": "close"}
        async with httpx.AsyncClient(headers=headers, timeout=60) as http:
            while not self.ended:
                try:
                    answer = await answers(self.gateway, http)
                except httpx.TransportError as error:
                    self.failed.append(repr(error))
                else:
                    if not answer.is_success:
                        self.failed.append(f"{answer.status_code} {answer.text}")
                self.asked += 1

    async def more(self, number: int = 20) -> None:
        """Wait until so many more are answered."""
        seen = self.asked
        await until(lambda: self.asked >= seen + number)


@asynccontextmanager
async def loaded(running: Gateway, *, keep: bool) -> AsyncIterator[Load]:
    load = Load(running)
    tasks = [asyncio.create_task(load.ask(keep=keep)) for _ in range(4)]
    try:
        await load.more()
        yield load
        await load.more()
    finally:
        load.ended = True
        await asyncio.gather(*tasks)


async def test_a_worker_that_is_killed_is_replaced_and_serving_goes_on(tmp_path: Path) -> None:
    async with upstream() as only, gateway(tmp_path, only) as running:
        async with loaded(running, keep=False) as load:
            for _ in range(3):
                await _lose_a_worker(running)
                await load.more()
        assert not [each for each in load.failed if each[0].isdigit()]
        assert len(load.failed) <= 3 * 4


async def test_a_control_process_that_is_killed_is_missed_by_nobody(tmp_path: Path) -> None:
    async with upstream() as one, upstream() as two, gateway(tmp_path, one) as running:
        async with loaded(running, keep=True) as load:
            before = running.control()
            os.kill(min(before), signal.SIGKILL)
            await until(lambda: running.control() - before)
            await load.more()
            running.route(two)
            await until(lambda: two.requests)
        assert not load.failed


@pytest.mark.parametrize("keep", [False, True])
async def test_workers_are_exchanged_without_a_request_lost(tmp_path: Path, *, keep: bool) -> None:
    async with upstream() as only, gateway(tmp_path, only) as running:
        before = running.workers() | running.control()
        async with loaded(running, keep=keep) as load:
            running.tell(signal.SIGHUP)
            await until(lambda: not before & running.workers())
            await until(lambda: len(running.workers()) == 2)
            await load.more()
            await until(lambda: not before & running.control())
            assert len(running.control()) == 1
            await load.more()
        assert not load.failed
        assert load.asked > 40


async def test_a_worker_that_is_told_to_stop_has_a_successor_at_once(tmp_path: Path) -> None:
    go = asyncio.Event()
    async with upstream(completes(pause_after=go)) as only, gateway(tmp_path, only, workers=1) as g:
        async with _stream(g) as lines:
            assert await anext(lines)
            (old,) = g.workers()
            os.kill(old, signal.SIGTERM)
            await until(lambda: g.workers() - {old})
            only.behaviour = completes()
            async with httpx.AsyncClient(timeout=60) as http:
                assert (await answers(g, http)).is_success
            assert psutil.pid_exists(old)
            go.set()
            assert [line async for line in lines][-1] == "data: [DONE]"
        await until(lambda: old not in g.workers())


async def test_a_gateway_that_is_told_to_stop_ends_what_it_began(tmp_path: Path) -> None:
    go = asyncio.Event()
    async with upstream(completes(pause_after=go)) as only, gateway(tmp_path, only) as running:
        pids = running.workers() | running.control()
        async with _stream(running) as lines, httpx.AsyncClient(timeout=60) as http:
            assert await anext(lines)
            await http.get(f"{running.url}/healthz")
            running.tell(signal.SIGTERM)
            await until(lambda: len(running.workers()) == 1)
            await until(lambda: _refused(running, http))
            go.set()
            rest = [line async for line in lines]
        assert rest[-1] == "data: [DONE]"
        assert await running.ended() == 0
        assert not any(psutil.pid_exists(pid) for pid in pids)


async def test_a_drain_has_an_end(tmp_path: Path) -> None:
    stuck = completes(pause_after=asyncio.Event())
    async with (
        upstream(stuck) as only,
        gateway(tmp_path, only, drain_seconds="0.5") as running,
        _stream(running) as lines,
    ):
        assert await anext(lines)
        running.tell(signal.SIGTERM)
        assert await running.ended() == 0
        with pytest.raises(httpx.TransportError):
            assert [line async for line in lines]
        assert "answers cut off by the end of the drain" in running.log.read_text()


async def test_processes_do_not_outlive_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    async with upstream() as only, gateway(tmp_path, only) as running:
        pids = running.workers() | running.control()
        assert len(pids) == 3
        running.tell(signal.SIGKILL)
        await until(lambda: not any(psutil.pid_exists(pid) for pid in pids))


async def test_new_routes_in_the_file_are_followed_and_wrong_ones_are_not(tmp_path: Path) -> None:
    async with (
        upstream() as one,
        upstream() as two,
        gateway(tmp_path, one) as running,
        httpx.AsyncClient(timeout=60) as http,
    ):
        assert (await answers(running, http)).is_success
        running.snapshot.write_text('{"services": 7}')
        await until(lambda: "no routes in a file" in running.log.read_text())
        assert (await answers(running, http)).is_success
        running.route(two)

        async def moved() -> bool:
            await answers(running, http)
            return bool(two.requests)

        await until(moved)
        one.requests.clear()
        for _ in range(10):
            assert (await answers(running, http)).is_success
        assert not one.requests


async def test_the_last_routes_serve_when_the_api_server_is_away(tmp_path: Path) -> None:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "away",
        "contexts": [{"name": "away", "context": {"cluster": "away", "user": "me"}}],
        "clusters": [{"name": "away", "cluster": {"server": f"https://127.0.0.1:{free_port()}"}}],
        "users": [{"name": "me", "user": {"token": "x"}}],
    }
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(json.dumps(config))
    async with upstream() as only:
        async with gateway(tmp_path, only) as first:
            await until(first.state.exists)
            assert first.state.stat().st_mode & 0o077 == 0
        again = Gateway(tmp_path, 1)
        again.environ |= {"GATEWAY_SNAPSHOT_FILE": "", "KUBECONFIG": str(kubeconfig)}
        try:
            await again.start()
            await again.ready()
            async with httpx.AsyncClient(timeout=60) as http:
                assert (await answers(again, http)).is_success
                before = again.control()
                os.kill(min(before), signal.SIGKILL)
                await until(lambda: again.control() - before)
                assert (await answers(again, http)).is_success
        finally:
            await again.end()


async def test_a_gateway_without_routes_says_that_it_is_not_ready(tmp_path: Path) -> None:
    running = Gateway(tmp_path, 1)
    try:
        await running.start()
        async with httpx.AsyncClient(timeout=60) as http:

            async def alive() -> bool:
                try:
                    return (await http.get(f"{running.url}/healthz")).is_success
                except httpx.ConnectError:
                    return False

            await until(alive)
            assert (await http.get(f"{running.url}/readyz")).status_code == 503
            answer = await answers(running, http)
            assert answer.status_code == 503
            assert answer.json()["error"]["code"] == "not_ready"
            async with upstream() as only:
                running.route(only)

                async def serves() -> bool:
                    return (await answers(running, http)).is_success

                await until(serves)
    finally:
        await running.end()


async def test_keys_are_taken_from_their_file_as_it_changes(tmp_path: Path) -> None:
    async with (
        upstream() as only,
        gateway(tmp_path, only, workers=1) as running,
        httpx.AsyncClient(base_url=running.url, timeout=60) as http,
    ):
        digest = sha256(b"another").hexdigest()
        running.keys.write_text(f"{digest}  # the new one\n")

        async def known(key: str) -> bool:
            headers = {"authorization": f"Bearer {key}"}
            return (await http.get("/v1/models", headers=headers)).is_success

        await until(lambda: known("another"))
        assert not await known(KEY)


async def test_a_region_lets_the_fleet_in_and_nobody_else(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("old\nnew\n")
    async with (
        upstream() as only,
        gateway(
            tmp_path, only, scope="regional", region="eu", fleet_credential_file=str(secret)
        ) as running,
        httpx.AsyncClient(base_url=running.url, timeout=60) as http,
    ):
        for key, status in (("old", 200), ("new", 200), (KEY, 401)):
            headers = {"authorization": f"Bearer {key}", "x-modelfleet-service": "team/llama"}
            answer = await http.post("/v1/chat/completions", json=CHAT, headers=headers)
            assert answer.status_code == status
        load = await http.get("/-/load", headers={"authorization": "Bearer old"})
        assert load.json()["region"] == "eu"
        assert load.json()["services"]["team/llama"]["ready"] == 1


async def _complaint(home: Path, **settings: str) -> str:
    """Start a gateway that cannot start, and give what it says."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway",
        stderr=asyncio.subprocess.PIPE,
        env={"HOME": str(home)} | {f"GATEWAY_{k}".upper(): v for k, v in settings.items()},
    )
    async with asyncio.timeout(60):
        _, said = await process.communicate()
    assert process.returncode == 1
    return said.decode()


async def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        said = await _complaint(tmp_path, listen=listen)
    assert said == f"GATEWAY_LISTEN: {listen}: Address already in use\n"


async def test_a_second_gateway_does_not_share_the_first_one_s_port(tmp_path: Path) -> None:
    async with upstream() as only, gateway(tmp_path, only) as running:
        said = await _complaint(tmp_path, listen=f"127.0.0.1:{running.port}")
    assert "Address already in use" in said


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"listen": "0.0.0.0:0"}, "GATEWAY_CLIENT_KEYS_FILE"),
        ({"listen": "[::]:0"}, "GATEWAY_CLIENT_KEYS_FILE"),
        ({"listen": "0.0.0.0:0", "scope": "regional"}, "GATEWAY_FLEET_CREDENTIAL_FILE"),
        ({"workers": "many"}, "GATEWAY_WORKERS"),
    ],
)
async def test_what_must_not_be_is_named(
    tmp_path: Path, settings: dict[str, str], named: str
) -> None:
    said = await _complaint(tmp_path, **settings)
    assert said.startswith(f"{named}: ")
    assert len(said.splitlines()) == 1


async def _lose_a_worker(running: Gateway) -> None:
    """Kill one, and wait until another is in its place."""
    victim = min(running.workers())
    os.kill(victim, signal.SIGKILL)
    await until(lambda: victim not in running.workers() and len(running.workers()) == 2)


async def _refused(running: Gateway, http: httpx.AsyncClient) -> bool:
    try:
        await http.get(f"{running.url}/healthz", headers={"connection": "close"}, timeout=1)
    except httpx.TransportError as error:
        return isinstance(error, httpx.ConnectError)
    return False


@asynccontextmanager
async def _stream(running: Gateway) -> AsyncIterator[AsyncIterator[str]]:
    """Ask for a stream; gives its lines."""
    asked = {**CHAT, "model": MODEL, "stream": True}
    async with (
        httpx.AsyncClient(timeout=60) as http,
        http.stream(
            "POST", f"{running.url}/v1/chat/completions", json=asked, headers=HEADERS
        ) as answer,
    ):
        assert answer.is_success
        yield (line async for line in answer.aiter_lines() if line)
