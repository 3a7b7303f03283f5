"""A hub and a member on API servers of their own, shared by the tests of a module."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from fleet.testing.apiserver import ApiServer
from fleet.testing.fixtures import member_server, server
from tests.integration.faults.outcome import Outcome
from tests.integration.faults.programs import Nursery, nursery
from tests.integration.faults.scene import Recording, Scene, Stage, scene

__all__ = ["member_server", "server"]


TIMEOUT_SECONDS = 900
"""For a test and the scene that it may be the first to set: no deadline in it is cut off."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "integration/faults" in str(item.path):
            item.add_marker(pytest.mark.faults)
            item.add_marker(pytest.mark.timeout(TIMEOUT_SECONDS))


@pytest.fixture(scope="session")
def programs() -> Iterator[Nursery]:
    with nursery() as made:
        yield made


@pytest.fixture(scope="module")
def stage(
    server: ApiServer,
    member_server: ApiServer,
    programs: Nursery,
    tmp_path_factory: pytest.TempPathFactory,
) -> Stage:
    return Stage(server, member_server, programs, tmp_path_factory.mktemp("scene"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet(stage: Stage) -> AsyncIterator[Scene]:
    async with scene(stage) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def undisturbed(fleet: Scene, request: pytest.FixtureRequest) -> Outcome:
    """What a run comes to when nothing befalls it; modules share servers, and what is on them."""
    run = f"run-undisturbed-{request.module.__name__.rpartition('_')[2]}"
    return await fleet.undisturbed(run, Recording())
