"""What all tests are told by the command line."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Nothing is judged by the clock of a machine that may be busy.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")
INTEGRATION = Path(__file__).parent / "integration"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--outage-seconds",
        type=float,
        default=10.0,
        help="how long a server is away in the tests of outages",
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with tests that wait for processes; those that only compute fill the end.

    The tests of a folder stay together, as they share servers that end with the last of them.
    """
    folders = {item.path.parent: None for item in items}
    place = {folder: number for number, folder in enumerate(folders)}
    items.sort(key=lambda item: (INTEGRATION not in item.path.parents, place[item.path.parent]))


@pytest.fixture(scope="session")
def outage_seconds(request: pytest.FixtureRequest) -> float:
    return float(request.config.getoption("--outage-seconds"))
