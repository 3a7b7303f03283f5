"""The pages of the documentation, and what stands in them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[3]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "charts").glob("*/README.md"),
        *(ROOT / "kind-config").glob("*.md"),
    ]
)
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
TYPED_AS_THEY_STAND = ("make", "helm", "kubectl", "modelfleet")
_LINK = re.compile(r"\]\(([^)\s]+)\)")


class Command(NamedTuple):
    page: str
    line: str


def blocks(page: Path, language: str) -> Iterator[str]:
    for found, text in _BLOCK.findall(page.read_text()):
        if found == language:
            yield text


def commands() -> Iterator[Command]:
    """Find every line that a reader is told to type, without its remark."""
    for page in PAGES:
        for text in blocks(page, "console"):
            joined = text.replace("\\\n", " ")
            for line in joined.splitlines():
                typed = line.removeprefix("$ ")
                if line.startswith("$ ") or typed.split(" ")[0] in TYPED_AS_THEY_STAND:
                    yield Command(str(page.relative_to(ROOT)), typed.split("  #")[0].strip())


def links(page: Path) -> Iterator[str]:
    """Find the links to other files, without their anchors."""
    for target in _LINK.findall(page.read_text()):
        path = target.partition("#")[0]
        if path and "://" not in path:
            yield path
