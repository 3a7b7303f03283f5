"""What all tests are told by the command line."""

import pytest


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
