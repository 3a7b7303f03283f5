"""Steps are told as they end, and a terminal shows those that run."""

import asyncio
import io

import pytest
from rich.console import Console

from cli.local.progress import Progress


class Screen:
    def __init__(self, *, terminal: bool) -> None:
        self._file = io.StringIO()
        width, plain = 200, not terminal
        self.console = Console(
            file=self._file, force_terminal=terminal, no_color=plain, width=width, highlight=False
        )
        self.progress = Progress(self.console)

    @property
    def text(self) -> str:
        return self._file.getvalue()

    def marks(self) -> list[str]:
        """Give the lines without the seconds that a step took."""
        return [line.rpartition(" s")[0].rpartition(" ")[0] for line in self.text.splitlines()]


@pytest.fixture
def pipe() -> Screen:
    return Screen(terminal=False)


def test_a_step_that_ended_is_one_line(pipe: Screen) -> None:
    with pipe.progress.step("build etcd"):
        assert pipe.text == ""
    assert pipe.marks() == ["✓ build etcd"]


def test_a_step_that_failed_is_marked_and_its_error_goes_on(pipe: Screen) -> None:
    with pytest.raises(OSError, match="disk"), pipe.progress.step("build etcd"):
        raise OSError("disk")
    assert pipe.marks() == ["✗ build etcd"]


def test_a_step_that_is_called_off_says_nothing(pipe: Screen) -> None:
    with pytest.raises(asyncio.CancelledError), pipe.progress.step("build etcd"):
        raise asyncio.CancelledError
    assert pipe.text == ""


def test_a_terminal_shows_what_runs_until_nothing_does() -> None:
    screen = Screen(terminal=True)
    with screen.progress.step("one"):
        with screen.progress.step("two"):
            running = screen.progress._status
            assert running is not None
            assert running.status == "one, two"
        assert running.status == "one"
    assert screen.progress._status is None
    assert "✓" in screen.text
