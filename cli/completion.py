"""`modelfleet completion`: the script by which a shell completes our commands."""

import os
from enum import StrEnum
from typing import Annotated, Final

import typer

ASKED: Final = "_MODELFLEET_COMPLETE"
"""Variable by which a shell asks the program to complete, or for the script to do so."""
WORDS: Final = ("_TYPER_COMPLETE_ARGS", "COMP_WORDS")
"""Variables in which the scripts pass the command line so far."""


class Shell(StrEnum):
    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    POWERSHELL = "powershell"


def completion(shell: Annotated[Shell, typer.Argument(help="Whose script to print.")]) -> None:
    """Print the script that completes commands and options in a shell.

    Example: modelfleet completion bash
    """
    os.environ[ASKED] = f"source_{shell.value}"
    app = typer.Typer()
    app.command()(lambda: None)
    app(prog_name="modelfleet")
