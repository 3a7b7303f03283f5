"""What all processes of a gateway have counted is told as one, on its port and beside it."""

import os
import signal
from pathlib import Path

import httpx

from fleet.testing.apiserver import free_port
from tests.gateway_upstream import upstream
from tests.integration.gateway.program import HEADERS, KEY, Gateway, answers, gateway


def answered(page: str) -> int:
    start = 'modelfleet_gateway_requests_total{model="llama",region="r0",code="200"} '
    return sum(int(line.removeprefix(start)) for line in page.splitlines() if start in line)


async def ask(running: Gateway, times: int) -> None:
    """Ask on new connections, which the kernel spreads over the workers."""
    for _ in range(times):
        async with httpx.AsyncClient(timeout=60) as http:
            assert (await answers(running, http)).is_success


async def page(url: str) -> str:
    async with httpx.AsyncClient(timeout=60, headers=HEADERS) as http:
        answer = await http.get(f"{url}/metrics")
    assert answer.is_success, answer.text
    return answer.text


async def test_the_counters_of_all_workers_are_one_sum_that_never_falls(tmp_path: Path) -> None:
    beside = f"127.0.0.1:{free_port()}"
    async with upstream() as only, gateway(tmp_path, only, health_listen=beside) as running:
        await ask(running, 20)
        for url in (running.url, f"http://{beside}"):
            text = await page(url)
            assert answered(text) == 20
            assert "modelfleet_gateway_workers 2\n" in text
            assert 'modelfleet_gateway_endpoints{model="llama",region="r0",state="ready"} 1' in text
            assert KEY not in text
        os.kill(min(running.workers()), signal.SIGKILL)
        await ask(running, 5)
        assert answered(await page(f"http://{beside}")) == 25


async def test_probes_and_prometheus_are_answered_without_a_key_beside_the_port(
    tmp_path: Path,
) -> None:
    beside = f"http://127.0.0.1:{free_port()}"
    listen = beside.removeprefix("http://")
    async with (
        upstream() as only,
        gateway(tmp_path, only, health_listen=listen) as running,
        httpx.AsyncClient(base_url=beside, timeout=60) as http,
    ):
        assert (await http.get("/healthz")).text == "ok\n"
        assert (await http.get("/readyz")).is_success
        assert "modelfleet_build_info" in (await http.get("/metrics")).text
        wrong = {"authorization": "Bearer sk-nobodys"}
        for headers in ({}, wrong):
            answer = await http.get(f"{running.url}/metrics", headers=headers)
            assert answer.status_code == 401
        assert 'refused_total{code="invalid_api_key"} 2' in (await http.get("/metrics")).text
        for said in (running.log.read_text(), (await http.get("/metrics")).text):
            assert "sk-nobodys" not in said
