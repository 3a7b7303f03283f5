"""Tell a person what is being done and how long it took, on stderr."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.status import Status


class Progress:
    """One line for each step that ended; a terminal also shows those that run."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)
        self._running: dict[str, None] = {}
        self._status: Status | None = None

    def say(self, text: str) -> None:
        self._console.print(text)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        self._running[name] = None
        self._show()
        try:
            yield
        except asyncio.CancelledError:
            # Another step failed: its error is what is to be read.
            self._end(name)
            raise
        except BaseException:
            self._end(name)
            self._line("[red]✗[/red]", name, started)
            raise
        self._end(name)
        self._line("[green]✓[/green]", name, started)

    def _line(self, sign: str, name: str, started: float) -> None:
        self._console.print(f"{sign} {name} [dim]{time.monotonic() - started:.1f} s[/dim]")

    def _end(self, name: str) -> None:
        self._running.pop(name, None)
        self._show()

    def _show(self) -> None:
        if not self._console.is_interactive:
            return
        text = ", ".join(self._running)
        if not text and self._status:
            self._status.stop()
            self._status = None
        elif text and self._status:
            self._status.update(text)
        elif text:
            self._status = self._console.status(text)
            self._status.start()
