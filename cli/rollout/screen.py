"""Where a rollout is followed: a picture that changes on a terminal, lines anywhere else."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Protocol

from rich.console import Console
from rich.live import Live

from cli.rollout.lines import changes
from cli.rollout.report import Report
from cli.rollout.table import picture


class Screen(Protocol):
    def show(self, report: Report, now: datetime) -> None:
        """Show how far it is."""

    def trouble(self, text: str) -> None:
        """Say why nothing newer can be shown."""


class Lines:
    """Tells what changed."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last: Report | None = None
        self._trouble = ""

    def show(self, report: Report, now: datetime) -> None:
        for line in changes(self._last, report):
            self._print(f"{now:%H:%M:%S} {line}")
        self._last, self._trouble = report, ""

    def trouble(self, text: str) -> None:
        if text != self._trouble:
            self._print(text)
        self._trouble = text

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)


class Picture:
    """Draws all of it anew."""

    def __init__(self, live: Live, *, wide: bool) -> None:
        self._live, self._wide = live, wide

    def show(self, report: Report, now: datetime) -> None:
        height = self._live.console.height
        self._live.update(picture(report, now, wide=self._wide, height=height), refresh=True)

    def trouble(self, text: str) -> None:
        self._live.console.print(text, markup=False)


@contextmanager
def screen(console: Console, *, wide: bool) -> Iterator[Screen]:
    """Lend a screen; what a terminal showed last goes, for the end to be printed whole."""
    if not console.is_terminal:
        yield Lines(console)
        return
    with Live(console=console, auto_refresh=False, transient=True) as live:
        yield Picture(live, wide=wide)
