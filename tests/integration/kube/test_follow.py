"""A cache follows a real API server, whatever befalls that one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest

from fleet.api.keys import Key
from fleet.kube.cache import Cache
from fleet.kube.client import ApiClient
from fleet.kube.config import Connection
from fleet.kube.dynamic import partial, whole
from fleet.kube.follow import Pace
from fleet.kube.transport import Timeouts
from fleet.testing.apiserver import ApiServer
from fleet.testing.relay import Relay, relay
from fleet.testing.request_counts import answered
from fleet.testing.waiting import until
from tests.integration.kube.widgets import WIDGETS, Widget, crd, install, new_namespace, widget

BRISK = Pace(first_retry=0.05, longest_retry=0.5, optional=0.2)


@asynccontextmanager
async def brisk(connection: Connection) -> AsyncIterator[ApiClient]:
    client = ApiClient(connection, "test", pace=BRISK)
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def relayed(
    server: ApiServer, timeouts: Timeouts | None = None, pace: Pace = BRISK
) -> AsyncIterator[tuple[Relay, ApiClient]]:
    """Reach a server over a line that may break."""
    async with relay(server.port) as line:
        connection = replace(server.connection(), server=f"https://127.0.0.1:{line.port}")
        client = ApiClient(connection, "test", pace=pace, timeouts=timeouts)
        try:
            yield line, client
        finally:
            await client.close()


@asynccontextmanager
async def following(client: ApiClient, cache: Cache[Any]) -> AsyncIterator[None]:
    task = asyncio.create_task(client.follow(cache))
    try:
        await asyncio.wait_for(cache.filled.wait(), timeout=30)
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def sizes(cache: Cache[Widget]) -> dict[str, int | None]:
    return {found.name: found.spec.size for found in cache.all()}


async def test_what_is_made_changed_and_deleted_is_seen(client: ApiClient, namespace: str) -> None:
    old = await client.create(widget(Key(namespace, "old"), size=1))
    cache = Cache(Widget, namespace=namespace)
    async with following(client, cache):
        assert sizes(cache) == {"old": 1}
        new = await client.create(widget(Key(namespace, "new"), size=2))
        await client.apply(widget(old.key, size=3), force=True)
        await until(lambda: sizes(cache) == {"new": 2, "old": 3})
        await client.delete(new)
        await until(lambda: sizes(cache) == {"old": 3})


async def test_the_first_list_comes_in_pages(client: ApiClient, namespace: str) -> None:
    names = [f"w{number:04}" for number in range(510)]
    limit = asyncio.Semaphore(50)

    async def make(name: str) -> None:
        async with limit:
            await client.create(widget(Key(namespace, name)))

    await asyncio.gather(*map(make, names))
    cache = Cache(Widget, namespace=namespace)
    async with following(client, cache):
        assert sorted(sizes(cache)) == names


async def test_only_what_is_selected_is_held(client: ApiClient, namespace: str) -> None:
    cache = Cache(whole(WIDGETS), namespace=namespace, label_selector="side=left")
    manifest = widget(Key(namespace, "a"), size=1).manifest()

    async def put_on(side: str) -> None:
        labels = {"labels": {"side": side}}
        await client.dynamic.apply(manifest | {"metadata": manifest["metadata"] | labels})

    async with following(client, cache):
        await put_on("left")
        await until(lambda: len(cache) == 1)
        await put_on("right")
        await until(lambda: len(cache) == 0)
        await put_on("left")
        await until(lambda: len(cache) == 1)


async def test_metadata_is_all_that_is_sent_where_no_more_is_wanted(
    client: ApiClient, namespace: str
) -> None:
    cache = Cache(partial(WIDGETS), namespace=namespace)
    key = Key(namespace, "a")
    async with following(client, cache):
        await client.create(widget(key, size=1))
        await until(lambda: cache.keys() == (key,))
        body = cache.body(key)
        assert body is not None
        assert b'"size"' not in body


async def test_a_kind_that_may_be_missing_is_empty_until_it_comes(
    server: ApiServer, namespace: str
) -> None:
    class Late(Widget):
        API = f"{namespace}.modelfleet.dev/v1"
        KIND = "Widget"

    cache = Cache(Late, namespace=namespace, optional=True)
    async with brisk(server.connection()) as client, following(client, cache):
        assert len(cache) == 0
        await install(client, crd(Late.group()))
        await client.create(Late(metadata=widget(Key(namespace, "a")).metadata))
        await until(lambda: cache.keys() == (Key(namespace, "a"),))


@pytest.fixture
async def frail(frail_server: ApiServer) -> AsyncIterator[ApiClient]:
    async with brisk(frail_server.connection()) as client:
        await install(client)
        yield client


@pytest.mark.faults
async def test_a_server_that_is_killed_is_followed_again(
    frail_server: ApiServer, frail: ApiClient
) -> None:
    namespace, gaps = await new_namespace(frail), list[str]()
    cache = Cache(Widget, namespace=namespace)
    cache.on_gap(lambda: gaps.append("gap"))
    await frail.create(widget(Key(namespace, "kept"), size=1))
    async with following(frail, cache):
        await asyncio.to_thread(frail_server.kill)
        await asyncio.to_thread(frail_server.start)
        await frail.create(widget(Key(namespace, "new"), size=2))
        await until(lambda: sizes(cache) == {"kept": 1, "new": 2})
        assert gaps


@pytest.mark.faults
async def test_what_vanished_while_the_history_was_lost_is_reported(
    frail_server: ApiServer, frail: ApiClient
) -> None:
    namespace, heard = await new_namespace(frail), list[str]()
    doomed = await frail.create(widget(Key(namespace, "doomed"), size=1))
    await frail.create(widget(Key(namespace, "kept"), size=1))
    cache = Cache(Widget, namespace=namespace)
    async with relayed(frail_server) as (line, client), following(client, cache):
        cache.on_change(lambda found: heard.append(found.name))
        line.cut()
        await frail.delete(doomed)
        await frail.create(widget(Key(namespace, "other"), size=2))
        await asyncio.to_thread(frail_server.forget_history)
        line.mend()
        await until(lambda: sizes(cache) == {"kept": 1, "other": 2})
        assert sorted(heard) == ["doomed", "other"]


async def test_a_cut_watch_goes_on_from_where_it_was(
    server: ApiServer, client: ApiClient, namespace: str
) -> None:
    doomed = await client.create(widget(Key(namespace, "doomed"), size=1))
    cache = Cache(Widget, namespace=namespace)
    async with relayed(server) as (line, distant), following(distant, cache):
        line.cut()
        await client.delete(doomed)
        await client.create(widget(Key(namespace, "new"), size=2))
        line.mend()
        await until(lambda: sizes(cache) == {"new": 2})


async def test_a_line_that_has_gone_silent_is_given_up_and_nothing_is_listed_again(
    server: ApiServer, client: ApiClient, namespace: str
) -> None:
    cache, impatient = Cache(Widget, namespace=namespace), Timeouts(request=0.5)
    async with (
        relayed(server, impatient, replace(BRISK, silence=0.5)) as (line, distant),
        following(distant, cache),
    ):
        await client.create(widget(Key(namespace, "old"), size=1))
        await until(lambda: sizes(cache) == {"old": 1})
        listed = await answered(server, "LIST", Widget.group())
        line.freeze()
        await client.create(widget(Key(namespace, "new"), size=2))
        used = line.connections
        await until(lambda: line.connections > used)
        line.mend()
        await until(lambda: sizes(cache) == {"new": 2, "old": 1})
        assert await answered(server, "LIST", Widget.group()) == listed


async def test_a_kind_that_nobody_writes_is_watched_on_without_a_list(
    server: ApiServer, client: ApiClient, namespace: str
) -> None:
    class Quiet(Widget):
        API = f"{namespace}.modelfleet.dev/v1"
        KIND = "Widget"

    async def watched() -> bool:
        return await answered(server, "WATCH", Quiet.group()) > before + 1

    await install(client, crd(Quiet.group()))
    cache, gaps = Cache(Quiet), list[str]()
    cache.on_gap(lambda: gaps.append("gap"))
    brief = replace(BRISK, watch=1.0, silence=0.1)
    async with relayed(server, pace=brief) as (_, distant), following(distant, cache):
        listed = await answered(server, "LIST", Quiet.group())
        before = await answered(server, "WATCH", Quiet.group())
        await until(watched)
        assert await answered(server, "LIST", Quiet.group()) == listed
        assert not gaps


@pytest.mark.faults
async def test_a_cluster_made_anew_under_its_old_address_is_believed(
    frail_server: ApiServer, frail: ApiClient
) -> None:
    namespace = await new_namespace(frail)
    cache = Cache(Widget, namespace=namespace)
    for number in range(50):
        await frail.create(widget(Key(namespace, f"old{number}"), size=1))
    async with following(frail, cache):
        await asyncio.to_thread(frail_server.forget_everything)
        await install(frail)
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        await frail.dynamic.apply(body)
        await frail.create(widget(Key(namespace, "new"), size=2))
        await until(lambda: sizes(cache) == {"new": 2})
