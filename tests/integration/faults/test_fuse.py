"""A fuse burns at one point at a time, and programs that start at once get their own pids."""

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fleet.testing.interceptor import Call
from fleet.testing.waiting import until
from tests.integration.faults.fuse import Fuse, Point, When
from tests.integration.faults.programs import Nursery

RUN = "run"
AT_ONCE = (Point("work", "PATCH", "works"), Point("work", "PATCH", "appliedworks"))
ECHO = "import sys\nfor number, line in enumerate(sys.stdin): print(number, flush=True)"
MANY = 200


def _call(at: Point, program: str = "modelfleet-member-agent") -> Call:
    path = f"/apis/placement.kubernetes-fleet.io/v1beta1/{at.resource}/{RUN}"
    return Call(at.verb, path, f"fieldManager={program}-{at.writer}")


async def _written(fuse: Fuse, at: Point, server: list[Point]) -> None:
    """Be what stands between a program and a server: the call ends with its writer."""
    await fuse.before(_call(at))
    server.append(at)
    await asyncio.sleep(0)
    await fuse.after(_call(at))


@pytest.mark.parametrize("order", [AT_ONCE, AT_ONCE[::-1]], ids=["as named", "the other way"])
async def test_of_two_writes_at_once_the_second_reaches_no_server_until_it_is_met(
    order: tuple[Point, ...],
) -> None:
    fuse, server = Fuse("modelfleet-member-agent", RUN, AT_ONCE, When.AFTER), list[Point]()
    for left in (2, 1):
        points = [each for each in order if each in fuse.left]
        writes = [asyncio.create_task(_written(fuse, each, server)) for each in points]
        await asyncio.wait_for(fuse.burnt.wait(), 10)
        fuse.mend()
        for write in writes:
            write.cancel()
        await asyncio.gather(*writes, return_exceptions=True)
        assert (len(server), len(fuse.left)) == (3 - left, left - 1)
    await _written(fuse, AT_ONCE[0], server)


async def test_a_mended_fuse_lets_go_on_who_lives_and_holds_what_the_dead_one_wrote() -> None:
    at = AT_ONCE[0]
    fuse = Fuse("modelfleet-member-agent", RUN, (at,), When.BEFORE)
    first = asyncio.create_task(fuse.before(_call(at)))
    await asyncio.wait_for(fuse.burnt.wait(), 10)
    dead = asyncio.create_task(fuse.before(_call(AT_ONCE[1])))
    living = asyncio.create_task(fuse.before(_call(at, "modelfleet-hub")))
    await asyncio.sleep(0)
    fuse.mend()
    await until(living.done)
    assert not first.done()
    assert not dead.done()
    for held in (first, dead):
        held.cancel()
    await asyncio.gather(first, dead, return_exceptions=True)


def test_programs_that_start_at_once_get_their_own_pids() -> None:
    command = [sys.executable, "-c", ECHO]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        home = Nursery(process)
        with ThreadPoolExecutor(8) as threads:
            forks = [threads.submit(home.fork, "", Path(), {}) for _ in range(MANY)]
    assert sorted(fork.result(0) for fork in forks) == list(range(MANY))
