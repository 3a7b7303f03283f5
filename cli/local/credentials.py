"""Keys and tokens of a local fleet: files that only their owner may read."""

import hashlib
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fleet.runtime.secret_files import write

_KEY_BYTES: Final = 24


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
        """Of the agent on the hub, which it renews itself."""
        return self.folder / f"{member}-agent-token"

    def account_token(self, daemon: str) -> Path:
        """Of a program on the cluster that it belongs to."""
        return self.folder / f"{daemon}-account-token"

    def kubeconfig(self, daemon: str) -> Path:
        """What a program of ours reaches its cluster by, as its own account."""
        return self.folder / f"{daemon}-kubeconfig.yaml"

    def create(self) -> None:
        """Write what is missing; a key that somebody already uses stays."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self.client_key.exists():
            write(self.client_key, f"mf-{secrets.token_urlsafe(_KEY_BYTES)}")
        key = self.client_key.read_text().strip()
        write(self.client_keys, hashlib.sha256(key.encode()).hexdigest() + "\n")
        if not self.fleet.exists():
            write(self.fleet, secrets.token_urlsafe(_KEY_BYTES) + "\n")
