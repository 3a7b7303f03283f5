"""As whom the fleet's programs run."""

from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from cli.charts import charts_folder
from cli.local import accounts
from cli.local.accounts import Account
from cli.local.charts import Release, releases
from cli.local.credentials import Credentials
from cli.local.topology import Fleet
from fleet.kube.config import from_kubeconfig
from fleet.runtime import clock
from fleet.testing.tokens import signed
from tests.unit.cli.local.test_processes import FLEET, TABLE

ALL = [release for cluster in FLEET.clusters for release in releases(FLEET, cluster)]
STANDS_FOR_CLOUD_AND_KUBELET = {f"{m}-{p}" for m in FLEET.members for p in ("karpenter", "runner")}


def test_our_programs_run_as_their_charts_accounts_and_never_as_admin() -> None:
    credentials = Credentials(FLEET.secrets)
    admins = {str(FLEET.kubeconfig(cluster)) for cluster in FLEET.clusters}
    given = {name: daemon.environ["KUBECONFIG"] for name, daemon in TABLE.items()}
    assert {name for name, path in given.items() if path in admins} == STANDS_FOR_CLOUD_AND_KUBELET
    own = {accounts.daemon_of(release): release for release in ALL}
    assert own.keys() == TABLE.keys() - STANDS_FOR_CLOUD_AND_KUBELET
    for name, release in own.items():
        assert given[name] == str(credentials.kubeconfig(name))
        assert TABLE[name].cluster in (release.cluster, "")


def test_a_kubeconfig_knows_no_other_way_in_than_the_accounts_token(tmp_path: Path) -> None:
    fleet = Fleet("t", 1, ("us",), tmp_path)
    credentials = Credentials(fleet.secrets)
    credentials.create()
    (release, _) = releases(fleet, "us")
    account = accounts.account_of(release, credentials)
    account.file.write_text("t0ken")
    fleet.authority("us").parent.mkdir(parents=True)
    fleet.authority("us").touch()
    accounts.write_kubeconfig(fleet, release, credentials)
    file = credentials.kubeconfig("us-agent")
    assert "t0ken" not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    (user,) = yaml.safe_load(file.read_text())["users"]
    assert user == {
        "name": "modelfleet-member-agent",
        "user": {"tokenFile": str(account.file)},
    }
    connection = from_kubeconfig(str(file))
    assert connection.server == f"https://127.0.0.1:{fleet.ports('us').apiserver}"
    assert connection.credentials.header() == "Bearer t0ken"
    account.file.write_text("another")
    connection.credentials.renew()
    assert connection.credentials.header() == "Bearer another"


@pytest.mark.parametrize(("days", "alive"), [(365, True), (61, True), (59, False), (-1, False)])
def test_a_token_near_its_end_is_asked_for_anew(tmp_path: Path, days: int, alive: bool) -> None:
    file = tmp_path / "token"
    now = clock.now()
    file.write_text(signed(now - timedelta(days=365), timedelta(days=365 + days).total_seconds()))
    assert accounts.lives(Account("a", "b", file), accounts.LEFT) is alive


def test_no_token_is_none_that_lives(tmp_path: Path) -> None:
    assert not accounts.lives(Account("a", "b", tmp_path / "none"), accounts.LEFT)


@pytest.mark.parametrize("release", ALL, ids=accounts.daemon_of)
def test_no_pod_is_started_beside_the_processes(release: Release) -> None:
    assert release.values["replicas"] == 0
    assert (charts_folder() / release.chart / "Chart.yaml").exists()
