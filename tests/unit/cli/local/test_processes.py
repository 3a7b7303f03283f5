"""The table of programs."""

from pathlib import Path

from cli.local import processes
from cli.local.binaries import Binaries
from cli.local.credentials import Credentials
from cli.local.products import TOOLS
from cli.local.topology import REGIONS, Fleet

BINARIES = Binaries({tool.name: Path("/bin") / tool.name for tool in TOOLS}, Path("/crds"))
FLEET = Fleet("t", 1, tuple(REGIONS), Path("/state/t"))
TABLE = processes.table(FLEET, BINARIES)


def test_there_is_a_hub_a_gateway_and_four_programs_in_every_region() -> None:
    regional = {f"{m}-{p}" for m in REGIONS for p in ("karpenter", "agent", "gateway", "runner")}
    assert set(TABLE) == {"hub", "gateway", *regional}


def test_what_belongs_to_a_region_is_lost_with_it_and_the_global_gateway_is_not() -> None:
    assert TABLE["us-agent"].cluster == "us"
    assert TABLE["gateway"].cluster == ""


def test_every_program_says_whether_it_is_ready() -> None:
    for daemon in TABLE.values():
        assert daemon.health.startswith("http://127.0.0.1:"), daemon.name


def test_no_two_programs_listen_on_one_port() -> None:
    ports = [port for daemon in TABLE.values() for port in daemon.ports]
    assert len(ports) == len(set(ports))


def test_an_agent_reports_the_address_that_its_gateway_listens_on() -> None:
    listen = TABLE["eu-gateway"].environ["GATEWAY_LISTEN"]
    assert TABLE["eu-agent"].environ["MEMBER_AGENT_GATEWAY_URL"] == f"http://{listen}/v1"


def test_secrets_are_given_as_files() -> None:
    key = Credentials(FLEET.secrets).client_key
    for daemon in TABLE.values():
        assert str(key) not in daemon.environ.values()
        assert not any("mf-" in value for value in daemon.environ.values())


def test_a_runner_and_its_gateway_are_of_the_same_region() -> None:
    assert TABLE["apac-runner"].environ["RUNNER_NETWORK"] == FLEET.network("apac")
    assert TABLE["apac-gateway"].environ["GATEWAY_REGION"] == "japaneast"
