"""How a command prints its data: a table for people, JSON or YAML for programs."""

import json
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

import typer
import yaml
from rich.console import Console
from rich.table import Table

WIDE: Final = 160
"""Columns where nobody looks at a terminal."""


class Output(StrEnum):
    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


class View(StrEnum):
    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"

    @property
    def for_programs(self) -> Output | None:
        """How to print a document; None is a table for people."""
        return Output(self) if self in {View.JSON, View.YAML} else None


def print_document(document: object, output: Output) -> None:
    """Print what programs read; TABLE is not for this."""
    if output is Output.YAML:
        typer.echo(yaml.safe_dump(document, sort_keys=False), nl=False)
    else:
        typer.echo(json.dumps(document, indent=2))


def paper() -> Console:
    """Give the terminal where there is one, else a sheet so wide that a pipe breaks no words."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=WIDE)


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    console = paper()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print(table, soft_wrap=not console.is_terminal)


def fail(message: str) -> typer.Exit:
    """Say what is wrong, where errors go; the caller raises what this returns."""
    errors = Console(stderr=True, highlight=False)
    errors.print(message, style="red", markup=False, soft_wrap=True)
    return typer.Exit(1)
