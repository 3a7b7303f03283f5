"""`modelfleet leave`: a member goes, and its workloads stay."""

import asyncio
import sys
from dataclasses import dataclass
from typing import Annotated

import typer

from cli.hub_access import NoHubError
from cli.hub_client import hub_client
from cli.leave.farewell import AFTERWARDS, outlook
from cli.leave.hub import LeaveError, found, gone, let_go
from cli.local.progress import Progress
from cli.options import command
from cli.output import fail
from fleet.kube.client import ApiClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    name: Annotated[str, typer.Argument(help="Of the member.")]
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")] = False
    skip_export_check: Annotated[
        bool,
        typer.Option(
            "--skip-export-check", help="Leave although it exports Services (validationMode: Skip)."
        ),
    ] = False
    timeout: Annotated[
        float, typer.Option(min=1, help="Seconds to wait; the hub waits 900 for a silent agent.")
    ] = 1200.0
    kubeconfig: Annotated[
        str,
        typer.Option(
            "--kubeconfig",
            "--hub-kubeconfig",
            envvar="KUBECONFIG",
            help="The hub's; else ~/.kube/config or the local one.",
        ),
    ] = ""
    context: Annotated[
        str, typer.Option("--context", "--hub-context", help="Else the current one.")
    ] = ""


def _leave(options: Options) -> None:
    """Take a member out of the fleet; what runs on it goes on running.

    It says first what will happen, and asks.

    Example: modelfleet leave us

    Example: modelfleet leave us --yes --timeout 60
    """
    try:
        asyncio.run(_run(options))
    except (LeaveError, NoHubError) as error:
        raise fail(str(error)) from error


async def _run(options: Options) -> None:
    progress, name = Progress(), options.name
    async with hub_client(options.kubeconfig, options.context) as hub:
        await _begin(hub, options)
        with progress.step(f"{name} leaves"):
            await gone(hub, name, options.timeout, progress.say)
    typer.echo(f"{name} has left the fleet. {AFTERWARDS}")


async def _begin(hub: ApiClient, options: Options) -> None:
    """Delete the member once its user has agreed; where it leaves already there is no question."""
    there = await found(hub, options.name)
    if there.member.deleting:
        return
    typer.echo("\n".join(outlook(there, hub.now())), err=True)
    if not options.yes:
        if not sys.stdin.isatty():
            raise LeaveError("nobody can be asked here, and nothing was changed: say --yes")
        if not typer.confirm(f"Let {options.name} leave?", err=True):
            raise LeaveError("nothing was changed")
    await let_go(hub, there.member, skip_exports=options.skip_export_check)


leave = command(Options, _leave)
