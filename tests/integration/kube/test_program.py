"""A whole program against a real API server: how it starts, works and ends."""

import asyncio
import gc
import logging
import os
import signal
import warnings
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from typing_extensions import override

from fleet.api.keys import Key
from fleet.api.objects import Resource
from fleet.kube.cache import Cache
from fleet.kube.client import ApiClient
from fleet.kube.follow import Pace
from fleet.kube.lease import Lease, Terms
from fleet.kube.program import Program, RunSettings, run
from fleet.kube.queue import WorkQueue
from fleet.testing.apiserver import ApiServer, free_port
from fleet.testing.waiting import until
from tests.integration.kube.widgets import Widget, crd, install, new_namespace, widget

BRISK = Pace(first_retry=0.05, longest_retry=0.5)
PLAIN = RunSettings()


@dataclass
class Painter:
    """Paints widgets that have no colour."""

    client: ApiClient
    widgets: Cache[Widget]
    name: str = "painter"
    painted: list[Key] = field(default_factory=list)

    async def reconcile(self, key: Key) -> float | None:
        seen = self.widgets.get(key)
        if seen and seen.spec.colour is None and not seen.deleting:
            await self.client.as_manager("painter").apply(widget(key, colour="red"))
            self.painted.append(key)
        return None

    def wake(self, queue: WorkQueue) -> None:
        def changed(resource: Resource) -> None:
            queue.add(resource.key)

        self.widgets.on_change(changed)


def painting(painter: Painter, *, by_kopf: bool) -> Program:
    caches = [painter.widgets]
    return Program(
        client=painter.client,
        caches=[] if by_kopf else caches,
        watched_by_kopf=caches if by_kopf else [],
        controllers=[painter],
    )


@pytest.fixture(autouse=True)
def _ended() -> Iterator[None]:
    """Let go of what a test's event loop left: kopf does not wait for its connections to close.

    A process ends with them; here another test would be blamed for it.
    """
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
async def brisk(server: ApiServer, namespace: str) -> ApiClient:
    del namespace
    return ApiClient(server.connection(), "test", pace=BRISK)


@asynccontextmanager
async def running(program: Program, *others: Program) -> AsyncIterator["asyncio.Task[None]"]:
    """Run a program, and end it with the signal that ends it elsewhere."""
    task = asyncio.create_task(run(program, PLAIN, *others))
    yield task
    if not task.done():
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(task, timeout=5)


async def colours(client: ApiClient, namespace: str) -> list[str | None]:
    return [found.spec.colour for found in (await client.list(Widget, namespace)).objects()]


@pytest.mark.parametrize("by_kopf", [False, True])
async def test_a_controller_sees_and_writes_until_a_signal_ends_it(
    client: ApiClient, brisk: ApiClient, namespace: str, *, by_kopf: bool
) -> None:
    widgets = Cache(Widget)
    before = await client.create(widget(Key(namespace, "before")))
    async with running(painting(Painter(brisk, widgets), by_kopf=by_kopf)):
        await client.create(widget(Key(namespace, "after")))

        async def both_are_red() -> bool:
            return await colours(client, namespace) == ["red", "red"]

        await until(both_are_red)
        await client.delete(before)
        await until(lambda: widgets.get(before.key) is None)
    after = await client.dynamic.get(widgets.resource, Key(namespace, "after"))
    assert after is not None
    managers = {entry["manager"] for entry in after["metadata"]["managedFields"]}
    assert managers == {"test", "painter"}
    assert "annotations" not in after["metadata"]
    assert "finalizers" not in after["metadata"]


async def test_a_kind_that_comes_late_is_named_with_what_to_do_and_waited_for(
    client: ApiClient, server: ApiServer, namespace: str, caplog: pytest.LogCaptureFixture
) -> None:
    class Late(Widget):
        API = f"{namespace}.modelfleet.dev/v1"
        KIND = "Widget"

    cache, listen = Cache(Late), f"127.0.0.1:{free_port()}"
    late = Program(client=ApiClient(server.connection(), "test"), watched_by_kopf=[cache])
    task = asyncio.create_task(run(late, RunSettings(health_listen=listen)))
    async with httpx.AsyncClient(base_url=f"http://{listen}") as http:

        async def named() -> bool:
            with suppress(httpx.TransportError):
                said = (await http.get("/readyz")).text
                return f"{cache.resource.crd} (not served: install the CRDs)" in said
            return False

        await until(named)
    (said,) = [vars(record) for record in caplog.records if record.levelno == logging.WARNING]
    assert said["why"] == f"not served: {cache.resource.crd}"
    assert said["way_out"].startswith("install the CRDs: kubectl")
    await install(client, crd(Late.group()))
    await client.create(Late(metadata=widget(Key(namespace, "a")).metadata))
    await until(lambda: len(cache) == 1)
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(task, timeout=5)


async def test_a_server_that_is_away_holds_up_only_its_own_part(
    client: ApiClient, brisk: ApiClient, namespace: str
) -> None:
    absent = ApiClient(type(client.connection)(server="http://127.0.0.1:9"), "test", pace=BRISK)
    here, there = Cache(Widget), Cache(Widget)

    @dataclass
    class Near(Painter):
        reads: Sequence[Cache[Any]] = ()

    near = Near(brisk, here, reads=[here])
    ours = Program(client=brisk, caches=[here], controllers=[near])
    await client.create(widget(Key(namespace, "a")))
    async with running(ours, Program(client=absent, caches=[there])):
        await until(lambda: Key(namespace, "a") in near.painted)
        assert not there.synced


