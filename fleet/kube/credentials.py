"""The Authorization header of requests, read again where it changes."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from typing_extensions import override


class Credentials(Protocol):
    def header(self) -> str:
        """Give the header's value, or nothing where the connection itself identifies us."""

    def renew(self) -> None:
        """Read the credentials anew, since the server refused them; this may block."""


class Token:
    """Never changes; an empty one is none."""

    def __init__(self, token: str = "") -> None:
        self._header = f"Bearer {token}" if token else ""

    @override
    def __repr__(self) -> str:
        return "Token(...)"

    def header(self) -> str:
        return self._header

    def renew(self) -> None: ...


class Loaded:
    """What was loaded from elsewhere, and is loaded again when the server refuses it."""

    def __init__(self, load: Callable[[], str], header: str) -> None:
        self._load, self._header = load, header

    @override
    def __repr__(self) -> str:
        return "Loaded(...)"

    def header(self) -> str:
        return self._header

    def renew(self) -> None:
        self._header = self._load()


class TokenFile:
    """A token that somebody else renews in place; a file without one leaves the last."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp: tuple[int, int, int] | None = None
        self._header = ""

    @override
    def __repr__(self) -> str:
        return f"TokenFile({self.path})"

    def header(self) -> str:
        try:
            stat = self.path.stat()
        except OSError:
            return self._header
        stamp = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        if stamp != self._stamp:
            self.renew()
            self._stamp = stamp
        return self._header

    def renew(self) -> None:
        try:
            token = self.path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return
        if token and token.isascii() and token.isprintable() and " " not in token:
            self._header = f"Bearer {token}"
