"""What the documentation tells a reader to do can be done: its links, commands and manifests."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from cli.__main__ import VERBS, build
from fleet.api.crd.kinds import KINDS
from tests.unit.docs.pages import PAGES, ROOT, Command, blocks, commands, links

BUILD_SECONDS = 120
COMMANDS = sorted(set(commands()))
OURS = [c for c in COMMANDS if shlex.split(c.line)[0] in {"modelfleet", "kubectl-modelfleet"}]
MODELS = {(model.group(), model.kind()): model for model in (kind.model for kind in KINDS)}
FILES = re.compile(r"(?:-f|--fleet)[ =](\S+\.yaml)")
relative = [str(page.relative_to(ROOT)) for page in PAGES]


def shown(command: Command) -> str:
    return f"{command.page}: {command.line}"


def words_of(line: str) -> list[str]:
    """Take what the shell would pass on of the first command in a line."""
    words = shlex.split(line, comments=True)
    ends = [place for place, word in enumerate(words) if word in {"|", ">", "&&", ";"}]
    return words[: min(ends, default=len(words))]


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=BUILD_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "reference" / "modelfleet.dev" / "index.html").exists()


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_a_link_leads_to_a_file_that_is_there(page: Path) -> None:
    assert [link for link in links(page) if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("command", OURS, ids=shown)
def test_a_command_of_ours_would_be_taken(command: Command) -> None:
    words = words_of(command.line)[1:]
    found: Any = typer.main.get_command(build(words))
    path: list[str] = []
    while below := getattr(found, "commands", None):
        path.append(words.pop(0))
        found = below[path[-1]]
    found.make_context(path[-1], words)
    assert path[0] in VERBS


def test_a_target_of_make_is_there() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    asked = {words_of(c.line)[1] for c in COMMANDS if c.line.startswith("make ")}
    assert asked
    assert asked <= targets


def test_a_chart_that_is_installed_is_there() -> None:
    charts = {word for c in COMMANDS for word in shlex.split(c.line) if word.startswith("charts/")}
    assert charts
    assert [chart for chart in charts if not (ROOT / chart / "Chart.yaml").exists()] == []


def test_a_file_that_is_applied_is_there() -> None:
    files = {file for c in COMMANDS for file in FILES.findall(c.line)}
    assert files
    assert [file for file in files if not (ROOT / file).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_a_manifest_of_our_kinds_is_one(page: Path) -> None:
    for text in blocks(page, "yaml"):
        for document in yaml.safe_load_all(text):
            group = document.get("apiVersion", "").rpartition("/")[0]
            if model := MODELS.get((group, document.get("kind", ""))):
                model.model_validate(document)


def test_the_notes_for_agents_are_short() -> None:
    assert len((ROOT / "AGENTS.md").read_text().splitlines()) <= 60
