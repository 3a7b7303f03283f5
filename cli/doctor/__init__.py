"""`modelfleet doctor`: what is wrong with a fleet, and the way out."""

import asyncio
import os
from typing import Annotated, Final

import typer
from rich.markup import escape

from cli.doctor import hub, surroundings
from cli.doctor.checks import findings
from cli.doctor.facts import Facts
from cli.doctor.findings import Finding, State, document, wrong
from cli.endpoint import Endpoint, EndpointError, endpoint
from cli.hub_access import NoHubError, hub_kubeconfig, local_fleet
from cli.local.topology import Fleet
from cli.options import Format, Kubeconfig
from cli.output import Output, fail, print_document, print_table
from fleet.runtime import clock
from fleet.runtime.gauges import product_version

STYLES: Final = {
    State.OK: "green",
    State.WARNING: "yellow",
    State.FAILED: "red",
    State.SKIPPED: "dim",
}
HEADINGS: Final = ("CHECK", "STATE", "WHAT", "WAY OUT")
Url = Annotated[str, typer.Option(envvar="MODELFLEET_URL", help="Of a gateway's API: …/v1.")]
ApiKey = Annotated[str, typer.Option(envvar="MODELFLEET_KEY", help="For the gateway.")]
Context = Annotated[str, typer.Option(help="Of the hub; else the current one.")]


def doctor(
    url: Url = "",
    key: ApiKey = "",
    output: Format = Output.TABLE,
    kubeconfig: Kubeconfig = "",
    context: Context = "",
) -> None:
    """Look at hub, members, gateway and tools; say what is wrong, and the way out.

    The exit code is 1 where something is wrong.

    Example: modelfleet doctor

    Example: modelfleet doctor --url https://models.example.com/v1 --key "$KEY"
    """
    local = _local(kubeconfig)
    try:
        asked = _endpoint(url, key, local)
    except EndpointError as error:
        raise fail(str(error)) from error
    found = findings(asyncio.run(_look(kubeconfig, context, local, asked)))
    if output is Output.TABLE:
        print_table(HEADINGS, map(_row, found))
    else:
        print_document(document(found), output)
    if wrong(found):
        raise typer.Exit(1)


def _row(finding: Finding) -> tuple[str, ...]:
    state = f"[{STYLES[finding.state]}]{finding.state}[/]"
    return finding.check, state, escape(finding.message), escape(finding.way_out)


async def _look(
    kubeconfig: str, context: str, local: Fleet | None, asked: Endpoint | None
) -> Facts:
    seen, tools = await asyncio.gather(
        hub.look(kubeconfig, context), surroundings.tools(os.environ)
    )
    return Facts(
        now=seen.time or clock.now(),
        release=product_version(),
        hub=await surroundings.with_program(seen, local) if local else seen,
        gateway=await surroundings.gateway(asked) if asked else None,
        tools=tools,
        tokens=surroundings.tokens(local) if local else {},
    )


def _local(kubeconfig: str) -> Fleet | None:
    """Find the local fleet whose hub is looked at."""
    try:
        return local_fleet(hub_kubeconfig(kubeconfig, os.environ), os.environ)
    except NoHubError:
        return None


def _endpoint(url: str, key: str, local: Fleet | None) -> Endpoint | None:
    if not url and local is None:
        return None
    return endpoint(url=url, key=key, fleet=local.name if local else "")
