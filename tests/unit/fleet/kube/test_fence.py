"""A fenced client writes while it may, and not a byte of a write later; it reads whenever it is."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from itertools import chain, repeat

import pytest
from aiohttp import web

from fleet.api.core import ConfigMap
from fleet.api.keys import Key
from fleet.api.objects import Metadata
from fleet.kube.client import ApiClient
from fleet.kube.config import Connection
from fleet.kube.credentials import Token
from fleet.kube.errors import KubeError, LeaseLostError, TransientError
from fleet.kube.queue import WorkQueue, work
from fleet.kube.resources import ApiResource
from tests.unit.fleet.kube.stage import always, staged, status

BODY = b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"demo"}}'
WELL = always(lambda: web.Response(body=BODY))
DATA = ConfigMap(metadata=Metadata(name="a", namespace="demo"))
KIND = ApiResource.of(DATA)
LOST = LeaseLostError("lost")


@dataclass
class Fence:
    """Lets through, or not, one time after the other."""

    turns: Iterator[float | KubeError]
    asked: int = 0

    def __call__(self) -> float:
        self.asked += 1
        turn = next(self.turns)
        if isinstance(turn, KubeError):
            raise turn
        return turn


def opening(times: int, error: KubeError = LOST) -> Fence:
    return Fence(chain(repeat(30.0, times), repeat(error)))


def client(url: str) -> ApiClient:
    return ApiClient(Connection(server=url, credentials=Token()), "hub")


WRITES: dict[str, Callable[[ApiClient], Awaitable[object]]] = {
    "create": lambda client: client.create(DATA),
    "apply": lambda client: client.apply(DATA),
    "json patch": lambda client: client.json_patch(DATA, []),
    "status": lambda client: client.patch_status(DATA, DATA),
    "delete": lambda client: client.delete(DATA),
    "merge patch": lambda client: client.dynamic.merge_patch(KIND, DATA.key, {}),
    "delete of any kind": lambda client: client.dynamic.delete(KIND, DATA.key),
    "by another manager": lambda client: client.as_manager("x").apply(DATA),
}


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("connected", [False, True])
async def test_what_the_fence_refuses_is_not_sent(write: str, *, connected: bool) -> None:
    """At once, or after a connection was waited for."""
    async with staged(WELL) as stage:
        plain = client(stage.url)
        for times in (0, 1):
            with pytest.raises(LeaseLostError):
                await WRITES[write](plain.fenced(opening(times)))
            if connected:
                await plain.get(ConfigMap, DATA.key)
        assert {asked.method for asked in stage.asked} <= {"GET"}
        await WRITES[write](plain.fenced(opening(2)))
        await WRITES[write](plain)
        assert sum(asked.method != "GET" for asked in stage.asked) == 2
        await plain.close()


async def test_reads_and_tokens_need_no_leave() -> None:
    token = always(lambda: web.Response(body=b'{"status":{"token":"abc"}}'))
    async with staged(WELL, token) as stage:
        fenced = client(stage.url).fenced(opening(0))
        await fenced.get(ConfigMap, DATA.key)
        assert await fenced.request_token(Key("demo", "agent"), 3600) == "abc"
        await fenced.close()


async def test_a_write_that_waits_for_the_servers_leave_asks_for_ours_again() -> None:
    busy = always(lambda: status(429, headers={"Retry-After": "1"}))
    async with staged(busy) as stage:
        fenced = client(stage.url).fenced(opening(2))
        with pytest.raises(LeaseLostError):
            await fenced.apply(DATA)
        assert len(stage.asked) == 1
        await fenced.close()


async def test_a_write_is_given_up_when_its_time_is_over() -> None:
    async def hang(_: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(60)
        raise AssertionError("nobody waits so long")

    async with staged(hang) as stage:
        fenced = client(stage.url).fenced(Fence(repeat(0.05)))
        with pytest.raises(TransientError):
            await fenced.apply(DATA)
        await fenced.close()


async def test_who_has_lost_its_lease_reconciles_no_more() -> None:
    async def reconcile(_: Key) -> None:
        raise LOST

    queue = WorkQueue(lambda: 0.0)
    queue.add(DATA.key)
    with pytest.raises(LeaseLostError):
        await work(queue, reconcile)
