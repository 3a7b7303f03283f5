"""`modelfleet cordon`, `uncordon` and `drain`: nothing new on a cluster, and nothing left there."""

import asyncio
from collections.abc import Awaitable, Callable

import typer

from cli.cordon.errors import CordonError
from cli.cordon.evictions import drain as drained
from cli.cordon.hub import cordon as cordoned
from cli.cordon.hub import uncordon as uncordoned
from cli.cordon.options import Options
from cli.hub_access import NoHubError
from cli.hub_client import hub_client
from cli.options import command
from cli.output import fail
from fleet.kube.client import ApiClient

Doing = Callable[[ApiClient, str], Awaitable[str]]


def _cordon(options: Options) -> None:
    """Keep new placements from a cluster; what is there stays.

    It gets the taint cordon-key=cordon-value:NoSchedule, as by KubeFleet's tools.

    Example: modelfleet cordon us
    """
    _run(options, cordoned)


def _uncordon(options: Options) -> None:
    """Let new placements come to a cluster again.

    Example: modelfleet uncordon us
    """
    _run(options, uncordoned)


def _uncordoncluster(options: Options) -> None:
    """Uncordon a cluster, by KubeFleet's verb.

    Example: modelfleet uncordoncluster --hub-cluster-context hub --cluster-name us
    """
    _run(options, uncordoned)


def _drain(options: Options) -> None:
    """Cordon a cluster and evict all ClusterResourcePlacements from it.

    Each is evicted as far as its ClusterResourcePlacementDisruptionBudget allows; those that pick
    their clusters by name stay, and so do ResourcePlacements.

    Example: modelfleet drain us --timeout 10m
    """
    _run(options, _drained)


def _draincluster(options: Options) -> None:
    """Drain a cluster, by KubeFleet's verb.

    Example: modelfleet draincluster --hub-cluster-context hub --cluster-name us
    """
    _run(options, _drained)


async def _drained(hub: ApiClient, name: str) -> str:
    return await drained(hub, name, _say)


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _run(options: Options, doing: Doing) -> None:
    try:
        typer.echo(asyncio.run(_within(options, doing)))
    except (CordonError, NoHubError) as error:
        raise fail(str(error)) from error


async def _within(options: Options, doing: Doing) -> str:
    name, seconds = options.name, options.patience.total_seconds()
    try:
        async with asyncio.timeout(seconds):
            async with hub_client(options.kubeconfig, options.hub_cluster_context) as hub:
                return await doing(hub, name)
    except TimeoutError as error:
        raise CordonError(f"not done within {options.timeout}: does the hub run?") from error


cordon = command(Options, _cordon)
uncordon = command(Options, _uncordon)
drain = command(Options, _drain)
draincluster = command(Options, _draincluster)
uncordoncluster = command(Options, _uncordoncluster)
