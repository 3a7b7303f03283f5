"""What `modelfleet join` is told."""

from dataclasses import dataclass
from typing import Annotated

import typer

from cli.output import Output


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    name: Annotated[str, typer.Argument(help="Of the member: the cluster's name in the fleet.")]
    region: Annotated[
        str, typer.Option(help="Of the cluster, such as centralus; else what its nodes say.")
    ] = ""
    label: Annotated[
        list[str] | None,
        typer.Option("-l", "--label", metavar="KEY=VALUE", help="By which placements choose."),
    ] = None
    heartbeat: Annotated[
        int | None, typer.Option(min=1, max=600, help="Seconds between the agent's reports.")
    ] = None
    renew: Annotated[
        bool, typer.Option("--renew", help="A new token alone, for a member that is there.")
    ] = False
    kubeconfig: Annotated[
        str, typer.Option(help="The member's: install the agent there too, and wait for it.")
    ] = ""
    context: Annotated[
        str, typer.Option(help="The member's; of the hub's kubeconfig where none is given.")
    ] = ""
    hub_kubeconfig: Annotated[
        str,
        typer.Option(envvar="KUBECONFIG", help="Else ~/.kube/config or the local fleet's."),
    ] = ""
    hub_context: Annotated[str, typer.Option(help="Else the current one.")] = ""
    hub_url: Annotated[
        str, typer.Option(help="Of the hub's API server as the agent reaches it.")
    ] = ""
    output_dir: Annotated[
        str, typer.Option(help="Put token and values into files there instead of the screen.")
    ] = ""
    charts: Annotated[
        str, typer.Option(help="Folder or oci:// address; else those of this command.")
    ] = ""
    timeout: Annotated[
        float, typer.Option(min=1, help="Seconds to wait for the hub, and for the agent.")
    ] = 300.0
    output: Annotated[
        Output, typer.Option("-o", "--output", help="A script for people, or for programs.")
    ] = Output.TABLE

    @property
    def both_sides(self) -> bool:
        return bool(self.kubeconfig or self.context)
