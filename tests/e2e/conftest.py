"""One local fleet for all end-to-end tests: four real control planes take a while to start."""

from collections.abc import Iterator

import openai
import pytest

from tests.e2e.local_fleet import LocalFleet, until


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/e2e" in str(item.path):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def whole_fleet() -> Iterator[LocalFleet]:
    """Lend the fleet to tests that break nothing and place nothing that stays."""
    fleet = LocalFleet("e2e")
    fleet.modelfleet("local", "down")
    fleet.modelfleet("local", "up")
    yield fleet
    fleet.modelfleet("local", "down")


@pytest.fixture
def client(whole_fleet: LocalFleet) -> Iterator[openai.OpenAI]:
    """Lend a client of the global gateway, and close its connections afterwards."""
    with whole_fleet.client() as lent:
        yield lent


@pytest.fixture
def fleet(whole_fleet: LocalFleet) -> Iterator[LocalFleet]:
    """Lend the fleet to one test, whole again whatever the last one broke, and empty afterwards."""
    yield whole_fleet
    whole_fleet.modelfleet("local", "up")
    for kind in INTENTS:
        whole_fleet.kubectl("hub", "delete", kind, "--all", "-A", "--wait=false")
    until(lambda: not left_over(whole_fleet), lambda: f"an end of {left_over(whole_fleet)}")


INTENTS = (
    "modeldeployments.modelfleet.dev",
    "modeldeployments.aitoolchain.io",
    "clusterstagedupdateruns",
    "stagedupdateruns",
    "clusterstagedupdatestrategies",
    "stagedupdatestrategies",
    "clusterresourceplacements",
    "resourceplacements",
)


def left_over(fleet: LocalFleet) -> list[str]:
    """Name what is still there of what was placed, on the hub and in the regions."""
    found = fleet.placed("hub", "works.placement.kubernetes-fleet.io")
    for member in ("us", "eu", "apac"):
        found += fleet.placed(member, "nodeclaims,appliedworks.placement.kubernetes-fleet.io")
    return [f"{item['kind']} {item['metadata']['name']}" for item in found]
