"""Whatever changes where routes come from makes a new snapshot."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from fleet.api.service import ModelEndpoint, ModelService
from fleet.kube.cache import Cache
from fleet.testing.client import FakeClient
from fleet.testing.waiting import until
from fleet.testing.workloads import member
from gateway.control import state
from gateway.control.kinds import MemberCluster
from gateway.control.state import save
from gateway.control.watch import (
    Kubernetes,
    follow_file,
    follow_fleet,
    follow_pods,
)
from gateway.snapshot import Snapshot
from tests.unit.gateway.control.objects import endpoint, pod, service
from tests.unit.gateway.places import service as routed
from tests.unit.gateway.places import table


@asynccontextmanager
async def running(follow: Awaitable[None]) -> AsyncIterator[None]:
    task = asyncio.ensure_future(follow)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def endpoints(snapshots: Sequence[Snapshot]) -> set[str]:
    """Give what the last snapshot routes to."""
    found = snapshots[-1].services if snapshots else ()
    return {place.name for service in found for place in service.endpoints}


async def test_a_fleet_is_routed_as_its_objects_come_and_go() -> None:
    client: Any = FakeClient(service(), member("eu"), endpoint(cluster="eu"))
    told = list[Snapshot]()
    async with running(follow_fleet(client, told.append)):
        await until(lambda: endpoints(told) == {"demo/phi-eu"})
        client.put(endpoint("phi-us", "https://us.example/v1", cluster="us"))
        client.put(member("us"))
        await until(lambda: endpoints(told) == {"demo/phi-eu", "demo/phi-us"})
        await client.delete(member("us"))
        await until(lambda: endpoints(told) == {"demo/phi-eu"})
        await client.delete(service())
        await until(lambda: told[-1] == Snapshot())


async def test_a_region_whose_gateway_moves_gets_nothing_until_its_endpoint_follows() -> None:
    client: Any = FakeClient(service(), member("eu"), endpoint(cluster="eu"))
    moved = member("eu").manifest() | {"status": {"gateway": {"url": "https://new.example/v1"}}}
    told = list[Snapshot]()
    async with running(follow_fleet(client, told.append)):
        await until(lambda: endpoints(told) == {"demo/phi-eu"})
        client.put(moved)
        await until(lambda: endpoints(told) == set())
        client.put(endpoint(url="https://new.example/v1", cluster="eu"))
        await until(lambda: endpoints(told) == {"demo/phi-eu"})


async def test_an_endpoint_that_says_no_is_told_of() -> None:
    client: Any = FakeClient(service(), endpoint(ready="True"))
    told = list[Snapshot]()
    async with running(follow_fleet(client, told.append)):
        await until(lambda: told and told[-1].services[0].endpoints[0].ready)
        client.put(endpoint(ready="False"))
        await until(lambda: told[-1].services[0].endpoints[0].ready is False)


async def test_a_swarm_of_changes_is_one_snapshot() -> None:
    client: Any = FakeClient(service())
    told = list[Snapshot]()
    async with running(follow_fleet(client, told.append)):
        await until(lambda: told)
        for number in range(50):
            client.put(endpoint(f"phi-{number}"))
        await until(lambda: len(endpoints(told)) == 50)
    assert len(told) == 2


class Slow(FakeClient):
    """Lists one kind only when it is told to."""

    def __init__(self, *resources: Any, kind: str) -> None:
        super().__init__(*resources)
        self.kind = kind
        self.gate = asyncio.Event()

    @override
    async def relist(self, cache: Cache[Any]) -> None:
        if cache.resource.kind == self.kind:
            await self.gate.wait()
        await super().relist(cache)


async def test_nothing_is_routed_before_all_is_known() -> None:
    client: Any = Slow(service(), member("eu"), endpoint(cluster="eu"), kind="MemberCluster")
    told = list[Snapshot]()
    async with running(follow_fleet(client, told.append)):
        await until(lambda: len(client.server.watchers) == 2)
        assert told == []
        client.gate.set()
        await until(lambda: told)
    assert [len(each.services[0].endpoints) for each in told] == [1]


async def test_an_empty_hub_is_known_to_be_empty() -> None:
    client: Any = FakeClient()
    told = list[Snapshot]()
    async with running(follow_fleet(client, told.append)):
        await until(lambda: told)
    assert told == [Snapshot()]


async def test_pods_are_routed_as_they_come_get_ready_and_go() -> None:
    stranger = pod("web-0", service="")
    client: Any = FakeClient(pod(ready=False), stranger)
    told = list[Snapshot]()
    async with running(follow_pods(client, told.append, "northeurope")):
        await until(lambda: endpoints(told) == {"demo/phi-0"})
        assert told[-1].services[0].endpoints[0].ready is False
        client.put(pod())
        client.put(pod("phi-1"))
        await until(lambda: endpoints(told) == {"demo/phi-0", "demo/phi-1"})
        assert {place.ready for place in told[-1].services[0].endpoints} == {True}
        assert {place.region for place in told[-1].services[0].endpoints} == {"northeurope"}
        await client.delete(pod())
        await until(lambda: endpoints(told) == {"demo/phi-1"})


def test_a_members_heartbeat_wakes_nobody() -> None:
    cache = Cache(MemberCluster)
    heard = list[str]()
    cache.on_change(lambda seen: heard.append(seen.metadata.name))
    base = member("eu").manifest()
    gateway = {"url": "https://eu.example/v1"}
    for version, status in enumerate(
        (
            {"gateway": gateway},
            {"gateway": gateway | {"ready": True}, "agentStatus": [{"type": "MemberAgent"}]},
            {"gateway": gateway, "conditions": []},
            {"gateway": {"url": "https://new.example/v1"}},
            {"gateway": None},
            {},
        ),
        start=1,
    ):
        metadata = base["metadata"] | {"resourceVersion": str(version)}
        cache.put(base | {"metadata": metadata, "status": status})
    assert heard == ["eu"] * 3


async def test_a_watch_that_breaks_is_not_passed_over_in_silence() -> None:
    class Broken(FakeClient):
        @override
        async def follow(self, cache: Cache[Any]) -> None:
            await self.relist(cache)
            raise LookupError("a bug")

    client: Any = Broken()
    caches = (Cache(ModelService), Cache(ModelEndpoint))
    errors = list[BaseException]()
    try:
        await Kubernetes(client, caches).run(Snapshot, lambda _: None)
    except* LookupError as group:
        errors += group.exceptions
    assert errors


async def test_a_file_is_read_again_when_it_changes_and_a_wrong_one_changes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, told = tmp_path / "routes.json", list[Snapshot]()
    one, two = table(routed("demo/phi")), table(routed("demo/qwen"))
    async with running(follow_file(path, state.load, told.append)):
        await asyncio.sleep(0)
        save(path, one)
        await until(lambda: told == [one])
        wrong = tmp_path / "wrong"
        wrong.write_text("{", encoding="utf-8")
        wrong.replace(path)
        await until(lambda: caplog.records)
        save(path, two)
        await until(lambda: told == [one, two])
