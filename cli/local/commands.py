"""`modelfleet local`: a whole fleet on this machine, with real control planes."""

import asyncio
import os
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console

from cli.local import binaries, processes, take_down
from cli.local import logs as log_files
from cli.local import status as fleet_status
from cli.local.bring_up import BringUp, Parts
from cli.local.errors import LocalError, UnsupportedError
from cli.local.kubectl import Kubectl
from cli.local.progress import Progress
from cli.local.registry import Registry, state_folder
from cli.local.table import table
from cli.local.topology import DEFAULT, REGIONS, Fleet
from cli.output import Output, print_document
from fleet.catalog.catalogue import load

app = typer.Typer(no_args_is_help=True, help=__doc__)


T = TypeVar("T")
PROGRAMS_NEED = ("aiohttp", "cachetools", "httptools", "kopf", "networkx", "uvloop")
FleetName = Annotated[str, typer.Option("--fleet", envvar="MODELFLEET_FLEET", help="Local fleet.")]
Cluster = Annotated[str, typer.Argument(help=f"hub, {', '.join(REGIONS)}")]


@app.command()
def up(
    fleet: FleetName = DEFAULT,
    members: Annotated[str, typer.Option(help="Members, with commas.")] = ",".join(REGIONS),
    control_planes: Annotated[
        bool, typer.Option("--control-planes", help="Clusters only, none of our programs.")
    ] = False,
) -> None:
    """Bring a fleet up, or what is missing of it.

    Example: modelfleet local up
    """
    progress = Progress()
    registry = _registry()
    with _told(), registry.locked(fleet, progress):
        _check_programs()
        found = registry.create(fleet, tuple(filter(None, members.split(","))))
        _run(_up(found, progress, control_planes=control_planes))
        progress.say(f"Fleet {fleet} is up: {found.gateway_url}, `modelfleet local status`")


@app.command()
def down(fleet: FleetName = DEFAULT) -> None:
    """End a fleet and delete all that it left: processes, clusters, files.

    Example: modelfleet local down
    """
    progress = Progress()
    registry = _registry()
    with _told(), registry.locked(fleet, progress):
        _run(take_down.take_down(registry.any(fleet), progress))
        registry.forget(fleet)


@app.command()
def stop(cluster: Cluster, fleet: FleetName = DEFAULT) -> None:
    """Lose a whole region at once: control plane, agent, gateway and engines.

    Example: modelfleet local stop us
    """
    progress = Progress()
    registry = _registry()
    with _told(), registry.locked(fleet, progress):
        found = _with_cluster(registry.get(fleet), cluster)
        with progress.step(f"lose {cluster}"):
            _run(take_down.lose(found, cluster))


@app.command()
def start(cluster: Cluster, fleet: FleetName = DEFAULT) -> None:
    """Bring a lost region back.

    Example: modelfleet local start us
    """
    progress = Progress()
    registry = _registry()
    with _told(), registry.locked(fleet, progress):
        found = _with_cluster(registry.get(fleet), cluster)
        _run(_start(found, cluster, progress))


@app.command()
def status(
    fleet: FleetName = DEFAULT,
    output: Annotated[Output, typer.Option("--output", "-o")] = Output.TABLE,
) -> None:
    """Show every cluster and process of a fleet.

    Example: modelfleet local status -o json
    """
    with _told():
        read = _run(_status(_registry().get(fleet)))
    if output is Output.TABLE:
        Console().print(table(read))
    else:
        print_document(read.document(), output)


@app.command()
def logs(
    name: Annotated[str | None, typer.Argument(help="hub, us-agent, us-kube-apiserver …")] = None,
    fleet: FleetName = DEFAULT,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as they grow.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", help="Of each log, at first.")] = 20,
) -> None:
    """Print the end of one log, or of all our programs'.

    Example: modelfleet local logs us-agent -f
    """
    with _told():
        found = log_files.chosen(_registry().get(fleet), name)
    prefixed = name is None
    for log, path in found.items():
        for line in log_files.last_lines(path, lines):
            typer.echo(f"{log}: {line}" if prefixed else line)
    if follow:
        for log, line in log_files.follow(found):
            typer.echo(f"{log}: {line}" if prefixed else line)


@app.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
def kubectl(context: typer.Context, cluster: Cluster, fleet: FleetName = DEFAULT) -> None:
    """Run kubectl against a cluster of the fleet.

    Example: modelfleet local kubectl hub -- get memberclusters
    """
    with _told():
        found = _with_cluster(_registry().get(fleet), cluster)
        programs = _run(binaries.provide(os.environ, Progress()))
    os.environ["KUBECONFIG"] = str(found.kubeconfig(cluster))
    os.execv(programs["kubectl"], ["kubectl", *context.args])  # noqa: S606


@app.command("binaries")
def provide_binaries(
    output: Annotated[Output, typer.Option("--output", "-o")] = Output.TABLE,
    tests: Annotated[bool, typer.Option(help="What only tests need too.")] = False,
) -> None:
    """Find or build the control planes' programs, and say where they are.

    Example: modelfleet local binaries -o json
    """
    with _told():
        programs = _run(binaries.provide(os.environ, Progress(), tests=tests))
    paths = {name: str(path) for name, path in programs.paths.items()}
    if output is Output.TABLE:
        typer.echo("\n".join(f"{name:24} {path}" for name, path in paths.items()))
    else:
        print_document(paths, output)


async def _up(fleet: Fleet, progress: Progress, *, control_planes: bool) -> None:
    bring_up = await _bring_up(fleet, progress)
    await (bring_up.control_planes() if control_planes else bring_up.all())


async def _start(fleet: Fleet, cluster: str, progress: Progress) -> None:
    await (await _bring_up(fleet, progress)).cluster(cluster)


async def _bring_up(fleet: Fleet, progress: Progress) -> BringUp:
    programs = await binaries.provide(os.environ, progress)
    crds = Path(__file__).parents[2] / "crds"
    return BringUp(
        Parts(fleet=fleet, binaries=programs, catalogue=load(), crds=crds, progress=progress)
    )


async def _status(fleet: Fleet) -> fleet_status.FleetStatus:
    programs = await binaries.provide(os.environ, Progress())
    daemons = processes.table(fleet, programs).values()
    hub = Kubectl.of(fleet, "hub", programs)
    return await fleet_status.read(fleet, daemons, hub, load())


def _check_programs() -> None:
    """Find out before all is built that our own programs could not run."""
    lacking = [name for name in PROGRAMS_NEED if find_spec(name) is None]
    if lacking:
        hint = "install them with: uv tool install 'modelfleet[local]'"
        raise LocalError(f"the fleet's programs need {', '.join(lacking)}; {hint}")


def _registry() -> Registry:
    return Registry(state_folder(os.environ))


def _with_cluster(fleet: Fleet, cluster: str) -> Fleet:
    if cluster not in fleet.clusters:
        raise LocalError(f"no cluster `{cluster}`: there are {', '.join(fleet.clusters)}")
    return fleet


@contextmanager
def _told() -> Iterator[None]:
    """Turn our errors into one clear message and exit code 1."""
    try:
        if sys.platform != "linux":
            raise UnsupportedError("the local fleet runs on Linux only: its processes are Linux's")
        yield
    except LocalError as error:
        Console(stderr=True, highlight=False).print(f"[red]✗[/red] {error}", soft_wrap=True)
        raise typer.Exit(1) from error


def _run(work: Coroutine[object, object, T]) -> T:
    return asyncio.run(work)
