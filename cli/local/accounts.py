"""As whom the programs run: accounts that their charts make, in kubeconfigs of their own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import yaml

from cli.charts import NAMESPACE
from cli.local.charts import Release
from cli.local.credentials import Credentials
from cli.local.kubectl import Kubectl
from cli.local.topology import HUB, Fleet
from fleet.kube.tokens import life_of
from fleet.runtime import clock, secret_files

HOURS: Final = 365 * 24
"""Of a program's token: there is no kubelet here that would renew it while the program runs."""
LEFT: Final = timedelta(days=60)
"""With less than this left the next `up` renews it; a running program takes it up by itself."""
_CONTEXT: Final = "modelfleet"


@dataclass(frozen=True, slots=True)
class Account:
    """Whom a ServiceAccount's token file is of."""

    name: str
    namespace: str
    file: Path


def daemon_of(release: Release) -> str:
    """Name the program that runs with a release's rights."""
    if release.cluster == HUB:
        return release.chart
    return f"{release.cluster}-{release.chart.removeprefix('member-')}"


def account_of(release: Release, credentials: Credentials) -> Account:
    return Account(release.name, NAMESPACE, credentials.account_token(daemon_of(release)))


def write_kubeconfig(fleet: Fleet, release: Release, credentials: Credentials) -> None:
    """Say where the cluster is and whose token file to use; no other way in."""
    account = account_of(release, credentials)
    document = kubeconfig(fleet, release.cluster, account)
    file = credentials.kubeconfig(daemon_of(release))
    secret_files.write(file, yaml.safe_dump(document, sort_keys=False))


def kubeconfig(fleet: Fleet, cluster: str, account: Account) -> Mapping[str, Any]:
    server = f"https://127.0.0.1:{fleet.ports(cluster).apiserver}"
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": cluster,
                "cluster": {
                    "server": server,
                    "certificate-authority": str(fleet.authority(cluster)),
                },
            }
        ],
        "users": [{"name": account.name, "user": {"tokenFile": str(account.file)}}],
        "contexts": [{"name": _CONTEXT, "context": {"cluster": cluster, "user": account.name}}],
        "current-context": _CONTEXT,
    }


def lives(account: Account, left: timedelta) -> bool:
    """Say whether the file has a token that lives for so long yet."""
    life = life_of(account.file.read_text()) if account.file.exists() else None
    return life is not None and life.expires - clock.now() > left


async def ask_token(kubectl: Kubectl, account: Account, *, hours: int) -> None:
    arguments = (f"--namespace={account.namespace}", f"--duration={hours}h")
    token = await kubectl.run("create", "token", account.name, *arguments)
    secret_files.write(account.file, token.decode().strip())
