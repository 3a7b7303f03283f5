"""`modelfleet logs`: what a workload's engines print, in whatever cluster they are."""

import asyncio
import os
from typing import Annotated

import typer

from cli.hub_access import NoHubError, asking_hub, hub_kubeconfig
from cli.kubeconfigs import NoContextError, access, named_contexts
from cli.logs.kubectl import Source, follow
from cli.options import Kubeconfig
from cli.output import fail
from cli.programs import NoProgramError, program

Workload = Annotated[
    str, typer.Argument(help="A Workspace, InferenceSet or ModelDeployment on the hub.")
]
Namespace = Annotated[str, typer.Option("-n", "--namespace", help="Of the workload.")]
Follow = Annotated[bool, typer.Option("-f", "--follow", help="Go on as they grow.")]
Tail = Annotated[int, typer.Option("--tail", min=-1, help="Lines of each, at first; -1 is all.")]
Context = Annotated[
    list[str] | None,
    typer.Option("--context", metavar="MEMBER=CONTEXT", help="Where it is not named like it."),
]


def logs(
    workload: Workload,
    namespace: Namespace = "default",
    follow: Follow = False,
    tail: Tail = 20,
    context: Context = None,
    kubeconfig: Kubeconfig = "",
) -> None:
    """Print what the pods of a workload say, in every cluster that it is placed on.

    Example: modelfleet logs phi-4-mini -n chat -f

    Example: modelfleet logs qwen2-7b -n models --context us=prod-us
    """
    try:
        sources = _sources(workload, namespace, kubeconfig, context or [])
        failed = asyncio.run(_print(sources, tail=tail, following=follow))
    except (NoHubError, NoContextError, NoProgramError) as error:
        raise fail(str(error)) from error
    if failed:
        raise typer.Exit(1)


def _sources(workload: str, namespace: str, kubeconfig: str, contexts: list[str]) -> list[Source]:
    named, path = named_contexts(contexts), hub_kubeconfig(kubeconfig, os.environ)
    places = asyncio.run(asking_hub("cli.logs.places").places(path, workload, namespace))
    if not places:
        raise NoHubError(f"{namespace}/{workload} is placed nowhere: `modelfleet get placements`")
    ways = [access(place.member, path, named, os.environ) for place in places]
    return [
        Source(place.member, namespace, place.selector, way)
        for place, way in zip(places, ways, strict=True)
    ]


async def _print(sources: list[Source], *, tail: int, following: bool) -> bool:
    """Print all at the same time; whether one could not be read."""
    binary = program("kubectl", os.environ)
    tasks = [
        follow(binary, source, typer.echo, tail=tail, following=following) for source in sources
    ]
    return any(await asyncio.gather(*tasks))
