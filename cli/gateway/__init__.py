"""`modelfleet gateway`: the router alone, by a file and without Kubernetes; and how one stands."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Final

import typer

from cli.gateway.status import status
from cli.output import fail

app = typer.Typer(help="Run a gateway by a file, or see how one stands.")
PROGRAM: Final = "gateway"
NEEDED: Final = ("httptools", "uvloop")


@app.callback(invoke_without_command=True)
def gateway(
    context: typer.Context,
    config: Annotated[str, typer.Option(help="What it serves: gateway.yaml.")] = "",
) -> None:
    """Route OpenAI requests to the endpoints that a file names, without Kubernetes.

    The file is read again when it changes; a wrong one leaves the old routes serving.

    Example: modelfleet gateway --config gateway.yaml
    """
    if context.invoked_subcommand:
        return
    if not config:
        typer.echo(context.get_help())
        return
    if not Path(config).is_file():
        raise fail(f"--config: there is no file {config}")
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        hint = "install it with: uv tool install 'modelfleet[gateway]'"
        raise fail(f"modelfleet gateway needs {', '.join(missing)}; {hint}")
    # The program that is installed, and not a folder of its name where the command is typed.
    config_file = str(Path(config).resolve())
    environ = os.environ | {"GATEWAY_CONFIG_FILE": config_file, "PYTHONSAFEPATH": "1"}
    os.execve(sys.executable, [sys.executable, "-m", PROGRAM], environ)  # noqa: S606


app.command("status")(status)