async def test_a_part_that_breaks_ends_the_program_and_is_named(
    brisk: ApiClient, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken() -> None:
        raise LookupError("a bug")

    with pytest.raises(SystemExit):
        await run(Program(client=brisk, background=[broken]), PLAIN)
    ends = [record for record in caplog.records if record.message == "program ends"]
    assert [vars(record)["part"] for record in ends] == ["background"]


async def test_health_says_what_is_waited_for(client: ApiClient, brisk: ApiClient) -> None:
    listen = f"127.0.0.1:{free_port()}"
    absent = ApiClient(type(client.connection)(server="http://127.0.0.1:9"), "test", pace=BRISK)
    task = asyncio.create_task(
        run(
            Program(client=brisk, caches=[Cache(Widget)]),
            RunSettings(health_listen=listen),
            Program(client=absent, caches=[Cache(Widget)]),
        )
    )
    async with httpx.AsyncClient(base_url=f"http://{listen}") as http:

        async def alive() -> bool:
            try:
                return (await http.get("/healthz")).is_success
            except httpx.TransportError:
                return False

        await until(alive)
        ready = await http.get("/readyz")
        assert ready.status_code == 503
        assert ready.text.startswith("waiting for Widget")

        async def counted() -> bool:
            lost = 'modelfleet_kube_requests_total{code="lost",verb="GET"}'
            return lost in (await http.get("/metrics")).text

        await until(counted)
        assert (await http.get("/other")).status_code == 404
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(task, timeout=5)


@dataclass
class Stuck(Painter):
    """Takes a key, and is never done with it."""

    @override
    async def reconcile(self, key: Key) -> float | None:
        self.painted.append(key)
        await asyncio.Event().wait()
        return None


async def test_metrics_are_of_the_moment_though_every_worker_hangs(
    client: ApiClient, brisk: ApiClient, namespace: str
) -> None:
    stuck = Stuck(brisk, Cache(Widget, namespace=namespace))
    listen = f"127.0.0.1:{free_port()}"
    settings = RunSettings(workers=1, health_listen=listen)
    task = asyncio.create_task(run(painting(stuck, by_kopf=False), settings))
    async with httpx.AsyncClient(base_url=f"http://{listen}") as http:
        await client.create(widget(Key(namespace, "first")))
        await until(lambda: stuck.painted)
        for number in range(3):
            await client.create(widget(Key(namespace, f"later-{number}")))
        await until(lambda: len(stuck.widgets.all(namespace)) == 4)
        said = (await http.get("/metrics")).text.splitlines()
    assert 'modelfleet_queue_keys{controller="painter"} 3.0' in said
    assert "modelfleet_leading 1.0" in said
    (age,) = [line for line in said if line.startswith('modelfleet_cache_age_seconds{kind="Wid')]
    assert 0 <= float(age.split()[-1]) < 60
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(task, timeout=5)


async def test_of_two_replicas_one_leads_until_it_ends(
    client: ApiClient, server: ApiServer, namespace: str
) -> None:
    terms = Terms(duration=2, deadline=1.5, interval=0.1)
    led = list[str]()

    def replica(name: str) -> Program:
        own = ApiClient(server.connection(), name)

        async def lead() -> None:
            led.append(name)
            await asyncio.Event().wait()

        key = Key(namespace, "leader")
        lease = Lease(own.dynamic, key, identity=name, terms=terms)
        return Program(client=own, background=[lead], lease=lease)

    first = asyncio.create_task(run(replica("first"), PLAIN))
    await until(lambda: led == ["first"])
    second = asyncio.create_task(run(replica("second"), PLAIN))
    first.cancel()
    await until(lambda: led == ["first", "second"])
    second.cancel()
    await asyncio.wait_for(asyncio.gather(first, second, return_exceptions=True), timeout=5)
    del client


@pytest.mark.faults
@pytest.mark.parametrize("by_kopf", [False, True])
async def test_a_program_outlives_its_api_server(frail_server: ApiServer, *, by_kopf: bool) -> None:
    outside = ApiClient(frail_server.connection(), "test")
    await install(outside)
    namespace, widgets = await new_namespace(outside), Cache(Widget)
    doomed = await outside.create(widget(Key(namespace, "doomed"), colour="red"))
    inside = ApiClient(frail_server.connection(), "test", pace=BRISK)
    painter = Painter(inside, widgets)
    async with running(painting(painter, by_kopf=by_kopf)) as program:
        await until(lambda: widgets.get(doomed.key) is not None)
        await asyncio.to_thread(frail_server.kill)
        await asyncio.to_thread(frail_server.start)
        await outside.delete(doomed)
        await outside.create(widget(Key(namespace, "new")))
        await until(lambda: Key(namespace, "new") in painter.painted)
        await until(lambda: widgets.get(doomed.key) is None)
        assert not program.done()
    await outside.close()
