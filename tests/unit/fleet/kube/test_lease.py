"""Of several replicas one leads, whatever the way to the server does to what they say."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from typing import Any, TypeVar

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from typing_extensions import override

from fleet.api.keys import Key
from fleet.kube.errors import (
    ConflictError,
    ForbiddenError,
    KubeError,
    LeaseLostError,
    TransientError,
)
from fleet.kube.lease import Lease, Terms
from fleet.kube.resources import ApiResource
from fleet.testing.client import FakeDynamicClient
from fleet.testing.server import Body, FakeServer
from tests.unit.fleet.kube.virtual import in_virtual_time

KEY = Key("fleet-system", "hub")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
AT_ONCE = (0.0, 0.0)
T = TypeVar("T")
Delay = tuple[float, float] | KubeError
"""Seconds to the server and back again, or what is answered instead."""


class Line(FakeDynamicClient):
    """A client whose calls take as long as they are told to, one after the other."""

    def __init__(self, server: FakeServer, delays: Iterable[Delay] = ()) -> None:
        super().__init__(server)
        self.delays = chain(delays, repeat(AT_ONCE))

    @override
    async def get(self, resource: ApiResource, key: Key) -> Body | None:
        asked = super().get(resource, key)
        return await self._carry(asked)

    @override
    async def create(self, manifest: Mapping[str, Any]) -> Body:
        return await self._carry(super().create(manifest))

    @override
    async def merge_patch(
        self, resource: ApiResource, key: Key, patch: Mapping[str, Any], *, subresource: str = ""
    ) -> Body:
        return await self._carry(super().merge_patch(resource, key, patch))

    async def _carry(self, call: Coroutine[Any, Any, T]) -> T:
        delay = next(self.delays)
        if isinstance(delay, KubeError):
            call.close()
            raise delay
        there, back = delay
        try:
            await asyncio.sleep(there)
        except asyncio.CancelledError:
            call.close()
            raise
        answer = await call
        await asyncio.sleep(back)
        return answer


def clock() -> datetime:
    return NOON + timedelta(seconds=asyncio.get_running_loop().time())


def lease(line: FakeDynamicClient, name: str, now: Callable[[], datetime] = clock) -> Lease:
    return Lease(line, KEY, identity=name, now=now, elapsed=time)


def proves(own: Lease) -> bool:
    """Say whether a write would pass its fence."""
    try:
        return own.prove() > 0
    except (TransientError, LeaseLostError):
        return False


def spec(server: FakeServer) -> dict[str, Any]:
    ((_, body),) = server.objects.items()
    found: dict[str, Any] = body["spec"]
    return found


def time() -> float:
    return asyncio.get_running_loop().time()


def test_the_first_takes_the_lease_and_renews_it() -> None:
    async def body() -> None:
        server = FakeServer()
        one = lease(Line(server), "one")
        await one.acquire()
        assert spec(server) == {
            "holderIdentity": "one",
            "leaseDurationSeconds": 9,
            "acquireTime": "2026-01-01T12:00:00.000000Z",
            "renewTime": "2026-01-01T12:00:00.000000Z",
            "leaseTransitions": 0,
        }
        keeping = asyncio.create_task(one.keep())
        await asyncio.sleep(601)
        assert not keeping.done()
        assert spec(server)["acquireTime"] == "2026-01-01T12:00:00.000000Z"
        assert spec(server)["renewTime"] == "2026-01-01T12:10:00.000000Z"
        assert spec(server)["leaseTransitions"] == 0
        keeping.cancel()

    in_virtual_time(body())


def test_another_waits_until_the_lease_has_not_changed_for_its_duration() -> None:
    async def body() -> None:
        server = FakeServer()
        one, two = lease(Line(server), "one"), lease(Line(server), "two")
        await one.acquire()
        keeping = asyncio.create_task(one.keep())
        waiting = asyncio.create_task(two.acquire())
        await asyncio.sleep(100)
        assert not waiting.done()
        keeping.cancel()
        await waiting
        assert 100 + 7 <= time() <= 100 + 11
        assert spec(server)["holderIdentity"] == "two"
        assert spec(server)["leaseTransitions"] == 1

    in_virtual_time(body())


def test_anothers_clock_and_an_old_lease_are_not_believed() -> None:
    async def body() -> None:
        server = FakeServer()
        await lease(Line(server), "one", lambda: NOON - timedelta(days=9)).acquire()
        await lease(Line(server), "two").acquire()
        assert time() == 9.0

    in_virtual_time(body())


def test_a_lease_that_is_let_go_is_taken_at_once() -> None:
    async def body() -> None:
        server = FakeServer()
        one, two = lease(Line(server), "one"), lease(Line(server), "two")
        await one.acquire()
        await one.release()
        assert not proves(one)
        await two.acquire()
        assert time() == 0.0
        await one.release()
        assert spec(server)["holderIdentity"] == "two"

    in_virtual_time(body())


def test_letting_go_of_what_is_not_there_is_nothing() -> None:
    async def body() -> None:
        await lease(Line(server), "one").release()

    server = FakeServer()
    in_virtual_time(body())
    assert not server.objects


def test_who_comes_back_under_its_name_leads_at_once() -> None:
    async def body() -> None:
        server = FakeServer()
        await lease(Line(server), "one").acquire()
        await lease(Line(server), "one").acquire()
        assert time() == 0.0
        assert spec(server)["leaseTransitions"] == 0

    in_virtual_time(body())


def test_of_two_that_make_the_lease_at_once_one_leads() -> None:
    async def body() -> None:
        server = FakeServer()
        leases = [lease(Line(server, repeat((0.1, 0.1))), name) for name in ("one", "two")]
        tasks = [asyncio.create_task(each.acquire()) for each in leases]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        assert sum(task.done() for task in tasks) == 1
        for task in tasks:
            task.cancel()

    in_virtual_time(body())


def away(first: int) -> Iterator[Delay]:
    """Answer so many calls, and then none."""
    return chain(repeat(AT_ONCE, first), repeat(TransientError("away")))


def frozen(first: int) -> Iterator[Delay]:
    return chain(repeat(AT_ONCE, first), repeat((1e6, 0.0)))


@pytest.mark.parametrize("broken", [away, frozen])
def test_a_leader_that_nobody_hears_proves_nothing_before_another_may_take_over(
    broken: Callable[[int], Iterator[Delay]],
) -> None:
    async def body() -> None:
        server = FakeServer()
        one, two = lease(Line(server, broken(4)), "one"), lease(Line(server), "two")
        await one.acquire()
        waiting = asyncio.create_task(two.acquire())
        keeping = asyncio.create_task(one.keep())
        await asyncio.sleep(2 + 5.9)
        assert one.prove() == pytest.approx(9 - 5.9)
        await asyncio.sleep(0.2)
        with pytest.raises(TransientError, match="the lease fleet-system/hub could not be renewed"):
            one.prove()
        assert not waiting.done()
        await waiting
        assert 2 + 9 <= time() <= 2 + 2 + 9
        keeping.cancel()

    in_virtual_time(body())


@pytest.mark.parametrize("tries", [14, 400])
def test_who_finds_its_lease_as_it_left_it_goes_on_and_says_once_what_was_wrong(
    tries: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def body() -> None:
        server = FakeServer()
        troubles: list[Delay] = [TransientError("away")] * tries
        one = lease(Line(server, [AT_ONCE] * 4 + troubles), "one")
        await one.acquire()
        keeping = asyncio.create_task(one.keep())
        await asyncio.sleep(tries)
        assert not keeping.done()
        assert proves(one)
        assert spec(server)["leaseTransitions"] == 0
        keeping.cancel()

    with caplog.at_level(logging.INFO):
        in_virtual_time(body())
    assert [record.message for record in caplog.records] == ["leading", "renewing again"]


def test_a_leader_whose_lease_another_took_stops() -> None:
    async def body() -> None:
        server = FakeServer()
        one = lease(Line(server), "one")
        await one.acquire()
        server.merge_patch(
            next(iter(server.objects)), {"spec": {"holderIdentity": "two", "renewTime": "now"}}
        )
        with pytest.raises(LeaseLostError, match="the lease fleet-system/hub is lost"):
            await one.keep()
        with pytest.raises(LeaseLostError):
            one.prove()

    in_virtual_time(body())


def test_a_lease_that_is_deleted_stays_its_leaders() -> None:
    async def body() -> None:
        server = FakeServer()
        one, two = lease(Line(server), "one"), lease(Line(server), "two")
        await one.acquire()
        keeping, waiting = (asyncio.create_task(each) for each in (one.keep(), two.acquire()))
        for _ in range(5):
            await asyncio.sleep(4.5)
            server.delete(next(iter(server.objects)))
        await asyncio.sleep(4.5)
        assert spec(server)["holderIdentity"] == "one"
        keeping.cancel()
        server.delete(next(iter(server.objects)))
        await waiting
        assert spec(server)["holderIdentity"] == "two"

    in_virtual_time(body())


LONGEST_TAKEOVER = 15.0


@pytest.mark.parametrize("phase", [0.0, 0.5, 1.0, 1.5, 1.9])
@pytest.mark.parametrize("death", [4.1, 5.0, 6.0])
def test_who_dies_is_replaced_in_time_though_the_server_is_slow(death: float, phase: float) -> None:
    async def body() -> None:
        server, slow = FakeServer(), repeat((0.25, 0.25))
        one, two = lease(Line(server, slow), "one"), lease(Line(server, slow), "two")
        await one.acquire()
        keeping = asyncio.create_task(one.keep())
        await asyncio.sleep(phase)
        waiting = asyncio.create_task(two.acquire())
        await asyncio.sleep(death - phase)
        keeping.cancel()
        died = time()
        await waiting
        assert time() - died <= LONGEST_TAKEOVER - 2

    in_virtual_time(body())


def test_terms_leave_each_its_time() -> None:
    for terms in (Terms(), Terms.of(1), Terms.of(300)):
        assert 2 * terms.interval < terms.deadline < terms.duration
    assert Terms.of(Terms().duration) == Terms()
    assert Terms().interval + Terms().duration <= LONGEST_TAKEOVER - 4


def test_who_may_not_keep_the_lease_hears_why() -> None:
    async def body() -> None:
        server = FakeServer()
        refusals = repeat(ForbiddenError("no"))
        one = lease(Line(server, chain([AT_ONCE] * 2, refusals)), "one")
        await one.acquire()
        await one.keep()

    with pytest.raises(ForbiddenError):
        in_virtual_time(body())


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        (ForbiddenError("no rights"), ["no rights"]),
        (ConflictError("faster"), []),
        ((60.0, 0.0), ["no answer in time"]),
    ],
)
def test_a_lease_that_cannot_be_taken_is_tried_for_again_and_said(
    trouble: Delay, why: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    async def body() -> None:
        await lease(Line(FakeServer(), [trouble]), "one").acquire()

    with caplog.at_level(logging.WARNING):
        in_virtual_time(body())
    assert [vars(record)["why"] for record in caplog.records] == why


SECONDS = st.sampled_from([0.0, 0.5, 4.0, 6.0, 9.0, 14.0, 20.0])
DELAYS = st.lists(st.tuples(SECONDS, SECONDS) | st.just(TransientError("away")), max_size=20)


@given(delays=st.lists(DELAYS, min_size=2, max_size=3))
@example(delays=[[AT_ONCE, (0.0, 14.0)], []])
def test_two_never_lead_at_once(delays: list[list[Delay]]) -> None:
    async def body() -> None:
        server, all_of_them = FakeServer(), dict[str, Lease]()
        led = False

        async def replica(name: str, delays: list[Delay]) -> None:
            nonlocal led
            line = Line(server, delays)
            while True:
                own = all_of_them[name] = lease(line, name)
                await own.acquire()
                led = True
                assert [each for each in all_of_them if proves(all_of_them[each])] == [name]
                with suppress(LeaseLostError):
                    await own.keep()

        tasks = [asyncio.create_task(replica(f"r{n}", each)) for n, each in enumerate(delays)]
        done, _ = await asyncio.wait(tasks, timeout=300, return_when=asyncio.FIRST_EXCEPTION)
        for task in tasks:
            task.cancel()
        for task in done:
            await task
        assert led

    in_virtual_time(body())
