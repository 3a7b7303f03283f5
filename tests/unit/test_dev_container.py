"""The dev container: where it is not Linux, README's commands run in it."""

import json
import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / ".devcontainer"


def test_it_is_built_from_a_file_that_is_there_and_makes_what_readme_makes() -> None:
    told = json.loads((FOLDER / "devcontainer.json").read_text())
    dockerfile = (FOLDER / told["build"]["dockerfile"]).read_text()
    assert re.search(r"^FROM \S+/python:3\.\d+-\w+$", dockerfile, re.MULTILINE)
    asked = set(re.findall(r"make ([\w./-]+)", told["postCreateCommand"]))
    made = set(re.findall(r"^([\w./-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    assert asked <= made
