"""What `modelfleet explain` prints of one fleet, in every form: a person can review it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.__main__ import build

FOLDER = Path(__file__).parent / "goldens"
FORMS = {"table": "txt", "wide": "wide.txt", "yaml": "yaml"}
PLACEMENTS = ("pick-n", "spread", "pick-all", "pick-fixed")
CASES = [(name, form) for name in PLACEMENTS for form in ("table", "wide")]


@pytest.mark.parametrize(("placement", "form"), [*CASES, ("pick-n", "yaml")])
def test_what_is_printed_is_as_reviewed(placement: str, form: str) -> None:
    files = ["-f", str(FOLDER / f"{placement}.in.yaml"), "--fleet", str(FOLDER / "fleet.in.yaml")]
    words = ["explain", *files, "-o", form]
    result = CliRunner().invoke(build(words), words, env={"COLUMNS": "160"})
    assert result.exit_code == 0, result.stderr
    printed = "".join(f"{line.rstrip()}\n" for line in result.stdout.splitlines())
    assert printed == (FOLDER / f"{placement}.{FORMS[form]}").read_text(encoding="utf-8")
