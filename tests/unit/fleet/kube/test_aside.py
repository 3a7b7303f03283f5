"""What a program does while another system has its place, over the hours of a virtual clock."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typing_extensions import override

from fleet.api.keys import Key
from fleet.kube.aside import Aside, Held
from fleet.kube.cache import Cache
from fleet.kube.errors import TransientError
from fleet.kube.queue import WorkQueue
from fleet.kube.rivals import KAITO
from tests.unit.fleet.kube.virtual import in_virtual_time

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
KEY = Key("demo", "phi")


class Stage:
    """An agent, and a KAITO that renews its Lease every two seconds while it runs."""

    def __init__(self) -> None:
        self.aside = Aside(KAITO, self.relist, self.clock)
        self.aside.leases.filled.set()
        self.away, self.lists, self.version = False, 0, 0

    def clock(self) -> datetime:
        return NOON + timedelta(seconds=asyncio.get_running_loop().time())

    async def relist(self, cache: Cache[Any]) -> None:
        self.lists += cache is self.aside.leases
        if self.away:
            raise TransientError("the API server is away")

    def renew(self, holder: str = "kaito-0", *, behind: float = 0.0) -> None:
        self.version += 1
        renewed = (self.clock() - timedelta(seconds=behind)).isoformat()
        metadata = {"namespace": "kaito-workspace", "name": KAITO.lease}
        spec = {"holderIdentity": holder, "leaseDurationSeconds": 15, "renewTime": renewed}
        self.aside.leases.put(
            {"metadata": metadata | {"resourceVersion": str(self.version)}, "spec": spec}
        )

    async def kaito(self, seconds: float) -> None:
        for _ in range(int(seconds / 2)):
            self.renew()
            await asyncio.sleep(2)

    @asynccontextmanager
    async def playing(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.aside.run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def alone_after(self) -> float:
        await self.aside.alone()
        return asyncio.get_running_loop().time()


def played(scene: Callable[[Stage], Coroutine[Any, Any, None]]) -> None:
    async def play() -> None:
        stage = Stage()
        async with stage.playing():
            await scene(stage)

    in_virtual_time(play())


def test_where_nobody_is_we_begin_at_once() -> None:
    async def scene(stage: Stage) -> None:
        assert await stage.alone_after() == 0
        assert stage.aside.waiting == ""

    played(scene)


def test_we_go_on_by_ourselves_when_the_other_renews_no_more() -> None:
    async def scene(stage: Stage) -> None:
        await stage.kaito(3600)
        assert "Lease kaito-workspace/ef60f9b0.io, held by kaito-0" in stage.aside.waiting
        assert 3598 + 15 <= await stage.alone_after() < 3600 + 15
        assert (stage.aside.found, stage.lists) == ("", 1)

    played(scene)


def test_a_lease_that_is_let_go_is_not_waited_for() -> None:
    async def scene(stage: Stage) -> None:
        await stage.kaito(10)
        stage.renew("")
        assert await stage.alone_after() == 10

    played(scene)


def test_a_leftover_of_a_clock_that_may_be_off_is_watched_for_its_duration() -> None:
    async def scene(stage: Stage) -> None:
        stage.renew(behind=300)
        assert await stage.alone_after() == 15

    played(scene)


def test_a_server_that_does_not_answer_is_no_sign_that_the_other_is_gone() -> None:
    async def scene(stage: Stage) -> None:
        await stage.kaito(10)
        stage.away = True
        await asyncio.sleep(60)
        assert stage.aside.found
        stage.away = False
        stage.aside.leases.gap()
        assert 70 < await stage.alone_after() <= 70 + 15

    played(scene)


class Writer:
    name = "writer"
    reads = ()

    def __init__(self) -> None:
        self.begun, self.written = 0, list[Key]()

    async def reconcile(self, key: Key) -> float | None:
        self.begun += 1
        await asyncio.sleep(1)
        self.written.append(key)
        return None

    def wake(self, queue: WorkQueue) -> None:
        queue.add(KEY)


def test_a_reconcile_is_cut_short_when_the_other_comes_and_done_when_it_went() -> None:
    async def scene(stage: Stage) -> None:
        writer = Writer()
        held = Held(writer, stage.aside)
        running = asyncio.create_task(held.reconcile(KEY))
        await asyncio.sleep(0.5)
        stage.renew()
        with pytest.raises(TransientError, match=r"^stands aside: KAITO, which is there"):
            await running
        assert (writer.begun, writer.written) == (1, [])
        again = asyncio.create_task(held.reconcile(KEY))
        await asyncio.sleep(5)
        assert writer.begun == 1
        await again
        assert writer.written == [KEY]

    played(scene)


def test_a_reconcile_that_takes_too_long_for_itself_says_so() -> None:
    class Slow(Writer):
        @override
        async def reconcile(self, key: Key) -> float | None:
            raise TimeoutError(str(key))

    async def scene(stage: Stage) -> None:
        with pytest.raises(TimeoutError, match="demo/phi"):
            await Held(Slow(), stage.aside).reconcile(KEY)

    played(scene)
