"""What all tests are told by the command line."""

import pytest
from hypothesis import HealthCheck, settings

# Nothing is judged by the clock of a machine that may be busy.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--outage-seconds",
        type=float,
        default=10.0,
        help="how long a server is away in the tests of outages",
    )


@pytest.fixture(scope="session")
def outage_seconds(request: pytest.FixtureRequest) -> float:
    return float(request.config.getoption("--outage-seconds"))
