"""One line of JSON for each request that was answered: who was asked, and what it took."""

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

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


class AccessLog:
    """Gathers lines, and writes them together."""

    def __init__(self, write: Callable[[bytes], object], clock: Callable[[], datetime]) -> None:
        self._write, self._clock = write, clock
        self._lines: list[bytes] = []

    def now(self) -> str:
        return self._clock().astimezone(UTC).isoformat(timespec="milliseconds")

    def add(self, line: Line) -> None:
        self._lines.append(_encode(line))

    def flush(self) -> None:
        """Write what has come; called several times a second."""
        if self._lines:
            lines, self._lines = self._lines, []
            self._write(b"\n".join((*lines, b"")))
