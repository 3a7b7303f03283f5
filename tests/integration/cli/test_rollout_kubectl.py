"""kubectl steers a run as docs/rollouts.md says: its commands, run as they stand there."""

import asyncio
import os
import re
import shlex
from pathlib import Path

from cli.rollout.approvals import approved
from fleet.testing.apiserver import binaries
from tests.integration.cli.rollouts import ENDED, PLANNED, Rollouts

DEADLINE_SECONDS = 60
PAGE = Path(__file__).parents[3] / "docs" / "rollouts.md"
COMMANDS = re.findall(r"^\$ kubectl ((?!modelfleet).*)$", PAGE.read_text("utf-8"), re.MULTILINE)


async def kubectl(rollouts: Rollouts, command: str) -> str:
    """Run a command of the page on this test's run and request."""
    words = shlex.split(command.replace("after-us", "after-all").replace("chat", rollouts.name))
    process = await asyncio.create_subprocess_exec(
        str(binaries(os.environ) / "kubectl"),
        *words,
        env={**os.environ, "KUBECONFIG": str(rollouts.kubeconfig)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            said, wrong = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert (process.returncode, wrong) == (0, b""), command
    return said.decode()


async def test_the_page_s_commands_approve_pause_resume_and_wait(rollouts: Rollouts) -> None:
    await rollouts.snapshot(1, "--fast")
    await rollouts.binding("us", 1)
    run = await rollouts.run(2)
    request = await rollouts.request(run)
    *steering, waiting = COMMANDS
    said = [await kubectl(rollouts, command) for command in steering]
    assert request.name in said[0]
    assert ["patched" in text for text in said[2:5]] == [True, True, True]
    assert f"{rollouts.name}-1-snapshot" in said[5]
    assert said[6].split()[-2:] == ["us", f"{rollouts.name}-1-snapshot"]
    found = await rollouts.client.get(type(request), request.key)
    assert found
    assert approved(found)
    there = await rollouts.client.get(type(run), run.key)
    assert there
    assert there.metadata.generation == 3
    await rollouts.far(there, PLANNED, ENDED)
    assert "condition met" in await kubectl(rollouts, waiting)
