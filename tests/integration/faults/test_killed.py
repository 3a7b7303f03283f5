"""A program killed at any write of a model's way ends what it began, as if nothing had been."""

import pytest

from fleet.api.names import digest
from fleet.testing.waiting import until
from tests.integration.faults.fuse import Fuse, Point, When, point
from tests.integration.faults.outcome import Outcome
from tests.integration.faults.programs import Forked
from tests.integration.faults.scene import Recording, Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")
HUB = (
    Point("model-deployment", "PATCH", "inferencesets"),
    Point("model-deployment", "PATCH", "resourceplacements"),
    Point("model-deployment", "PATCH", "modeldeployments/status"),
    Point("placement", "POST", "schedulingpolicysnapshots"),
    Point("placement", "POST", "resourcesnapshots"),
    Point("placement", "PATCH", "resourceplacements"),
    Point("placement", "PATCH", "resourceplacements/status"),
    Point("scheduling", "PATCH", "resourceplacements"),
    Point("scheduling", "POST", "resourcebindings"),
    Point("scheduling", "PATCH", "schedulingpolicysnapshots/status"),
    Point("rollout", "PATCH", "resourcebindings"),
    Point("rollout", "PATCH", "resourcebindings/status"),
    Point("work-generation", "PATCH", "resourcebindings"),
    Point("work-generation", "POST", "works"),
    Point("work-generation", "PATCH", "resourcebindings/status"),
    Point("workload-status", "PATCH", "inferencesets/status"),
    Point("endpoints", "PATCH", "modelservices"),
    Point("endpoints", "PATCH", "modelendpoints"),
    Point("endpoints", "PATCH", "modelendpoints/status"),
    Point("services", "PATCH", "modelservices/status"),
)
AGENT = (
    Point("work", "PATCH", "appliedworks"),
    Point("work", "PATCH", "works"),
    Point("work", "POST", "namespaces"),
    Point("work", "PATCH", "inferencesets"),
    Point("work", "PATCH", "appliedworks/status"),
    Point("work", "PATCH", "works/status"),
    Point("inference-set", "PATCH", "inferencesets"),
    Point("inference-set", "PATCH", "workspaces"),
    Point("inference-set", "PATCH", "inferencesets/status"),
    Point("workspace", "PATCH", "workspaces"),
    Point("workspace", "POST", "nodeclaims"),
    Point("workspace", "PATCH", "workspaces/status"),
    Point("workspace", "PATCH", "statefulsets"),
    Point("workspace", "PATCH", "services"),
)
ROLL = (
    Point("work", "PATCH", "configmaps"),
    Point("work", "PATCH", "works/status"),
    Point("inference-set", "PATCH", "inferencesets/status"),
    Point("workspace", "POST", "nodeclaims"),
    Point("workspace", "PATCH", "workspaces/status"),
    Point("workspace", "PATCH", "statefulsets"),
    Point("workspace", "DELETE", "statefulsets"),
    Point("workspace", "PATCH", "nodeclaims"),
    Point("workspace", "DELETE", "nodeclaims"),
)
"""The agent's writes when an engine's config changes, and another node can be had."""
AGENT_NAME = "modelfleet-member-agent"
TABLE = {"modelfleet-hub": HUB, AGENT_NAME: AGENT}
SINGLE = [
    pytest.param(program, each, when, id=f"{when} {each}")
    for program, points in TABLE.items()
    for each in points
    for when in When
]


def _killed(fleet: Scene, program: str) -> Forked:
    return fleet.hub if program == "modelfleet-hub" else fleet.agent


async def test_the_table_has_every_write_of_the_way(fleet: Scene) -> None:
    heard, run = Recording(), "run-points"
    await fleet.undisturbed(run, heard)
    # Nothing waits for an Event, and one that is lost is not told again.
    made = {point(c) for c in heard.writes if c.speaks_of(run) and c.resource != "events"}
    assert made == {(program, each) for program, points in TABLE.items() for each in points}


@pytest.mark.parametrize("program", TABLE)
async def test_a_program_killed_at_each_write_in_turn_ends_what_it_began(
    fleet: Scene, undisturbed: Outcome, program: str
) -> None:
    run = f"run-all-of-{program.rpartition('-')[2]}"
    fuse = Fuse(program, run, TABLE[program], When.AFTER)
    fleet.listen(fuse)
    await fleet.deploy(run)
    await fleet.burn_down(_killed(fleet, program), fuse)
    await fleet.ends_as(run, undisturbed)


async def _tuned(fleet: Scene, run: str) -> None:
    """Have a model that serves with a config of its own."""
    await fleet.configure(run, 4096)
    await fleet.deploy(run, config=run)
    await until(lambda: fleet.answers(run, 4096))


async def test_an_agent_killed_at_each_write_of_a_change_carries_it_through(fleet: Scene) -> None:
    heard, run = Recording(), "run-changed"
    await _tuned(fleet, run)
    await fleet.quiet(heard)
    fleet.listen(heard)
    await fleet.configure(run, 8192)
    await until(lambda: fleet.answers(run, 8192))
    await fleet.quiet(heard)
    changed = await fleet.outcome(run)
    told = [point(c) for c in heard.writes if c.speaks_of(run) and c.resource != "events"]
    assert {each for program, each in told if program == AGENT_NAME} == set(ROLL)
    run = "run-killed-in-change"
    await _tuned(fleet, run)
    fuse = Fuse(AGENT_NAME, run, ROLL, When.AFTER)
    fleet.listen(fuse)
    await fleet.configure(run, 8192)
    await fleet.burn_down(fleet.agent, fuse)
    await fleet.ends_as(run, changed)


@pytest.mark.chaos
@pytest.mark.parametrize(("program", "at", "when"), SINGLE)
async def test_a_program_killed_at_one_write_ends_what_it_began(
    fleet: Scene, undisturbed: Outcome, program: str, at: Point, when: When
) -> None:
    # Not as a digest stands in names: an outcome leaves those out.
    run = f"run-p{digest(program, str(at), when)}"
    fuse = Fuse(program, run, (at,), when)
    fleet.listen(fuse)
    await fleet.deploy(run)
    await fleet.burn_down(_killed(fleet, program), fuse)
    await fleet.ends_as(run, undisturbed)
