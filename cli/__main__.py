"""The `modelfleet` command: a verb is imported when it is used, so that each starts fast."""

import os
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Final

import typer

from cli.completion import ASKED, WORDS

VERBS: Final = {
    "join": "cli.join:join",
    "leave": "cli.leave:leave",
    "explain": "cli.explain:explain",
    "get": "cli.get:get",
    "rollout": "cli.rollout:app",
    "approve": "cli.approve:approve",
    "cordon": "cli.cordon:cordon",
    "uncordon": "cli.cordon:uncordon",
    "drain": "cli.cordon:drain",
    "draincluster": "cli.cordon:draincluster",
    "uncordoncluster": "cli.cordon:uncordoncluster",
    "logs": "cli.logs:logs",
    "chat": "cli.chat:chat",
    "gateway": "cli.gateway:app",
    "demo": "cli.demo.command:demo",
    "doctor": "cli.doctor:doctor",
    "up": "cli.local.commands:up",
    "down": "cli.local.commands:down",
    "status": "cli.local.commands:status",
    "local": "cli.local.commands:app",
    "completion": "cli.completion:completion",
}
"""In the order of `--help`; each is a function or a Typer app."""
_OURS: Final = ("cli", "fleet")
_ANYTHING: Final = {"ignore_unknown_options": True, "allow_extra_args": True}


def build(arguments: list[str], *, names_only: bool = False) -> typer.Typer:
    """Return the application with the verb that is asked for, or with all of them.

    A shell that completes a verb needs no more than their names.
    """
    app = typer.Typer(no_args_is_help=True, pretty_exceptions_show_locals=False)
    app.callback()(modelfleet)
    asked = next((word for word in arguments if not word.startswith("-")), "")
    for verb in [asked] if asked in VERBS else VERBS:
        if names_only and verb != asked:
            app.command(verb)(modelfleet)
        else:
            _add(app, verb)
    return app


def _add(app: typer.Typer, verb: str) -> None:
    module, _, name = VERBS[verb].partition(":")
    try:
        found = getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        if not error.name or error.name.partition(".")[0] in _OURS:
            raise
        app.command(verb, context_settings=_ANYTHING)(_lacking(verb, error.name))
        return
    if isinstance(found, typer.Typer):
        app.add_typer(found, name=verb)
    else:
        app.command(verb)(found)


def _lacking(verb: str, what: str) -> Callable[[], None]:
    """Stand for a verb whose libraries are not installed: the others are there all the same."""

    def lacking() -> None:
        hint = "install it with: uv tool install 'modelfleet[local]'"
        typer.echo(f"modelfleet {verb} needs {what}; {hint}", err=True)
        raise typer.Exit(1)

    lacking.__doc__ = "Needs modelfleet[local], which is not installed."
    return lacking


def modelfleet() -> None:
    """Place AI inference on a fleet of clusters and serve it behind one OpenAI endpoint."""


def main() -> None:
    """Run what the command line says; kubectl runs us too, as the plugin that we are called."""
    name = Path(sys.argv[0]).name
    program = name.replace("-", " ", 1) if name.startswith("kubectl-") else "modelfleet"
    completing = ASKED in os.environ
    words = _words(os.environ) if completing else sys.argv[1:]
    build(words, names_only=completing)(prog_name=program)


def _words(environ: Mapping[str, str]) -> list[str]:
    """Take the words so far that a shell wants completed."""
    return next((environ[name] for name in WORDS if name in environ), "").split()[1:]


if __name__ == "__main__":
    main()
