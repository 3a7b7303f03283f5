"""The demo's picture: what was shown, the same each time, and nothing from elsewhere."""

import sys
from pathlib import Path

from rich.text import Text

from cli.demo.picture import WIDE, recorder, save
from cli.demo.shell import Shell


def test_what_was_shown_is_drawn_the_same_each_time(tmp_path: Path) -> None:
    drawn = []
    for name in ("one.svg", "two.svg"):
        console = recorder()
        console.print(Text.from_ansi("\x1b[32m✓\x1b[0m phi-4-mini-instruct"))
        save(console, tmp_path / "images" / name)
        drawn.append((tmp_path / "images" / name).read_text(encoding="utf-8"))
    assert drawn[0] == drawn[1]
    assert "phi-4-mini-instruct" in drawn[0]
    assert "url(http" not in drawn[0]
    assert "@font-face" not in drawn[0]


def test_a_commands_own_words_are_recorded_with_their_colours() -> None:
    console = recorder()
    shell = Shell(console, "none")
    code = "from rich.console import Console; c = Console(); c.print(f'[red]red[/] {c.width}')"
    assert shell._retold([sys.executable, "-c", code]) == 0
    said = console.export_text(styles=True)
    assert said == f"\x1b[31mred\x1b[0m \x1b[1;36m{WIDE}\x1b[0m\n"
