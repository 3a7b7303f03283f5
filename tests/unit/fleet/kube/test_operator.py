"""kopf is given our credentials, and puts what it watches into our caches."""

import asyncio
import logging
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import kopf
import pytest
from typing_extensions import override

from fleet.api.core import ConfigMap
from fleet.api.keys import Key
from fleet.kube.cache import Cache
from fleet.kube.config import Connection
from fleet.kube.credentials import Credentials, Token
from fleet.kube.errors import TransientError
from fleet.kube.operator import LOGIN_SECONDS, Patience, into, login, settings
from fleet.kube.sweeper import SWEEP_SECONDS, Sweeper
from tests.unit.fleet.kube.virtual import in_virtual_time


def body(version: int, name: str = "a") -> Any:
    return {"metadata": {"name": name, "namespace": "demo", "resourceVersion": str(version)}}


@dataclass
class Lists:
    """Notes when each list was made; the first may fail."""

    fails: int = 0
    times: list[float] = field(default_factory=list)

    async def relist(self, cache: Cache[Any]) -> None:
        del cache
        self.times.append(asyncio.get_running_loop().time())
        if len(self.times) <= self.fails:
            raise TransientError("away")


def test_what_kopf_sees_is_in_the_cache() -> None:
    async def see() -> None:
        cache, lists = Cache(ConfigMap), Lists()
        seen = into(cache, Sweeper(lists.relist))
        await seen(type="ADDED", body=body(3))
        await seen(type="MODIFIED", body=body(5))
        await seen(type="DELETED", body=body(4))
        assert cache.keys() == (Key("demo", "a"),)
        await seen(type="DELETED", body=body(6))
        assert cache.keys() == ()
        await asyncio.sleep(10)
        assert lists.times == []

    in_virtual_time(see())


def test_what_the_cache_knows_already_is_not_looked_at_again() -> None:
    class Counted(Cache[ConfigMap]):
        puts = 0

        @override
        def put(self, body: Any) -> None:
            self.puts += 1
            super().put(body)

    async def see() -> None:
        cache = Counted(ConfigMap)
        seen = into(cache, Sweeper(Lists().relist))
        for kind, version in (("ADDED", 3), ("MODIFIED", 3), ("MODIFIED", 2), ("MODIFIED", 4)):
            await seen(type=kind, body=body(version))
        assert cache.puts == 2
        await seen(type="DELETED", body=body(5))
        await seen(type="MODIFIED", body=body(5))
        assert cache.puts == 2

    in_virtual_time(see())


def test_kopf_makes_no_copy_of_what_it_sees() -> None:
    essence = settings().persistence.diffbase_storage.build(body=kopf.Body(body(3)))
    assert dict(essence) == {}


def test_after_kopf_listed_a_kind_it_is_listed_once_for_what_vanished_meanwhile() -> None:
    async def see() -> None:
        cache, lists = Cache(ConfigMap), Lists()
        seen = into(cache, Sweeper(lists.relist))
        for number in range(3):
            await seen(type=None, body=body(number + 1, f"m{number}"))
        await asyncio.sleep(10)
        await seen(type=None, body=body(9))
        await asyncio.sleep(10)
        assert lists.times == [SWEEP_SECONDS, 10 + SWEEP_SECONDS]
        assert len(cache) == 4

    in_virtual_time(see())


def test_a_list_that_fails_is_said_and_made_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def see() -> None:
        cache, lists = Cache(ConfigMap), Lists(fails=1)
        sweeper = Sweeper(lists.relist)
        sweeper.wanted(cache)
        await asyncio.sleep(10)
        assert lists.times == [1.0, 2.0]

    with caplog.at_level(logging.WARNING):
        in_virtual_time(see())
    assert [vars(record)["why"] for record in caplog.records] == ["away"]


class Renewable:
    def __init__(self) -> None:
        self.number = 0

    def header(self) -> str:
        return f"Bearer token{self.number}"

    def renew(self) -> None:
        self.number += 1


@pytest.mark.parametrize(
    ("credentials", "scheme", "token"),
    [(Token("abc"), "Bearer", "abc"), (Token(), None, None)],
)
async def test_kopf_logs_in_as_we_do(
    credentials: Credentials, scheme: str | None, token: str | None
) -> None:
    connection = Connection(
        server="https://host",
        ca_file="/ca",
        cert_file="/cert",
        key_file="/key",
        verify=False,
        credentials=credentials,
    )
    info = await login(connection)()
    assert (info.server, info.ca_path, info.insecure) == ("https://host", "/ca", True)
    assert (info.certificate_path, info.private_key_path) == ("/cert", "/key")
    assert (info.scheme, info.token) == (scheme, token)


async def test_a_login_that_was_refused_is_made_with_renewed_credentials_after_a_while() -> None:
    log_in = login(Connection(server="https://host", credentials=Renewable()))
    first = await log_in()
    began = asyncio.get_running_loop().time()
    second = await log_in()
    assert asyncio.get_running_loop().time() - began >= LOGIN_SECONDS
    assert (first.token, second.token) == ("token0", "token1")
    assert second.priority > first.priority


def test_a_server_that_is_away_is_tried_for_ever() -> None:
    waits = list(islice(Patience(), 1000))
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (0.2, 8.0)
