"""A shell completes our commands by a script that we print and by asking us."""

import os
import subprocess
import sys

import pytest

ANSWER_SECONDS = 60


def run(*arguments: str, **environ: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=ANSWER_SECONDS,
        env={**os.environ, **environ},
    )
    return done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_each_shell_gets_its_script(shell: str) -> None:
    assert "_MODELFLEET_COMPLETE" in run("completion", shell)


@pytest.mark.parametrize(
    ("line", "word", "expected"),
    [
        ("modelfleet ge", "1", {"get"}),
        ("modelfleet get ", "2", {"members", "placements", "bindings", "works", "endpoints"}),
        ("modelfleet local sta", "2", {"start", "status"}),
    ],
)
def test_verbs_nouns_and_commands_of_a_group_are_completed(
    line: str, word: str, expected: set[str]
) -> None:
    asked = {"_MODELFLEET_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": word}
    assert set(run(**asked).split()) == expected
