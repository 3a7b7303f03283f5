"""One line of JSON for each request that was answered: who was asked, and what it took."""

import logging
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import msgspec
from msgspec import Struct

STANDARD_OUTPUT: Final = "-"
log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode


class Line(Struct, frozen=True, gc=False, omit_defaults=True, rename="camel"):
    """Nothing of a client's key, its headers or what it asked."""

    time: str
    """When it was answered: RFC 3339."""
    path: str
    status: str
    """Of the answer; `cut` where it was broken off, 499 where the client left."""
    seconds: float
    """From the whole request to the end of its answer."""
    model: str = ""
    region: str = ""
    upstream: str = ""
    attempts: int = 0
    stream: bool = False
    continued: int = 0
    """How often it was cut and went on at another endpoint."""
    first_seconds: float = 0.0
    """To the first byte of the answer."""
    request_bytes: int = 0
    prompt_tokens: int = 0
    answer_tokens: int = 0
    code: str = ""
    """Why the gateway refused it itself."""


def opened(there: str) -> int:
    """Open what lines are appended to; OSError where that cannot be."""
    if there == STANDARD_OUTPUT:
        return sys.stdout.fileno()
    return os.open(there, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)


class AccessLog:
    """Gathers lines, and writes them together; those that cannot be written are dropped."""

    def __init__(self, write: Callable[[bytes], object], clock: Callable[[], datetime]) -> None:
        self._write, self._clock = write, clock
        self._lines: list[bytes] = []
        self._why = ""
        """Why the last could not be written."""

    def now(self) -> str:
        return self._clock().astimezone(UTC).isoformat(timespec="milliseconds")

    def add(self, line: Line) -> None:
        self._lines.append(_encode(line))

    def flush(self) -> None:
        """Write what has come; called several times a second."""
        if not self._lines:
            return
        lines, self._lines = self._lines, []
        try:
            self._write(b"\n".join((*lines, b"")))
        except OSError as error:
            self._say(str(error))
        else:
            self._say("")

    def _say(self, why: str) -> None:
        """Say once that a disk is full, or that there is room again."""
        if why != self._why:
            self._why = why
            log.warning("the access log", extra={"why": why or "lines are written again"})
