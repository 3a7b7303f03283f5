"""Certificates from files that may change: who we are to clients, and whom we trust upstream."""

import logging
import ssl
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from gateway.snapshot import Tls

HANDSHAKE_SECONDS = 10.0
"""For a client on a slow line; who holds a connection open without a word gets no more."""
ALPN = ("http/1.1",)
log = logging.getLogger(__name__)


class TlsError(ValueError):
    """Files that no context can be made of; the message names them, and why."""


def serving(cert_file: str, key_file: str) -> ssl.SSLContext:
    """Make what a server shows to its clients; TlsError where the pair cannot be used."""
    _readable(cert_file, key_file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(ALPN)
    try:
        # A key under a password would otherwise be asked for on the terminal.
        context.load_cert_chain(cert_file, key_file, password=b"")
    except (OSError, ValueError) as error:
        raise TlsError(f"{cert_file}, {key_file}: no certificate with its key: {error}") from error
    return context


def trusting(ca_file: str) -> ssl.SSLContext:
    """Make what a client believes: the system's authorities, and those of a file beside them.

    Both, since the regions' own authority says nothing of an outside API. TlsError where the
    file cannot be used.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not ca_file:
        return context
    _readable(ca_file)
    try:
        context.load_verify_locations(cafile=ca_file)
    except (OSError, ValueError) as error:
        raise TlsError(f"{ca_file}: no certificates: {error}") from error
    return context


class Reloaded:
    """A context that is made anew when its files change; wrong files leave the last one."""

    def __init__(self, make: Callable[[], ssl.SSLContext], *files: str) -> None:
        self._make = make
        self._files = tuple(file for file in files if file)
        self._stamps = _stamps(self._files)
        self._context: ssl.SSLContext | None = None

    @property
    def context(self) -> ssl.SSLContext:
        """Made when it is first asked for, since reading the system's authorities takes a while.

        TlsError where the files cannot be used from the first.
        """
        if self._context is None:
            self._context = self._make()
        return self._context

    def refresh(self) -> None:
        """Look at the files again; what nobody has asked for stays unmade."""
        stamps = _stamps(self._files)
        if stamps != self._stamps:
            self._stamps = stamps
            if self._context:
                self._reload()

    def renewed(self) -> ssl.SSLContext:
        """Look at the files again, and give the context to use from now on."""
        self.refresh()
        return self.context

    def _reload(self) -> None:
        try:
            self._context = self._make()
        except TlsError as error:
            log.warning("the certificates stay as they were", extra={"why": str(error)})
        else:
            log.info("new certificates", extra={"files": ", ".join(self._files)})


class ServerTls:
    """Shows each new connection the newest certificate, and lets those that are there be."""

    def __init__(self, cert_file: str, key_file: str) -> None:
        self._newest = Reloaded(partial(serving, cert_file, key_file), cert_file, key_file)
        self._newest.renewed()
        self.entrance = serving(cert_file, key_file)
        """For the listener, which keeps it for ever."""
        self.entrance.sni_callback = self._admit

    def refresh(self) -> None:
        self._newest.refresh()

    def _admit(self, tls: ssl.SSLObject, _name: str | None, _entrance: ssl.SSLContext) -> None:
        """Called at every handshake, with or without a name."""
        tls.context = self._newest.context


class Trust:
    """Whom upstreams are trusted by: all by the same authorities, but for some with their own."""

    def __init__(self, ca_file: str = "", folder: str = "") -> None:
        """Files that endpoints name lie below `folder`."""
        self._usual = Reloaded(partial(trusting, ca_file), ca_file)
        self._folder = folder
        self._own: dict[Tls, Reloaded] = {}

    def context(self, tls: Tls | None) -> ssl.SSLContext:
        """Give what to connect with; TlsError where an endpoint's own files are no use."""
        if tls is None or not (tls.authority or tls.certificate):
            return self._usual.context
        if tls not in self._own:
            self._own[tls] = self._made(tls)
        return self._own[tls].context

    def why_not(self, tls: Tls | None) -> str:
        """Say what is wrong with an endpoint's own files; nothing where they can be used."""
        try:
            self.context(tls)
        except TlsError as error:
            return str(error)
        return ""

    def renewed(self, tls: Tls | None) -> ssl.SSLContext:
        """Look at the files again, and give what to connect with from now on."""
        self.refresh()
        return self.context(tls)

    def refresh(self) -> None:
        for each in (self._usual, *self._own.values()):
            each.refresh()

    def _made(self, tls: Tls) -> Reloaded:
        if not self._folder:
            raise TlsError("GATEWAY_CREDENTIALS_DIR: needed for what endpoints are trusted by")
        authority, cert, key = (
            str(Path(self._folder, name)) if name else ""
            for name in (tls.authority, *_pair(tls.certificate))
        )
        return Reloaded(partial(_meeting, authority, cert, key), authority, cert, key)


def _pair(folder: str) -> tuple[str, str]:
    return (f"{folder}/tls.crt", f"{folder}/tls.key") if folder else ("", "")


def _meeting(authority: str, cert: str, key: str) -> ssl.SSLContext:
    """Make what meets one endpoint: its own authorities instead of the system's."""
    context = trusting("")
    if authority:
        _readable(authority)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if authority:
            context.load_verify_locations(cafile=authority)
        if cert:
            _readable(cert, key)
            context.load_cert_chain(cert, key, password=b"")
    except (OSError, ValueError) as error:
        raise TlsError(f"{authority} {cert}: cannot be used: {error}") from error
    return context


def _readable(*files: str) -> None:
    """Name the file: OpenSSL says only that there was one."""
    for file in files:
        try:
            with Path(file).open("rb"):
                pass
        except OSError as error:
            raise TlsError(f"{file}: {error.strerror}") from error


def _stamps(files: Sequence[str]) -> tuple[tuple[int, int] | None, ...]:
    return tuple(map(_stamp, files))


def _stamp(file: str) -> tuple[int, int] | None:
    try:
        status = Path(file).stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino
