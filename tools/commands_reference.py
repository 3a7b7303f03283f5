"""Writes the page of commands: what `--help` says of each."""

from collections.abc import Iterator
from enum import Enum
from typing import Any, Final

from tools.markdown import cell

NAME: Final = "commands.md"
_NOTE: Final = "<!-- Generated from cli by `make generate`: change the commands' own help. -->\n"
_EXAMPLE: Final = "Example: "


def page(root: Any) -> str:
    """Write the page of a command and all below it."""
    sections = "\n".join(_section(path, command) for path, command in _leaves(root, ()))
    return f"{_NOTE}\n# Commands\n\n{sections}"


def _leaves(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    below = getattr(command, "commands", None)
    if below is None:
        yield path, command
        return
    for name, child in below.items():
        yield from _leaves(child, (*path, name))


def _section(path: tuple[str, ...], command: Any) -> str:
    shown = [one for one in command.params if not one.hidden and one.name != "help"]
    arguments = [one for one in shown if one.param_type_name == "argument"]
    usage = " ".join(["modelfleet", *path, "[OPTIONS]", *map(_argument, arguments)])
    rows = "\n".join(_row(one) for one in shown)
    table = f"\n| | |\n| --- | --- |\n{rows}\n" if rows else ""
    return f"## {' '.join(path)}\n\n```text\n{usage}\n```\n\n{_help(command.help or '')}\n{table}"


def _help(text: str) -> str:
    """Set examples apart, each in a block."""
    paragraphs = [" ".join(part.split()) for part in text.split("\n\n")]
    return "\n\n".join(map(_paragraph, paragraphs))


def _paragraph(text: str) -> str:
    if text.startswith(_EXAMPLE):
        return f"```console\n$ {text.removeprefix(_EXAMPLE)}\n```"
    return text.replace("<", "&lt;")


def _argument(one: Any) -> str:
    name = str(one.name).upper()
    return name if one.required else f"[{name}]"


def _row(one: Any) -> str:
    names = str(one.name).upper() if one.param_type_name == "argument" else ", ".join(one.opts)
    default = one.default.value if isinstance(one.default, Enum) else one.default
    facts = [
        str(one.help or "").rstrip("."),
        f"`${one.envvar}`" if one.envvar else "",
        f"default `{default}`"
        if default not in {"", None, False} and not callable(default)
        else "",
    ]
    return f"| `{names}` | {cell('; '.join(filter(None, facts)))} |"
