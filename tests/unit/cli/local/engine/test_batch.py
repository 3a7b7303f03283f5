"""So many requests run, the others wait their turn."""

import asyncio

import pytest

from cli.local.engine.batch import Batch


async def hold(batch: Batch, let_go: asyncio.Event) -> None:
    async with batch.place():
        await let_go.wait()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_who_finds_no_place_waits_for_one() -> None:
    batch, let_go = Batch(2, 100), asyncio.Event()
    tasks = [asyncio.create_task(hold(batch, let_go)) for _ in range(3)]
    await settle()
    assert (batch.running, batch.waiting) == (2, 1)
    let_go.set()
    await asyncio.gather(*tasks)
    await batch.empty()
    assert (batch.running, batch.waiting) == (0, 0)


@pytest.mark.parametrize("left", [0, 1, 2])
async def test_a_request_that_goes_away_leaves_no_gap(left: int) -> None:
    batch, let_go = Batch(1, 100), asyncio.Event()
    tasks = [asyncio.create_task(hold(batch, let_go)) for _ in range(3)]
    await settle()
    tasks.pop(left).cancel()
    await settle()
    assert (batch.running, batch.waiting) == (1, 1)
    let_go.set()
    await asyncio.gather(*tasks)
    assert (batch.running, batch.waiting) == (0, 0)


async def test_a_turn_that_comes_too_late_is_passed_on() -> None:
    batch, first, others = Batch(1, 100), asyncio.Event(), asyncio.Event()
    holder = asyncio.create_task(hold(batch, first))
    await settle()
    waiting = [asyncio.create_task(hold(batch, others)) for _ in range(2)]
    await settle()
    first.set()
    await asyncio.wait([holder])
    waiting[0].cancel()
    await settle()
    assert (batch.running, batch.waiting) == (1, 0)
    others.set()
    await waiting[1]
    assert batch.running == 0


def test_the_cache_is_never_more_than_full() -> None:
    batch = Batch(1, 100)
    batch.tokens = 50
    assert batch.cache_usage == 0.5
    batch.tokens = 500
    assert batch.cache_usage == 1.0
