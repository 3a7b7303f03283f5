"""`modelfleet rollout status` and `watch` of runs on a real API server."""

import asyncio
import sys
from collections.abc import AsyncIterator

import pytest

from tests.integration.cli.rollouts import (
    ENDED,
    FAILED,
    GOING,
    PLANNED,
    STARTED,
    UPDATED,
    WAITING,
    Rollouts,
)

AVAILABLE = ("Available", "True", "AllWorkAreAvailable")
DEADLINE_SECONDS = 60


async def test_a_placement_leads_to_the_newest_of_its_runs(rollouts: Rollouts) -> None:
    await rollouts.placement()
    old = await rollouts.run(1)
    await rollouts.far(old, PLANNED, ENDED, clusters={"us": [STARTED, UPDATED]})
    new = await rollouts.run(2)
    await rollouts.far(new, PLANNED, GOING, clusters={"us": [STARTED], "eu": []})
    found = await rollouts.document("status", rollouts.name)
    assert (found["name"], found["state"]) == (new.name, "updating")
    assert [one["state"] for one in found["stages"][0]["clusters"]] == ["updating", "pending"]
    named = await rollouts.document("status", old.name)
    assert (named["name"], named["ended"]) == (old.name, True)


async def test_a_placement_that_rolls_out_by_itself_shows_its_clusters(rollouts: Rollouts) -> None:
    await rollouts.placement("RollingUpdate")
    await rollouts.binding("us", 3, AVAILABLE)
    await rollouts.binding("eu", 2, AVAILABLE)
    result = await rollouts.command("status", rollouts.name)
    assert result.exit_code == 0
    rows = [line.split()[:4] for line in result.stdout.splitlines()]
    assert ["eu", "pending", "-", "2"] in rows
    assert "Waits for: eu" in result.stdout


async def test_a_run_that_failed_says_why_and_exits_so(rollouts: Rollouts) -> None:
    run = await rollouts.run(3)
    await rollouts.far(run, PLANNED, FAILED)
    result = await rollouts.command("status", run.name)
    assert result.exit_code == 1
    assert "Why: the policy changed" in result.stdout
    watched = await rollouts.command("watch", run.name)
    assert watched.exit_code == 1
    assert "failed (0/0): the policy changed" in watched.stdout


async def test_what_is_not_there_is_said_with_where_it_was_looked_for(rollouts: Rollouts) -> None:
    for words, said in (
        (("none",), "there is no ClusterResourcePlacement or ClusterStagedUpdateRun none on"),
        (("none", "-n", "x"), "there is no ResourcePlacement or StagedUpdateRun x/none on"),
        (("run/none",), "there is no ClusterStagedUpdateRun none on"),
    ):
        result = await rollouts.command("status", *words)
        assert (result.exit_code, said in result.stderr) == (1, True)


async def test_what_does_not_end_in_time_says_what_it_waits_for(rollouts: Rollouts) -> None:
    run = await rollouts.run(1)
    await rollouts.far(run, PLANNED, WAITING, clusters={"us": [STARTED, UPDATED]}, waits=True)
    result = await rollouts.command("status", run.name, "--watch", "--timeout", "1")
    assert result.exit_code == 3
    assert "has not ended within 1 s" in result.stderr
    assert f"approval {run.name}-after-all after stage all" in result.stderr
    assert "Next: `modelfleet rollout approve" in result.stdout


@pytest.fixture
async def watching(rollouts: Rollouts) -> AsyncIterator[asyncio.subprocess.Process]:
    words = ("rollout", "watch", rollouts.name, "--kubeconfig", str(rollouts.kubeconfig))
    await rollouts.placement()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", *words), stdout=asyncio.subprocess.PIPE
    )
    yield process
    if process.returncode is None:
        process.kill()
        await process.wait()


async def test_a_watch_waits_for_a_run_and_tells_each_change_to_its_end(
    rollouts: Rollouts, watching: asyncio.subprocess.Process
) -> None:
    assert watching.stdout

    async def told(text: str) -> None:
        assert watching.stdout
        async for line in watching.stdout:
            if text in line.decode():
                return
        raise AssertionError(text)

    async with asyncio.timeout(DEADLINE_SECONDS):
        await told("waits for a ClusterStagedUpdateRun of this placement")
        run = await rollouts.run(1)
        await told(f"{run.name}: pending")
        await rollouts.far(run, PLANNED, GOING, clusters={"us": [STARTED]})
        await told("stage all: us is updating")
        await rollouts.run(2)
        await rollouts.far(run, PLANNED, ENDED, clusters={"us": [STARTED, UPDATED]})
        await told("stage all: us is done")
        await told(f"{run.name}: done (1/1)")
        assert await watching.wait() == 0
