"""`modelfleet get`: what the hub knows of members, placements and what became of them."""

import asyncio
from typing import Annotated

import typer

from cli.get.nouns import NOUNS, Noun, rows
from cli.hub_access import NoHubError, asking_hub
from cli.options import Format, Kubeconfig
from cli.output import Output, fail, print_document, print_table
from fleet.runtime import clock

What = Annotated[Noun, typer.Argument(help="What to show.")]
Name = Annotated[str, typer.Argument(help="Of the one to show.")]
Namespace = Annotated[
    str, typer.Option("-n", "--namespace", help="All of them where it is not given.")
]
Selector = Annotated[str, typer.Option("-l", "--selector", help="Labels: region=eu,tier!=test.")]


def get(
    what: What,
    name: Name = "",
    namespace: Namespace = "",
    selector: Selector = "",
    output: Format = Output.TABLE,
    kubeconfig: Kubeconfig = "",
) -> None:
    """Show members, placements, bindings, works or endpoints of the fleet.

    Example: modelfleet get members

    Example: modelfleet get bindings -o json
    """
    try:
        hub = asking_hub("cli.get.hub")
        found = asyncio.run(hub.read(kubeconfig, what, namespace, selector))
    except NoHubError as error:
        raise fail(str(error)) from error
    if name:
        found = [resource for resource in found if resource.model.name == name]
        if not found:
            where = f" in {namespace}" if namespace else ""
            raise fail(f"there is none of the {what} named {name}{where} on the hub")
    if output is Output.TABLE:
        print_table(NOUNS[what].headings, rows(what, [r.model for r in found], clock.now()))
        return
    items = [resource.body for resource in found]
    print_document({"apiVersion": "v1", "kind": "List", "items": items}, output)
