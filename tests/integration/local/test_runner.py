"""`python -m cli.local.runner` against a real API server: it may be lost while its pods go on."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from signal import SIGKILL, SIGTERM
from typing import Any

import httpx
import pytest

from cli.local import procfs
from cli.local.runner.apply import process_of
from cli.local.runner.pods import Pod
from cli.local.runner.records import Records
from fleet.api import names
from fleet.api.objects import Key
from fleet.kube.client import ApiClient
from fleet.testing.apiserver import free_port
from fleet.testing.fixtures import client, server
from fleet.testing.waiting import until
from tests.integration.cli.conftest import kubeconfig
from tests.integration.local.node_world import ENGINE, PORT, manifest, network, ready

__all__ = ["client", "kubeconfig", "server"]
ENDING_SECONDS = 20


class RunnerProcess:
    """The runner of one test: it plays the pods of an image that no other test has."""

    def __init__(self, client: ApiClient, kubeconfig: Path, name: str) -> None:
        self.client, self.key, self.image = client, Key("default", name), f"test/{name}"
        self._home, self.health = kubeconfig.parent, f"127.0.0.1:{free_port()}"
        self._environ = {
            **os.environ,
            "KUBECONFIG": str(kubeconfig),
            "RUNNER_NETWORK": str(network()),
            "RUNNER_ENGINE_IMAGE": self.image,
            "RUNNER_LOG_DIR": str(self._home),
            "RUNNER_HEALTH_LISTEN": self.health,
        }
        self._process: asyncio.subprocess.Process

    async def start(self) -> None:
        with (self._home / "runner.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "cli.local.runner", env=self._environ, stdout=log, stderr=log
            )

    async def end(self, number: int) -> int:
        if self._process.returncode is None:
            self._process.send_signal(number)
        return await asyncio.wait_for(self._process.wait(), ENDING_SECONDS)

    async def put(self) -> None:
        container = {"name": "engine", "image": f"{self.image}:v1", **ENGINE}
        body = manifest(self.key.name, container=container)
        await self.client.dynamic.create(body)

    async def pod(self) -> Pod | None:
        return await self.client.get(Pod, self.key)

    async def ready(self) -> bool:
        pod = await self.pod()
        return pod is not None and ready(pod)

    async def restarted(self) -> bool:
        """Tell whether its pod is ready in its second life."""
        pod = await self.pod()
        statuses = pod.status.container_statuses if pod else ()
        return [(one.restart_count, one.ready) for one in statuses] == [(1, True)]

    def processes(self) -> list[procfs.Process]:
        """Give what runs for pods, as the runner has written it down."""
        runs = [record.run for record in Records(self._home / "pods")]
        return [process_of(run) for run in runs if run and not run.ended]

    async def close(self) -> None:
        await self.end(SIGKILL)
        await procfs.kill(self.processes())


@pytest.fixture
async def runner(
    client: ApiClient, kubeconfig: Path, request: pytest.FixtureRequest
) -> AsyncIterator[RunnerProcess]:
    made = RunnerProcess(client, kubeconfig, f"r{names.digest(request.node.name)}")
    await made.start()
    yield made
    await made.close()
    if pod := await made.pod():
        await client.delete(pod, grace_seconds=0)


async def models(pod: Pod | None) -> Any:
    assert pod is not None
    async with httpx.AsyncClient() as client:
        return (await client.get(f"http://{pod.status.pod_ip}:{PORT}/v1/models")).json()["data"]


@pytest.mark.parametrize("number", [SIGKILL, SIGTERM])
async def test_a_runner_may_go_and_come_while_its_pods_go_on(
    runner: RunnerProcess, number: int
) -> None:
    await runner.put()
    await until(runner.ready)
    (process,) = runner.processes()
    code = await runner.end(number)
    assert code == (0 if number == SIGTERM else -SIGKILL)
    assert procfs.alive(process)
    assert await models(await runner.pod())
    await runner.start()
    os.kill(process.pid, SIGKILL)
    await until(runner.restarted)
    assert runner.processes() not in ([], [process])


async def test_a_pod_that_is_deleted_goes_once_its_process_has_ended(
    runner: RunnerProcess,
) -> None:
    await runner.put()
    await until(runner.ready)
    (process,) = runner.processes()
    pod = await runner.pod()
    assert pod is not None
    await runner.client.delete(pod)

    async def gone() -> bool:
        return await runner.pod() is None

    await until(gone)
    assert not procfs.alive(process)
    await until(lambda: runner.processes() == [])


async def test_a_runner_says_when_it_is_ready(runner: RunnerProcess) -> None:
    async def answers() -> bool:
        async with httpx.AsyncClient() as client:
            try:
                return (await client.get(f"http://{runner.health}/readyz")).is_success
            except httpx.TransportError:
                return False

    await until(answers)


async def test_a_runner_without_its_settings_names_them() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "cli.local.runner",
        env={"PATH": os.defpath, "RUNNER_NETWORK": "10.0.0.0/8", "RUNNER_LOG_DIR": "/nowhere"},
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await asyncio.wait_for(process.communicate(), ENDING_SECONDS)
    assert process.returncode == 1
    assert b"RUNNER_NETWORK: 10.0.0.0/8 is no part of 127.0.0.0/8" in said
