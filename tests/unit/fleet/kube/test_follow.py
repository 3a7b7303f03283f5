"""A cache follows its kind through all that may befall a watch; time is virtual."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest
from msgspec import Raw
from typing_extensions import override

from fleet.api.core import ConfigMap
from fleet.api.keys import Key
from fleet.kube import wire
from fleet.kube.answering import Answering
from fleet.kube.cache import Cache
from fleet.kube.config import Connection
from fleet.kube.errors import (
    ExpiredError,
    ForbiddenError,
    KubeError,
    NotFoundError,
    NotPermittedError,
    NotServedError,
    TransientError,
)
from fleet.kube.follow import Follower, Pace, relist
from fleet.kube.resources import ApiResource
from fleet.kube.transport import Transport
from fleet.kube.verbs import PAGE, Selection, Verbs
from tests.unit.fleet.kube.virtual import in_virtual_time

Happening = tuple[float, Any]
"""Seconds to wait, and what comes then: a line, an error, or something that is done."""


class Server(Verbs):
    """Objects and a version; each watch does what it was told to, later ones stay quiet."""

    def __init__(self, *watches: list[Happening], **objects: int) -> None:
        super().__init__(Transport(Connection(server="http://127.0.0.1:9")), "test")
        self.objects = dict(objects)
        self.at = max(objects.values(), default=1)
        self.watches = list(watches)
        self.refusals: list[KubeError] = []
        self.lists = 0
        self.watched: list[tuple[float, int]] = []
        """When each watch began, and after which version."""

    def body(self, name: str) -> bytes:
        return _body(name, self.objects[name])

    @override
    async def pages(
        self, resource: ApiResource, selection: Selection, *, limit: int = PAGE
    ) -> AsyncIterator[wire.Page]:
        self._refuse()
        self.lists += 1
        items = [Raw(self.body(name)) for name in self.objects]
        yield wire.Page(items, wire.ListMeta(str(self.at)))

    @override
    async def reached(self, resource: ApiResource, selection: Selection, version: int) -> bool:
        self._refuse()
        return self.at >= version

    def _refuse(self) -> None:
        if self.refusals:
            raise self.refusals.pop(0)

    @override
    def watch(
        self, resource: ApiResource, selection: Selection, version: int, *, seconds: int
    ) -> Any:
        return self._watch(version, seconds)

    @asynccontextmanager
    async def _watch(self, version: int, seconds: float) -> AsyncIterator[AsyncIterator[bytes]]:
        self.watched.append((asyncio.get_running_loop().time(), version))
        quiet: list[Happening] = [(seconds, b"")]
        yield self._lines(self.watches.pop(0) if self.watches else quiet)

    async def _lines(self, happenings: list[Happening]) -> AsyncIterator[bytes]:
        for seconds, what in happenings:
            await asyncio.sleep(seconds)
            if isinstance(what, Exception):
                raise what
            if isinstance(what, bytes):
                yield what
            else:
                what()


def _body(name: str, version: int) -> bytes:
    metadata = {"name": name, "namespace": "demo", "resourceVersion": str(version)}
    return wire.encode({"metadata": metadata, "data": {"version": str(version)}})


def event(kind: str, name: str, version: int) -> bytes:
    return b'{"type":"%s","object":%s}' % (kind.encode(), _body(name, version))


def failure(code: int) -> bytes:
    return b'{"type":"ERROR","object":{"kind":"Status","code":%d,"message":"no"}}' % code


def seen(cache: Cache[ConfigMap]) -> dict[str, str]:
    return {found.name: found.data["version"] for found in cache.all()}


def followed(
    server: Server, *, seconds: float = 500, optional: bool = False, **pace: float
) -> Cache[ConfigMap]:
    """Follow a server for a while."""
    cache = Cache(ConfigMap, optional=optional)

    async def body() -> None:
        given = Pace(**{"watch": 1000.0, **pace})
        follower = Follower(server, cache, pace=given, chance=lambda: 0.0)
        task = asyncio.create_task(follower.run())
        await asyncio.sleep(seconds)
        assert not task.done()
        task.cancel()

    in_virtual_time(body())
    return cache


def changing(server: Server, name: str, version: int) -> Callable[[], None]:
    """Let an object change without a word of it."""

    def change() -> None:
        server.objects[name] = server.at = version

    return change


def test_events_are_taken_in_and_the_watch_goes_on_after_the_last() -> None:
    server = Server(a=3, b=4)
    server.watches = [
        [
            (1, event("ADDED", "c", 5)),
            (1, event("MODIFIED", "a", 6)),
            (1, event("DELETED", "b", 7)),
            (1, event("BOOKMARK", "", 9)),
            (60, b""),
        ]
    ]
    assert seen(followed(server, seconds=100)) == {"a": "6", "c": "5"}
    assert (server.lists, server.watched) == (1, [(0.0, 4), (64.0, 9)])


@pytest.mark.parametrize(
    "broken",
    [TransientError("cut"), failure(500), failure(429), b'{"type": "ADDED", "obj', b"[]"],
)
def test_a_watch_that_breaks_goes_on_from_where_it_was(broken: Any) -> None:
    server = Server(a=3)
    server.watches = [[(1, changing(server, "b", 5)), (0, event("ADDED", "b", 5)), (1, broken)]]
    followed(server)
    assert server.lists == 1
    assert [version for _, version in server.watched] == [3, 5]


@pytest.mark.parametrize(
    ("before", "began"),
    [
        ([], [(0.0, 3), (315.1, 3)]),
        ([(10, event("ADDED", "b", 5))], [(0.0, 3), (85.1, 5)]),
        ([(10, event("BOOKMARK", "", 9))], [(0.0, 3), (85.1, 9)]),
    ],
)
def test_a_watch_that_says_no_more_is_dead_once_its_next_word_is_overdue_and_nothing_is_listed(
    before: list[Happening], began: list[tuple[float, int]]
) -> None:
    server = Server(a=3)
    server.watches = [[(0, changing(server, "b", 9)), *before, (10_000, b"")]]
    followed(server, seconds=380, watch=300.0, first_retry=0.1)
    assert (server.lists, server.watched) == (1, began)


@pytest.mark.parametrize("lost", [failure(410), ExpiredError("too old")])
def test_where_the_history_is_lost_all_is_listed_again(lost: Any) -> None:
    server = Server(a=3, b=4)
    server.watches = [
        [(1, changing(server, "c", 8)), (0, lambda: server.objects.pop("b")), (1, lost)]
    ]
    assert seen(followed(server)) == {"a": "3", "c": "8"}
    assert (server.lists, server.watched[-1][1]) == (2, 8)


def test_a_server_whose_history_begins_anew_is_believed() -> None:
    server = Server(a=300, b=400)

    def anew() -> None:
        server.objects, server.at = {"a": 2}, 3

    server.watches = [[(10, anew), (0, TransientError("cut"))]]
    assert seen(followed(server)) == {"a": "2"}


def test_an_event_from_before_is_a_history_that_begins_anew() -> None:
    server = Server(a=300, b=400)

    def anew() -> None:
        server.objects, server.at = {"c": 2}, 3

    server.watches = [[(10, anew), (0, event("ADDED", "c", 2))]]
    assert seen(followed(server)) == {"c": "2"}


def test_waits_double_up_to_the_longest_and_start_over_after_a_good_watch() -> None:
    cut = [(0.0, TransientError("cut"))]
    server = Server(*[cut] * 5, [(60.0, TransientError("cut"))], cut, a=3)
    followed(server, first_retry=1.0, longest_retry=8.0)
    began = [when for when, _ in server.watched]
    waits = [later - earlier for earlier, later in pairwise(began)]
    assert waits == [1.0, 2.0, 4.0, 8.0, 8.0, 60.0 + 1.0, 2.0]


def test_a_watch_that_ends_as_soon_as_it_begins_is_no_good_one() -> None:
    server = Server(*[[(0.0, b"")]] * 3, a=3)
    followed(server, first_retry=1.0)
    assert [when for when, _ in server.watched] == [0.0, 1.0, 3.0, 7.0]


def test_a_server_that_says_how_long_to_wait_is_heard() -> None:
    server = Server([(0.0, TransientError("busy", retry_after=42.0))], a=3)
    followed(server)
    assert [when for when, _ in server.watched] == [0.0, 42.0]


def test_a_list_that_fails_is_tried_again() -> None:
    server = Server(a=3)
    server.refusals = [TransientError("away"), ForbiddenError("no rights")]
    assert seen(followed(server)) == {"a": "3"}


def test_a_server_that_answers_somebody_again_is_watched_at_once_however_long_it_was_away() -> None:
    server = Server([(10, TransientError("cut"))], a=3)

    def away() -> None:
        server.refusals = [TransientError("away")] * 15

    server.watches = [[(10, away), (0, TransientError("cut"))]]

    async def body() -> None:
        loop = asyncio.get_running_loop()
        answering = server.transport.answering = Answering(loop.time)
        follower = Follower(server, Cache(ConfigMap), pace=Pace(), chance=lambda: 0.0)
        task = asyncio.create_task(follower.run())
        loop.call_at(11, answering.lose)
        await asyncio.sleep(100)
        server.refusals.clear()
        answering.hear(well=True)
        await asyncio.sleep(100)
        task.cancel()

    in_virtual_time(body())
    assert [when for when, _ in server.watched] == [0.0, 100.0]


def test_a_kind_that_we_may_not_read_says_so_until_we_may() -> None:
    server, cache, refusal = Server(a=3), Cache(ConfigMap), 'User "hub" cannot list "configmaps"'
    server.refusals = [NotPermittedError(refusal)]

    async def body() -> None:
        pace = Pace(first_retry=5.0)
        task = asyncio.create_task(Follower(server, cache, pace=pace, chance=lambda: 0.0).run())
        await cache.answered.wait()
        assert (cache.refusal, cache.synced) == (refusal, False)
        await cache.filled.wait()
        assert cache.refusal == ""
        task.cancel()

    in_virtual_time(body())


def test_a_gap_is_told_of_from_the_loss_of_the_watch_to_its_return() -> None:
    server, gaps = Server([(10, TransientError("cut"))], a=3), list[float]()
    cache = Cache(ConfigMap)
    for told in (cache.on_loss, cache.on_gap):
        told(lambda: gaps.append(asyncio.get_running_loop().time()))

    async def body() -> None:
        pace = Pace(first_retry=5.0)
        task = asyncio.create_task(Follower(server, cache, pace=pace, chance=lambda: 0.0).run())
        await asyncio.sleep(100)
        task.cancel()

    in_virtual_time(body())
    assert gaps == [10.0, 15.0]


def test_a_watch_that_is_cut_every_second_is_opened_again_within_a_second() -> None:
    cuts: list[list[Happening]] = [[(1, TransientError("cut"))] for _ in range(20)]
    server = Server(*cuts, a=3)
    followed(server)
    began = [when for when, _ in server.watched[:20]]
    assert all(later - earlier <= 2 for earlier, later in pairwise(began))


@pytest.mark.parametrize(
    ("seconds", "there"), [(5, {"a": "3"}), (14, {}), (44, {}), (100, {"a": "3"})]
)
def test_a_kind_that_may_be_missing_is_an_empty_one_until_it_comes(
    seconds: float, there: dict[str, str]
) -> None:
    server = Server(a=3)

    def gone() -> None:
        server.refusals = [NotFoundError("not served")] * 2

    server.watches = [[(10, gone), (0, NotFoundError("gone"))]]
    cache = followed(server, seconds=seconds, optional=True)
    assert (cache.synced, seen(cache)) == (True, there)


def test_an_optional_kind_is_known_to_be_missing_and_its_return_is_told() -> None:
    server, cache, returns = Server(a=3), Cache(ConfigMap, optional=True), list[float]()
    server.refusals = [NotServedError("not served")] * 2
    cache.on_gap(lambda: returns.append(asyncio.get_running_loop().time()))

    async def body() -> None:
        task = asyncio.create_task(Follower(server, cache, pace=Pace(optional=10.0)).run())
        await asyncio.sleep(15)
        assert (seen(cache), cache.synced, cache.unserved) == ({}, True, True)
        await asyncio.sleep(15)
        assert (seen(cache), cache.unserved) == ({"a": "3"}, False)
        task.cancel()

    in_virtual_time(body())
    assert returns == [20.0]


def test_a_kind_that_must_be_there_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    server = Server(a=3)
    server.refusals = [NotFoundError("widgets")] * 3
    with caplog.at_level(logging.WARNING):
        assert seen(followed(server)) == {"a": "3"}
    assert [vars(record)["why"] for record in caplog.records] == ["not served: configmaps"]


def test_a_kind_that_is_served_no_more_keeps_what_is_known_until_it_is_listed_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server, cache, returns = Server(a=3), Cache(ConfigMap), list[float]()
    cache.on_gap(lambda: returns.append(asyncio.get_running_loop().time()))

    def gone() -> None:
        server.objects.clear()
        server.refusals = [NotServedError("not served")] * 50

    server.watches = [[(10, gone), (0, NotServedError("gone"))]]

    async def body() -> None:
        task = asyncio.create_task(Follower(server, cache, pace=Pace(unserved=2.0)).run())
        await asyncio.sleep(100)
        assert (seen(cache), cache.unserved) == ({"a": "3"}, True)
        await asyncio.sleep(100)
        assert (seen(cache), cache.unserved) == ({}, False)
        task.cancel()

    with caplog.at_level(logging.WARNING):
        in_virtual_time(body())
    assert returns == [112.0]
    assert [record.message for record in caplog.records] == ["a kind is missing"]


def test_a_lasting_trouble_is_said_when_it_changes_and_now_and_then(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = Server(a=3)
    server.refusals = [TransientError("away")] * 25 + [ForbiddenError("no rights")] * 2
    with caplog.at_level(logging.INFO):
        followed(server, first_retry=1.0, longest_retry=1.0)
    said = [
        (record.levelname, vars(record).get("why", record.message)) for record in caplog.records
    ]
    assert said == [
        ("INFO", "away"),
        ("WARNING", "away"),
        ("WARNING", "no rights"),
        ("INFO", "watching again"),
    ]


async def test_a_list_whose_pages_expire_is_asked_for_in_one() -> None:
    server, cache = Server(a=3), Cache(ConfigMap)
    server.refusals = [ExpiredError("continue")]
    assert await relist(server, cache) == 3
    assert cache.keys() == (Key("demo", "a"),)
    server.refusals = [ExpiredError("continue")] * 2
    with pytest.raises(ExpiredError):
        await relist(server, cache)
