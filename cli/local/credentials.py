"""Keys and tokens of a local fleet: files that only their owner may read."""

import base64
import binascii
import hashlib
import json
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

_KEY_BYTES: Final = 24
_OWNER_ONLY: Final = 0o600


@dataclass(frozen=True, slots=True)
class Credentials:
    folder: Path

    @property
    def client_key(self) -> Path:
        """The key a client sends to the global gateway."""
        return self.folder / "client-key"

    @property
    def client_keys(self) -> Path:
        """SHA-256 of every client's key, a line each: what the global gateway reads."""
        return self.folder / "client-keys.sha256"

    @property
    def fleet(self) -> Path:
        """What the global gateway sends to regional ones."""
        return self.folder / "fleet-credential"

    def agent_token(self, member: str) -> Path:
        return self.folder / f"{member}-agent-token"

    def create(self) -> None:
        """Write what is missing; a key that somebody already uses stays."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self.client_key.exists():
            write(self.client_key, f"mf-{secrets.token_urlsafe(_KEY_BYTES)}")
        key = self.client_key.read_text().strip()
        write(self.client_keys, hashlib.sha256(key.encode()).hexdigest() + "\n")
        if not self.fleet.exists():
            write(self.fleet, secrets.token_urlsafe(_KEY_BYTES) + "\n")


def write(path: Path, text: str) -> None:
    """Write a secret in one step, so that a reader never sees half of it."""
    unfinished = path.with_name(f".{path.name}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    unfinished.replace(path)


def expires(token: str) -> datetime | None:
    """Return when a service account's token ends; None for what is no such token."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return datetime.fromtimestamp(claims["exp"], UTC)
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error):
        return None
