"""Credentials of external endpoints: from files, since no route that is kept on disk holds one."""

import logging
from pathlib import Path

from gateway.keys import WatchedFile
from gateway.snapshot import Endpoint
from gateway.tls import Trust

MISSING = "no credential"
WAY_OUT = "mount the Secret that holds it below GATEWAY_CREDENTIALS_DIR"
log = logging.getLogger(__name__)


class Vault:
    """Reads the files that routes name, each below one folder, when they are new or changed."""

    def __init__(self, folder: str = "", trust: Trust | None = None) -> None:
        self._folder = Path(folder) if folder else None
        self._trust = trust or Trust(folder=folder)
        self._files: dict[str, WatchedFile] = {}
        self._lines: dict[str, bytes] = {}
        self._told: dict[str, str] = {}
        """What was wrong with an endpoint's certificates."""

    def opens(self, endpoint: Endpoint) -> bool:
        """Tell whether all is at hand by which an endpoint is met."""
        why = self._trust.why_not(endpoint.tls)
        if why != self._told.get(endpoint.name, ""):
            self._told[endpoint.name] = why
            extra = {"endpoint": endpoint.name, "why": why or "all is at hand"}
            log.warning("an external endpoint's TLS", extra=extra)
        return not why and (not endpoint.credential or bool(self.line(endpoint.credential)))

    def line(self, credential: str) -> bytes:
        """Give the header that shows a credential; empty where it is not at hand."""
        if credential not in self._lines:
            self._read(credential)
        return self._lines[credential]

    def refresh(self) -> None:
        """Look at every file again that was asked for."""
        for credential in tuple(self._lines):
            self._read(credential)

    def _read(self, credential: str) -> None:
        file = self._file(credential)
        text = file.changed() if file else None
        if text is not None and _fit(text.strip()):
            self._lines[credential] = f"authorization: Bearer {text.strip()}\r\n".encode()
        elif credential not in self._lines:
            self._lines[credential] = b""
            extra = {"credential": credential, "why": MISSING, "way_out": WAY_OUT}
            log.warning("an external endpoint is left out", extra=extra)

    def _file(self, credential: str) -> WatchedFile | None:
        """Give the file, which lies below the folder."""
        if self._folder is None or ".." in Path(credential).parts:
            return None
        if credential not in self._files:
            path = self._folder / credential.lstrip("/")
            self._files[credential] = WatchedFile(str(path))
        return self._files[credential]


def _fit(secret: str) -> bool:
    """Tell whether it can stand in a header."""
    return secret.isascii() and secret.isprintable() and bool(secret)
