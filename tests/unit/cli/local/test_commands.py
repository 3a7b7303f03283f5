"""`modelfleet local` as it is typed, where no fleet is up."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.__main__ import VERBS, build


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path), "PATH": os.defpath}


def typed(environ: dict[str, str], *words: str) -> Result:
    return CliRunner().invoke(build(list(words)), list(words), env=environ)


@pytest.mark.parametrize(
    "words", [("status",), ("local", "stop", "us"), ("local", "logs"), ("local", "kubectl", "us")]
)
def test_without_a_fleet_one_is_told_how_to_make_it(
    environ: dict[str, str], words: tuple[str, ...]
) -> None:
    result = typed(environ, *words)
    assert result.exit_code == 1
    assert "no local fleet `local`: `modelfleet local up` makes one" in result.stderr


def test_an_unknown_member_is_named(environ: dict[str, str]) -> None:
    result = typed(environ, "up", "--members", "us,mars")
    assert result.exit_code == 1
    assert "unknown member mars" in result.stderr


def test_taking_down_what_is_not_there_is_no_error(environ: dict[str, str]) -> None:
    assert typed(environ, "down").exit_code == 0


@pytest.mark.parametrize("verb", ["up", "down", "status", "stop", "start", "logs", "kubectl"])
def test_every_verb_has_an_example(environ: dict[str, str], verb: str) -> None:
    assert "Example: modelfleet local" in typed(environ, "local", verb, "--help").stdout


def test_the_help_names_every_verb(environ: dict[str, str]) -> None:
    help_text = typed(environ, "--help").stdout
    assert all(verb in help_text for verb in VERBS)
