"""The `modelfleet` command: a verb is imported when it is used, so that each starts fast."""

import sys
from importlib import import_module
from typing import Final

import typer

VERBS: Final = {
    "explain": "cli.explain:explain",
    "chat": "cli.chat:chat",
    "demo": "cli.demo.command:demo",
    "up": "cli.local.commands:up",
    "down": "cli.local.commands:down",
    "status": "cli.local.commands:status",
    "local": "cli.local.commands:app",
}
"""In the order of `--help`; each is a function or a Typer app."""


def build(arguments: list[str]) -> typer.Typer:
    """Return the application with the verb that is asked for, or with all of them."""
    app = typer.Typer(no_args_is_help=True, pretty_exceptions_show_locals=False)
    app.callback()(modelfleet)
    asked = next((word for word in arguments if not word.startswith("-")), "")
    for verb in [asked] if asked in VERBS else VERBS:
        module, _, name = VERBS[verb].partition(":")
        found = getattr(import_module(module), name)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=verb)
        else:
            app.command(verb)(found)
    return app


def modelfleet() -> None:
    """Place AI inference on a fleet of clusters and serve it behind one OpenAI endpoint."""


def main() -> None:
    build(sys.argv[1:])()


if __name__ == "__main__":
    main()
