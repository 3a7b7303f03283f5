"""One local fleet for all end-to-end tests: four real control planes take a while to start."""

import time
from collections.abc import Iterator

import pytest

from tests.e2e.local_fleet import LocalFleet, until


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/e2e" in str(item.path):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def whole_fleet() -> Iterator[LocalFleet]:
    fleet = LocalFleet("e2e")
    fleet.modelfleet("local", "down")
    fleet.modelfleet("local", "up")
    yield fleet
    fleet.modelfleet("local", "down")


@pytest.fixture
def fleet(whole_fleet: LocalFleet) -> Iterator[LocalFleet]:
    """Lend the fleet to one test, whole again whatever the last one broke, and empty afterwards."""
    started = time.monotonic()
    whole_fleet.modelfleet("local", "up")
    yield whole_fleet
    whole_fleet.modelfleet("local", "up")
    for kind in ("clusterresourceplacements", "resourceplacements", "modeldeployments"):
        whole_fleet.kubectl("hub", "delete", kind, "--all", "-A", "--wait=false")
    until(lambda: _empty(whole_fleet), "an empty fleet", seconds=180)
    print(f"{time.monotonic() - started:.0f} s")  # noqa: T201


def _empty(fleet: LocalFleet) -> bool:
    works = fleet.items("hub", "works.placement.kubernetes-fleet.io")
    claims = [fleet.items(member, "nodeclaims") for member in ("us", "eu", "apac")]
    return not works and not any(claims)
