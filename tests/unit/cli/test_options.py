"""A dataclass as a command's options."""

from dataclasses import dataclass
from typing import Annotated

import typer
from typer.testing import CliRunner

from cli.options import command


@dataclass(frozen=True, kw_only=True)
class Greeting:
    name: Annotated[str, typer.Argument(help="Of whom.")]
    words: Annotated[list[str] | None, typer.Option("-w", "--word")] = None
    loud: Annotated[bool, typer.Option("--loud")] = False


def greet(greeting: Greeting) -> None:
    """Greet somebody."""
    typer.echo(repr(greeting))


def test_each_field_is_an_argument_or_an_option_with_its_default() -> None:
    app = typer.Typer()
    app.command()(command(Greeting, greet))
    said = CliRunner().invoke(app, ["ann", "-w", "a", "-w", "b", "--loud"])
    assert said.stdout.strip() == repr(Greeting(name="ann", words=["a", "b"], loud=True))
    assert CliRunner().invoke(app, ["ann"]).stdout.strip() == repr(Greeting(name="ann"))
    assert CliRunner().invoke(app, []).exit_code == 2
    assert "Greet somebody." in CliRunner().invoke(app, ["--help"]).stdout
