"""Routes of a real API server: what it serves is understood, and followed as it changes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from fleet.api.core import Namespace
from fleet.api.objects import Metadata
from fleet.kube.client import ApiClient
from fleet.kube.watcher import Watcher
from fleet.testing.apiserver import ApiServer
from fleet.testing.waiting import until
from fleet.testing.workloads import member
from gateway.control.watch import Publish, follow_fleet, follow_pods
from gateway.snapshot import Service, Snapshot
from tests.unit.gateway.control.objects import endpoint, pod, service

NAMESPACE, CLUSTER = "routes", "us-routes"
URL = f"https://{CLUSTER}.example/v1"


class Told(list[Snapshot]):
    """What workers would route by."""

    def service(self, name: str) -> Service | None:
        routed = self[-1].services if self else ()
        return next((each for each in routed if each.name == f"{NAMESPACE}/{name}"), None)

    def ready(self, name: str) -> dict[str, bool | None]:
        found = self.service(name)
        return {place.name: place.ready for place in found.endpoints} if found else {}


@pytest.fixture
async def watcher(server: ApiServer, client: ApiClient) -> AsyncIterator[Watcher]:
    await client.apply(Namespace(metadata=Metadata(name=NAMESPACE)))
    made = Watcher(server.connection())
    yield made
    await made.close()


@asynccontextmanager
async def followed(follow: Callable[[Publish], Awaitable[None]]) -> AsyncIterator[Told]:
    told = Told()
    task = asyncio.ensure_future(follow(told.append))
    yield told
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def store(client: ApiClient, whole: Any) -> None:
    """Make an object, and report on it."""
    await client.patch_status(await client.create(whole), whole.status)


async def test_what_a_hub_serves_is_routed_to_where_its_member_says_it_is(
    client: ApiClient, watcher: Watcher
) -> None:
    await store(client, service(namespace=NAMESPACE))
    await store(client, endpoint(url=URL, namespace=NAMESPACE, cluster=CLUSTER, ready="True"))
    await store(client, endpoint("outside", "https://api.example/v1", namespace=NAMESPACE))
    async with followed(lambda publish: follow_fleet(watcher, publish)) as told:
        outside = {f"{NAMESPACE}/outside": None}
        await until(lambda: told.ready("phi") == outside)
        await store(client, member(CLUSTER))
        await until(lambda: told.ready("phi") == outside | {f"{NAMESPACE}/phi-eu": True})
        routed = told.service("phi")
        assert routed
        assert routed.created > 0


async def test_what_a_member_runs_is_routed_to_while_it_is_ready(
    client: ApiClient, watcher: Watcher
) -> None:
    there = pod(namespace=NAMESPACE, ready=False)
    await store(client, there)
    async with followed(lambda publish: follow_pods(watcher, publish, "eu")) as told:
        await until(lambda: told.ready("phi") == {f"{NAMESPACE}/phi-0": False})
        await client.patch_status(there, pod(ready=True).status)
        await until(lambda: told.ready("phi") == {f"{NAMESPACE}/phi-0": True})
        await client.delete(there, grace_seconds=0)
        await until(lambda: told.service("phi") is None)
