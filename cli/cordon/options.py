"""Options of `modelfleet cordon`, `uncordon` and `drain`, KubeFleet's among them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

import typer

from cli.cordon.errors import CordonError
from cli.options import Kubeconfig
from fleet.api import durations


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Which cluster, and how long it may take."""

    cluster: Annotated[str, typer.Argument(help="Of the fleet; or --cluster-name.")] = ""
    cluster_name: Annotated[
        str, typer.Option("--cluster-name", "--clusterName", help="The same, as KubeFleet has it.")
    ] = ""
    hub_cluster_context: Annotated[
        str,
        typer.Option(
            "--hub-cluster-context",
            "--hubClusterContext",
            "--context",
            help="Of the kubeconfig; else the current one.",
        ),
    ] = ""
    timeout: Annotated[str, typer.Option(help="How long it may take, such as 90s.")] = "5m"
    kubeconfig: Kubeconfig = ""

    @property
    def name(self) -> str:
        given = {self.cluster, self.cluster_name} - {""}
        if len(given) != 1:
            said = " and ".join(sorted(given)) or "no one"
            raise CordonError(f"name one cluster: {said} is not; modelfleet get members lists them")
        return given.pop()

    @property
    def patience(self) -> timedelta:
        try:
            return durations.read(self.timeout)
        except ValueError as error:
            raise CordonError(f"--timeout: {error}") from error
