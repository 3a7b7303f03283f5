"""Every command explains itself, with examples that it would take."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from cli.__main__ import VERBS, build

ANSWER_SECONDS = 60
EXAMPLE = re.compile(r"modelfleet ((?:[^,\n\"]|\"[^\"]*\")+)")
Path = tuple[str, ...]


def leaves(command: Any, *path: str) -> Iterator[tuple[Path, Any]]:
    """Walk down to the commands that do something."""
    below = getattr(command, "commands", None)
    if below is None:
        yield path, command
        return
    for name, child in below.items():
        yield from leaves(child, *path, name)


COMMANDS = dict(leaves(typer.main.get_command(build([]))))
GROUPS = sorted({path[:-1] for path in COMMANDS})


def help_of(*path: str) -> str:
    words = [*path, "--help"]
    wide = {"TERMINAL_WIDTH": "200"}
    result = CliRunner().invoke(build(words), words, env=wide, prog_name="modelfleet")
    assert result.exit_code == 0, result.output
    return " ".join(result.stdout.split())


def examples(path: Path) -> list[list[str]]:
    return [shlex.split(found) for found in EXAMPLE.findall(COMMANDS[path].help or "")]


def test_every_verb_is_there_by_its_name() -> None:
    assert {path[0] for path in COMMANDS} == set(VERBS)
    assert {("explain",), ("local", "kubectl"), ("up",)} <= set(COMMANDS)


@pytest.mark.parametrize("path", sorted(COMMANDS), ids=" ".join)
def test_a_command_s_help_shows_its_usage_and_an_example(path: Path) -> None:
    said = help_of(*path)
    assert f"Usage: modelfleet {' '.join(path)}" in said
    assert any(shlex.join(words[:2]) in said for words in examples(path))


@pytest.mark.parametrize("path", sorted(COMMANDS), ids=" ".join)
def test_a_command_would_take_its_examples(path: Path) -> None:
    """A verb may be short for one of `local`, whose example it then shows."""
    for words in examples(path):
        taken = next(own for own in (path, ("local", *path)) if words[: len(own)] == list(own))
        command = COMMANDS[taken]
        command.make_context(taken[-1], words[len(taken) :])


@pytest.mark.parametrize("path", GROUPS, ids=lambda path: " ".join(path) or "modelfleet")
def test_a_group_names_all_its_commands_and_shows_them_unasked(path: Path) -> None:
    names = {each[len(path)] for each in COMMANDS if each[: len(path)] == path}
    unasked = CliRunner().invoke(build(list(path)), list(path))
    for said in (help_of(*path), unasked.output):
        assert names <= set(said.split())


def test_an_unknown_verb_is_named() -> None:
    result = CliRunner().invoke(build(["explian"]), ["explian"])
    assert result.exit_code == 2
    assert "explian" in result.output


def test_the_package_is_the_same_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cli", "explain", "--help"],
        capture_output=True,
        text=True,
        check=False,
        timeout=ANSWER_SECONDS,
    )
    assert done.returncode == 0
    assert "--fleet" in done.stdout
