"""Options of the verbs below `modelfleet rollout`."""

from dataclasses import dataclass
from typing import Annotated

import typer

from cli.options import Kubeconfig
from cli.output import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A rollout, and the hub that it is on."""

    name: Annotated[
        str, typer.Argument(help="Of a placement, for the newest of its runs, or of a run.")
    ]
    namespace: Annotated[
        str,
        typer.Option("-n", "--namespace", help="Of a ResourcePlacement or its StagedUpdateRun."),
    ] = ""
    kubeconfig: Kubeconfig = ""
    context: Annotated[
        str, typer.Option("--context", "--hub-context", help="Of the hub; else the current one.")
    ] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewed(Named):
    """A rollout that is shown."""

    output: Annotated[
        View, typer.Option("-o", "--output", help="For people, with details, or for programs.")
    ] = View.TABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched(Viewed):
    """A rollout that may be followed to its end."""

    timeout: Annotated[
        float, typer.Option(min=0, help="Seconds to watch; 0 is for as long as it takes.")
    ] = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked(Watched):
    """A rollout that is looked at once, or followed."""

    watch: Annotated[bool, typer.Option("-w", "--watch", help="Follow it to its end.")] = False
