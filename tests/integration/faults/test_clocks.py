"""A program whose clock is wrong by five minutes goes by its server's, and does as any other."""

import pytest

from tests.integration.faults.outcome import Outcome
from tests.integration.faults.scene import Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")
OFFSET = "MODELFLEET_CLOCK_OFFSET_SECONDS"
SKEW_SECONDS = 310
"""Longer than a launch may take, and than a member's silence is believed."""


@pytest.mark.parametrize("seconds", [SKEW_SECONDS, -SKEW_SECONDS])
@pytest.mark.parametrize("program", ["hub", "agent"])
async def test_a_clock_that_is_wrong_by_five_minutes_disturbs_nothing(
    fleet: Scene, undisturbed: Outcome, program: str, seconds: int
) -> None:
    run = f"run-{program}-{'ahead' if seconds > 0 else 'behind'}"
    wrong = {"hub": fleet.hub, "agent": fleet.agent}[program]
    fleet.listen_no_more()
    await wrong.kill()
    wrong.environ = {**wrong.environ, OFFSET: str(seconds)}
    try:
        await wrong.launch()
        await fleet.deploy(run)
        await fleet.ends_as(run, undisturbed, seconds=60)
    finally:
        await wrong.kill()
        wrong.environ = {**wrong.environ, OFFSET: "0"}
        await wrong.launch()
