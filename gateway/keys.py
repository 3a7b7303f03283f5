"""Who may ask: keys are known by their SHA-256 only, and compared in constant time."""

import logging
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path

log = logging.getLogger(__name__)
BEARER = b"bearer "
MOUNT = "mount the Secret that holds it there, readable by the gateway's user"


def digests_in(text: str) -> tuple[bytes, ...]:
    """Read a client key file: a SHA-256 in hex a line; `#` begins a comment."""
    words = (line.partition("#")[0].strip() for line in text.splitlines())
    digests = tuple(bytes.fromhex(word) for word in words if word)
    if any(len(digest) != sha256().digest_size for digest in digests):
        raise ValueError("a digest of another length")
    return digests


def secrets_in(text: str) -> tuple[str, ...]:
    """Read a credential file: a secret a line, the first is the one to send."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())


@dataclass(slots=True)
class Keyring:
    """The keys that are let in."""

    digests: tuple[bytes, ...] = ()
    closed: bool = True
    """Whether a key is asked for; where none is, everybody is let in."""

    def allows(self, authorization: bytes) -> bool:
        if not self.closed:
            return True
        if authorization[:7].lower() != BEARER:
            return False
        return self.holds(authorization[7:].strip())

    def holds(self, key: bytes) -> bool:
        """Tell whether a key is let in."""
        given = sha256(key).digest()
        found = False
        for digest in self.digests:
            found |= compare_digest(digest, given)
        return found


@dataclass(slots=True)
class Guest:
    """Whom one connection brought last: the same key again is known without its digest."""

    _shown: bytes = field(default=b"", repr=False)
    _digests: tuple[bytes, ...] = ()
    """The keys of that time: with others everybody is looked at anew."""

    def known(self, keyring: Keyring, authorization: bytes) -> bool:
        """Tell whether this was let in, by the keys that are still in use."""
        same = self._digests is keyring.digests and bool(self._digests)
        return same and compare_digest(self._shown, authorization)

    def let_in(self, keyring: Keyring, authorization: bytes) -> None:
        self._shown, self._digests = authorization, keyring.digests


@dataclass(slots=True)
class Credentials:
    """Whom we let in, and what we show to regional gateways."""

    accepted: Keyring = field(default_factory=Keyring)
    line: bytes = field(default=b"", repr=False)
    """The header that carries the fleet's credential."""

    def use(self, secrets: tuple[str, ...]) -> None:
        """Send the first secret from now on."""
        self.line = b"authorization: Bearer %b\r\n" % secrets[0].encode() if secrets else b""


@dataclass(slots=True)
class WatchedFile:
    """A file that is read again when it was changed; an unreadable one keeps its last text.

    Why it cannot be read is said once, and looked at again each time.
    """

    path: str
    _stamp: tuple[int, int] | None = field(default=None, init=False)
    _why: str = field(default="", init=False)

    def changed(self) -> str | None:
        """Give the text when it is new."""
        try:
            status = Path(self.path).stat()
            stamp = (status.st_mtime_ns, status.st_ino)
            if stamp == self._stamp:
                return None
            text = Path(self.path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            self._say(getattr(error, "strerror", None) or "it is not UTF-8")
            return None
        self._stamp, self._why = stamp, ""
        return text

    def _say(self, why: str) -> None:
        if why != self._why:
            fields = {"file": self.path, "why": why, "way_out": MOUNT}
            log.warning("cannot read a key file", extra=fields)
        self._why = why


class KeyFiles:
    """Keeps credentials as their files have them."""

    def __init__(self, *, clients: str, fleet: str, regional: bool) -> None:
        """Global: `clients` holds the keys that are let in. Regional: the fleet's secrets are."""
        self.credentials = Credentials()
        self.credentials.accepted.closed = bool(fleet if regional else clients)
        self._clients = WatchedFile(clients) if clients and not regional else None
        self._fleet = WatchedFile(fleet) if fleet else None
        self._regional = regional

    def refresh(self) -> None:
        if self._clients and (text := self._clients.changed()) is not None:
            self._accept(self._clients.path, text)
        if self._fleet and (text := self._fleet.changed()) is not None:
            secrets = secrets_in(text)
            if self._regional:
                digests = tuple(sha256(secret.encode()).digest() for secret in secrets)
                self.credentials.accepted.digests = digests
            else:
                self.credentials.use(secrets)

    def _accept(self, path: str, text: str) -> None:
        try:
            self.credentials.accepted.digests = digests_in(text)
        except ValueError:
            log.exception("not SHA-256 in hex; the keys stay as they were", extra={"file": path})
