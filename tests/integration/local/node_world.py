"""A node runner over a server that keeps its state, with real processes on loopback."""

import asyncio
import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from ipaddress import IPv4Network
from pathlib import Path
from signal import SIGKILL
from typing import Any

import httpx

from cli.local import procfs
from cli.local.runner.apply import Hands, process_of
from cli.local.runner.exposure import Logs
from cli.local.runner.node import Node
from cli.local.runner.pods import ContainerStatus, Pod
from cli.local.runner.processes import Processes
from cli.local.runner.settings import Settings
from fleet.api.objects import Key
from fleet.kube.cache import Cache
from fleet.kube.queue import WorkQueue, work
from fleet.runtime import clock
from fleet.testing.client import FakeClient
from fleet.testing.waiting import until

IMAGE, PORT = "vllm/vllm-openai", 5000
KEY = Key("default", "phi-0")
QUICK = {"periodSeconds": 1, "failureThreshold": 1, "timeoutSeconds": 5}
HEALTH = {"httpGet": {"path": "/health", "port": "http"}} | QUICK
ENGINE = {
    "args": ["org/phi", "--served-model-name", "phi", "--port", str(PORT)],
    "ports": [{"containerPort": PORT, "name": "http"}],
    "readinessProbe": HEALTH,
}
STUBBORN = {
    "command": ["/bin/sh", "-c", "trap 'echo told' TERM; echo up; while :; do sleep 1; done"]
}


def network() -> IPv4Network:
    """Give addresses that neither a local fleet nor a test beside this one has."""
    return IPv4Network(f"127.{190 + os.getpid() % 60}.0.0/16")


def manifest(name: str = KEY.name, **parts: Any) -> dict[str, Any]:
    """Give a pod of an engine on a node; `container`, `spec` and `metadata` add to it."""
    container = {"name": "engine", "image": f"{IMAGE}:v1"} | (parts.get("container") or ENGINE)
    spec = {"nodeName": "gpu-0", "containers": [container]} | parts.get("spec", {})
    metadata = {"name": name, "namespace": KEY.namespace} | parts.get("metadata", {})
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


class Runner:
    """One life of the runner: what it follows, and what it holds."""

    def __init__(self, client: FakeClient, settings: Settings, world: "World") -> None:
        self.pods: Cache[Pod] = Cache(Pod)
        self.hands = Hands(client, settings, world.now)
        self.queue = WorkQueue(random.random)
        self.node = Node(self.pods, client, self.hands, settings.images, world.now)
        self._client = client
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        self.node.wake(self.queue)
        self._tasks = [
            asyncio.create_task(self._client.follow(self.pods)),
            asyncio.create_task(work(self.queue, self.node.reconcile)),
        ]
        await self.pods.filled.wait()

    async def stop(self) -> None:
        """Let go of everything, as when the runner is told to end."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.hands.close()

    async def reap(self) -> None:
        """Let go of the ended children of this life; another life has no hold on them."""
        processes = self.hands.processes
        for process in tuple(processes._children):
            await until(partial(_ended, processes, process))
            processes.forget(process)


class World:
    """A cluster whose pods are played here; its clock may be put forward."""

    def __init__(self, folder: Path) -> None:
        self.client, self.skew = FakeClient(), timedelta()
        self.settings = Settings(
            cluster="test",
            network=network(),
            images=(IMAGE,),
            folder=folder / "pods",
            search_path=os.environ.get("PATH", os.defpath),
            health_listen="",
            log_level="INFO",
            handed_on={},
        )
        self.history: list[Pod] = []
        """Every version of every pod, as the server told of it."""
        self.client.server.watchers.append(self._note)
        self.runners: list[Runner] = []

    def now(self) -> datetime:
        return clock.now() + self.skew

    @property
    def runner(self) -> Runner:
        return self.runners[-1]

    async def start(self) -> None:
        self.runners.append(Runner(self.client, self.settings, self))
        await self.runner.start()

    def put(self, **parts: Any) -> Key:
        body = manifest(**parts)
        self.client.put(body)
        return Key(body["metadata"]["namespace"], body["metadata"]["name"])

    def later(self, seconds: float, key: Key = KEY) -> None:
        """Put the clock forward, and have the runner look at it."""
        self.skew += timedelta(seconds=seconds)
        self.runner.queue.add(key)

    def pod(self, key: Key = KEY) -> Pod | None:
        return next((pod for pod in self.client.all(Pod) if pod.key == key), None)

    def live(self, key: Key = KEY) -> Pod:
        found = self.pod(key)
        assert found is not None
        return found

    def engine(self, key: Key = KEY) -> ContainerStatus:
        """Give the status of a pod's engine; one that says nothing before there is one."""
        pod = self.pod(key)
        statuses = pod.status.container_statuses if pod else ()
        return statuses[0] if statuses else ContainerStatus(name="engine")

    def ready(self, key: Key = KEY) -> bool:
        pod = self.pod(key)
        return pod is not None and ready(pod)

    def waits(self, key: Key = KEY) -> str:
        """Say why a container does not run."""
        waiting = self.engine(key).state.waiting
        return waiting.reason if waiting else ""

    def process(self, key: Key = KEY) -> procfs.Process:
        (record,) = self.runner.hands.records.of(key)
        assert record.run is not None
        return process_of(record.run)

    def url(self, key: Key = KEY) -> str:
        return f"http://{self.live(key).status.pod_ip}:{PORT}"

    async def tell(self, **fault: Any) -> None:
        """Tell the engine to misbehave."""
        async with httpx.AsyncClient() as client:
            (await client.post(f"{self.url()}/-/fault", json=fault)).raise_for_status()

    def log(self, key: Key = KEY, *, previous: bool = False) -> str:
        """Read what `kubectl logs` would, where kwok is told that it is."""
        (logs,) = (one for one in self.client.all(Logs) if one.key == key)
        (entry,) = logs.spec.logs
        file = entry.previous_logs_file if previous else entry.logs_file
        return Path(file).read_text(encoding="utf-8") if file else ""

    async def close(self) -> None:
        for runner in self.runners:
            await runner.stop()
        runs = [record.run for record in self.runner.hands.records if record.run]
        for process in filter(procfs.alive, map(process_of, runs)):
            os.killpg(process.pid, SIGKILL)
        for runner in self.runners:
            await runner.reap()

    def _note(self, what: str, body: dict[str, Any]) -> None:
        if what != "DELETED" and body["kind"] == "Pod":
            self.history.append(Pod.model_validate(body))


def _ended(processes: Processes, process: procfs.Process) -> bool:
    return not processes.alive(process)


def ready(pod: Pod) -> bool:
    return any(c.type == "Ready" and c.status == "True" for c in pod.status.conditions)


@asynccontextmanager
async def node_world(folder: Path) -> AsyncIterator[World]:
    world = World(folder)
    try:
        await world.start()
        yield world
    finally:
        await world.close()
