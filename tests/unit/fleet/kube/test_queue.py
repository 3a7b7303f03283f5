"""No key is lost, none is worked on twice at once, and failures wait longer each time."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.api.keys import Key
from fleet.kube.errors import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    NotPermittedError,
    RejectedError,
    TransientError,
)
from fleet.kube.lacks import Lack, meet
from fleet.kube.queue import WorkQueue, backoff, work
from fleet.runtime import metrics
from tests.unit.fleet.kube.virtual import in_virtual_time

A, B = Key("demo", "a"), Key("", "b")


def never() -> float:
    return 0.0


def now() -> float:
    return asyncio.get_running_loop().time()


def test_a_key_waits_once_however_often_it_is_added() -> None:
    async def body() -> None:
        queue = WorkQueue(never)
        for key in (A, B, A, A):
            queue.add(key)
        assert len(queue) == 2
        assert [await queue.get(), await queue.get()] == [A, B]
        assert len(queue) == 0

    in_virtual_time(body())


def test_a_key_added_while_it_is_worked_on_is_worked_on_once_more_afterwards() -> None:
    async def body() -> None:
        queue = WorkQueue(never)
        queue.add(A)
        await queue.get()
        queue.add(A)
        queue.add(A)
        assert len(queue) == 0
        queue.done(A)
        assert len(queue) == 1
        await queue.get()
        queue.done(A)
        assert len(queue) == 0

    in_virtual_time(body())


@pytest.mark.parametrize(
    ("delays", "when"),
    [([5.0], 5.0), ([5.0, 9.0], 5.0), ([9.0, 5.0], 5.0), ([5.0, 0.0], 0.0), ([5.0, -1.0], 0.0)],
)
def test_of_several_times_for_a_key_the_earliest_counts(delays: list[float], when: float) -> None:
    async def body() -> None:
        queue = WorkQueue(never)
        for delay in delays:
            queue.add_after(A, delay)
        await queue.get()
        assert now() == when

    in_virtual_time(body())


def test_a_key_may_be_added_later_again_after_its_time() -> None:
    async def body() -> None:
        queue = WorkQueue(never)
        times = []
        for _ in range(3):
            queue.add_after(A, 2.0)
            await queue.get()
            times.append(now())
            queue.done(A)
        assert times == [2.0, 4.0, 6.0]

    in_virtual_time(body())


def test_waits_double_from_5_milliseconds_to_5_minutes() -> None:
    waits = [backoff(failures) for failures in range(18)]
    assert waits[:4] == [0.005, 0.01, 0.02, 0.04]
    assert waits == sorted(waits)
    assert (backoff(15), backoff(16), backoff(10_000)) == (163.84, 300, 300)


@given(failures=st.integers(0, 30), chance=st.floats(0, 1, exclude_max=True))
def test_chance_shortens_a_wait_by_no_more_than_half(failures: int, chance: float) -> None:
    async def body() -> None:
        queue, waited = WorkQueue(lambda: chance), 0.0
        for _ in range(failures + 1):
            before = now()
            queue.retry(A)
            queue.done(await queue.get())
            waited = now() - before
        assert backoff(failures) / 2 <= waited + 1e-9
        assert waited <= backoff(failures) + 1e-9

    in_virtual_time(body())


def test_after_success_the_next_failure_is_the_first_again() -> None:
    async def body() -> None:
        queue = WorkQueue(never)
        for _ in range(5):
            queue.retry(A)
            queue.done(await queue.get())
        queue.forget(A)
        queue.forget(B)
        before = now()
        queue.retry(A)
        await queue.get()
        assert now() - before == pytest.approx(0.005)

    in_virtual_time(body())


def test_a_retry_waits_as_long_as_the_server_said() -> None:
    async def body() -> None:
        queue = WorkQueue(never)
        queue.retry(A, after=7.0)
        await queue.get()
        assert now() == 7.0

    in_virtual_time(body())


@pytest.mark.parametrize("failures", [1, 20])
def test_once_a_server_answers_again_what_failed_is_tried_at_once(failures: int) -> None:
    async def body() -> None:
        queue = WorkQueue(never)
        for _ in range(failures - 1):
            queue.retry(A)
            queue.done(await queue.get())
        queue.retry(A)
        queue.add_after(B, 7.0)
        before = now()
        queue.hurry()
        assert [await queue.get(), now()] == [A, before]
        queue.done(A)
        queue.retry(A)
        assert [await queue.get(), now() - before] == [A, pytest.approx(0.005)]
        assert [await queue.get(), now() - before] == [B, pytest.approx(7.0)]
        queue.hurry()
        assert len(queue) == 0

    in_virtual_time(body())


async def _until_told(
    queue: WorkQueue, reconcile: Callable[[Key], Awaitable[float | None]], seconds: float
) -> None:
    worker = asyncio.create_task(work(queue, reconcile, name="painter"))
    await asyncio.sleep(seconds)
    worker.cancel()


@pytest.mark.parametrize(
    ("error", "level", "message"),
    [
        (ConflictError("another was faster"), logging.INFO, "reconciling again"),
        (NotFoundError("gone"), logging.INFO, "reconciling again"),
        (TransientError("away"), logging.INFO, "reconciling again"),
        (RejectedError("spec.size: too large"), logging.WARNING, "reconcile failed"),
        (ForbiddenError("no rights"), logging.WARNING, "reconcile failed"),
        (LookupError("a bug"), logging.ERROR, "reconcile failed"),
    ],
)
def test_what_fails_is_logged_once_and_tried_again(
    error: Exception, level: int, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    tries: list[Key] = []

    async def reconcile(key: Key) -> float | None:
        tries.append(key)
        if len(tries) == 1:
            raise error
        return None

    async def body() -> None:
        queue = WorkQueue(never)
        queue.add(A)
        await _until_told(queue, reconcile, 10)

    with caplog.at_level(logging.INFO):
        in_virtual_time(body())
    assert tries == [A, A]
    (record,) = caplog.records
    fields = vars(record)
    assert (record.levelno, record.message) == (level, message)
    assert (fields["controller"], fields["key"]) == ("painter", "demo/a")
    known = str(error) if level < logging.ERROR else None
    assert fields.get("why") == known
    assert bool(record.exc_info) is (level == logging.ERROR)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(None, "done"), (ConflictError("late"), "again"), (LookupError("a bug"), "failed")],
)
def test_reconciles_are_counted_with_how_they_went_and_how_long_they_took(
    error: Exception | None, outcome: str
) -> None:
    name, seconds, tried = f"counter-{outcome}", 3.0, list[Key]()

    async def reconcile(key: Key) -> float | None:
        tried.append(key)
        await asyncio.sleep(seconds)
        if error and len(tried) == 1:
            raise error
        return None

    async def body() -> None:
        queue = WorkQueue(never)
        queue.add(A)
        queue.add(B)
        worker = asyncio.create_task(work(queue, reconcile, name=name))
        await asyncio.sleep(2 * seconds - 1)
        worker.cancel()

    in_virtual_time(body())
    labels = f'{{controller="{name}",outcome="{outcome}"}}'
    assert tried == [A, B]
    assert counted(f"modelfleet_reconcile_seconds_count{labels}") == ["1.0"]
    assert counted(f"modelfleet_reconcile_seconds_sum{labels}") == ["3.0"]


def counted(sample: str) -> list[str]:
    lines = metrics.exposition().decode().splitlines()
    return [line.rpartition(" ")[2] for line in lines if line.startswith(f"{sample} ")]


def test_a_retry_after_of_the_server_is_kept_and_a_result_says_when_to_look_again() -> None:
    times: list[float] = []

    async def reconcile(key: Key) -> float | None:
        del key
        times.append(now())
        if len(times) == 1:
            raise TransientError("busy", retry_after=3.0)
        return 60.0 if len(times) < 4 else None

    async def body() -> None:
        queue = WorkQueue(never)
        queue.add(A)
        await _until_told(queue, reconcile, 1000)

    in_virtual_time(body())
    assert times == [0.0, 3.0, 63.0, 123.0]


@pytest.mark.parametrize(
    ("again", "expected"),
    [(None, [0.0, 20.0, 40.0]), (60.0, [0.0, 20.0, 40.0, 100.0]), (15.0, [0.0, 15.0, 30.0, 45.0])],
)
def test_what_an_older_crd_could_not_hold_is_tried_again_until_it_can(
    again: float | None, expected: list[float]
) -> None:
    times: list[float] = []

    async def reconcile(key: Key) -> float | None:
        del key
        times.append(now())
        if len(times) < 3:
            meet(Lack("widgets.test.modelfleet.dev", "spec.size"))
        return again if len(times) < 4 else None

    async def body() -> None:
        queue = WorkQueue(never)
        queue.add(A)
        await _until_told(queue, reconcile, 1000)

    in_virtual_time(body())
    assert times == expected


def test_of_many_that_an_older_crd_could_not_hold_one_asks_for_all() -> None:
    tries = Counter[Key]()
    keys = [Key("demo", str(number)) for number in range(100)]
    newer_at = 1000.0

    async def reconcile(key: Key) -> float | None:
        tries[key] += 1
        if now() < newer_at:
            meet(Lack("widgets.test.modelfleet.dev", "spec.size"))
        return None

    async def body() -> None:
        queue = WorkQueue(never)
        for key in keys:
            queue.add(key)
        await _until_told(queue, reconcile, newer_at - 1)
        assert sum(tries.values()) < 2 * len(keys)
        tries.clear()
        await _until_told(queue, reconcile, 30)

    in_virtual_time(body())
    assert set(tries) == set(keys)


def test_a_reconcile_that_wants_itself_again_at_once_leaves_others_their_turn() -> None:
    tries: list[Key] = []

    async def reconcile(key: Key) -> float | None:
        tries.append(key)
        assert len(tries) < 1000
        return -1.0

    async def body() -> None:
        queue = WorkQueue(never)
        queue.add(A)
        await _until_told(queue, reconcile, 1.0)

    in_virtual_time(body())
    assert 10 < len(tries) <= 21


def test_a_queue_that_is_never_empty_leaves_others_their_turn() -> None:
    tries: list[Key] = []

    async def body() -> None:
        queue, told = WorkQueue(never), asyncio.Event()

        async def reconcile(key: Key) -> float | None:
            tries.append(key)
            assert len(tries) < 1000
            queue.add(key)
            told.set()
            return None

        queue.add(A)
        worker = asyncio.create_task(work(queue, reconcile, name="painter"))
        await told.wait()
        worker.cancel()
        assert len(tries) < 10

    in_virtual_time(body())


@pytest.mark.parametrize(
    ("error", "wait"),
    [
        (TransientError("away"), 15.0),
        (ForbiddenError("Unauthorized"), 15.0),
        (NotPermittedError("may not"), 300.0),
        (ConflictError("late"), 300.0),
        (RejectedError("spec.size: too large"), 300.0),
    ],
)
def test_a_server_that_was_away_is_asked_again_soon_however_long_it_was(
    error: Exception, wait: float
) -> None:
    times: list[float] = []

    async def reconcile(key: Key) -> float | None:
        del key
        times.append(now())
        raise error

    async def body() -> None:
        queue = WorkQueue(never)
        queue.add(A)
        await _until_told(queue, reconcile, 3000)

    in_virtual_time(body())
    assert times[-1] - times[-2] == pytest.approx(wait)


@dataclass
class Slow:
    """Takes a while for each key, and fails a few times first."""

    lasts: float
    failing: int
    active: set[Key] = field(default_factory=set)
    tries: Counter[Key] = field(default_factory=Counter)
    began: dict[Key, float] = field(default_factory=dict)
    """When the last reconcile that succeeded began."""

    async def reconcile(self, key: Key) -> float | None:
        assert key not in self.active
        self.active.add(key)
        start = now()
        await asyncio.sleep(self.lasts)
        self.active.discard(key)
        self.tries[key] += 1
        if self.tries[key] <= self.failing:
            raise ConflictError("again")
        self.began[key] = start
        return None


@given(
    adds=st.lists(st.tuples(st.integers(0, 3), st.floats(0, 5)), min_size=1, max_size=25),
    slow=st.builds(Slow, st.floats(0, 2), st.integers(0, 6)),
    workers=st.integers(1, 4),
)
def test_every_change_is_seen_by_a_later_reconcile_and_no_key_is_worked_on_twice_at_once(
    adds: list[tuple[int, float]], slow: Slow, workers: int
) -> None:
    async def body() -> None:
        queue, changed = WorkQueue(never), dict[Key, float]()
        tasks = [asyncio.create_task(work(queue, slow.reconcile)) for _ in range(workers)]
        for number, pause in adds:
            key = Key("", f"k{number}")
            changed[key] = now()
            queue.add(key)
            await asyncio.sleep(pause)
        await asyncio.sleep(1000)
        assert not any(task.done() for task in tasks)
        for task in tasks:
            task.cancel()
        assert slow.began.keys() == changed.keys()
        assert all(slow.began[key] >= changed[key] for key in changed)
        assert (len(queue), slow.active) == (0, set())

    in_virtual_time(body())
