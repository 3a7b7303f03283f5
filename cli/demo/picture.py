"""What the demo shows, as a picture for the README."""

import re
from pathlib import Path
from typing import Final

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console

WIDE: Final = 136
"""Columns of the picture; what it shows is no wider."""
PLAIN: Final = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
"""Without fonts from elsewhere: a picture on a page loads nothing."""


def recorder() -> Console:
    """Show, and keep what was shown."""
    return Console(highlight=False, record=True, width=WIDE, force_terminal=True)


def save(console: Console, path: Path) -> None:
    """Write what was shown; the same output gives the same picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = console.export_svg(title="modelfleet demo", code_format=PLAIN, unique_id="demo")
    path.write_text(picture, encoding="utf-8")
