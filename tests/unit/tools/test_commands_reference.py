"""The page of commands says what `--help` does, of each command."""

from typing import Annotated

import typer

from tools.commands_reference import page


def greet(
    whom: Annotated[str, typer.Argument(help="Who it is.")],
    loud: Annotated[bool, typer.Option("--loud", "-l", help="Shout|cry.")] = False,
    times: Annotated[int, typer.Option(envvar="TIMES", help="How often.")] = 2,
) -> None:
    """Greet <somebody>.

    Example: modelfleet people greet you
    """
    typer.echo(f"{whom} {loud} {times}")


def application() -> typer.Typer:
    people = typer.Typer()
    people.callback()(lambda: None)
    people.command()(greet)
    app = typer.Typer(add_completion=False)
    app.callback()(lambda: None)
    app.add_typer(people, name="people")
    return app


def test_a_command_has_its_usage_help_example_and_options() -> None:
    text = page(typer.main.get_command(application()))
    assert text.splitlines()[4:] == [
        "## people greet",
        "",
        "```text",
        "modelfleet people greet [OPTIONS] WHOM",
        "```",
        "",
        "Greet &lt;somebody>.",
        "",
        "```console",
        "$ modelfleet people greet you",
        "```",
        "",
        "| | |",
        "| --- | --- |",
        "| `WHOM` | Who it is |",
        "| `--loud, -l` | Shout\\|cry |",
        "| `--times` | How often; `$TIMES`; default `2` |",
    ]
