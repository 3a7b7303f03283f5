"""Where an API server is and who we are to it: a kubeconfig, a pod's own account, or files."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from fleet.kube.credentials import Credentials, Loaded, Token, TokenFile
from fleet.kube.errors import ForbiddenError
from fleet.kube.plain_kubeconfig import plain

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    server: str
    """The URL; a path in it precedes those of the API."""
    ca_file: str = ""
    """PEM; the system's authorities where it is empty."""
    cert_file: str = ""
    key_file: str = ""
    verify: bool = True
    credentials: Credentials = field(default_factory=Token)

    def tls(self) -> ssl.SSLContext | None:
        """Make the context for TLS, once for a client; none for plain HTTP on loopback.

        ForbiddenError names the files of which one cannot be used.
        """
        if not self.server.startswith("https:"):
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca_file or None)
            if self.cert_file:
                context.load_cert_chain(self.cert_file, self.key_file or None)
        except OSError as error:
            files = ", ".join(filter(None, (self.ca_file, self.cert_file, self.key_file)))
            raise ForbiddenError(f"no certificates in {files}: {error}") from error
        if not self.verify:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context


def from_kubeconfig(path: str, *, context: str = "") -> Connection:
    """Read a kubeconfig; ForbiddenError says what is wrong with it."""
    found = plain(path, context)
    if found is None:
        # By a library that takes long to load: what is plain, and a pod, does without.
        read: Any = import_module("fleet.kube.kubeconfig").read
        connection: Connection = read(path, context)
        return connection

    def again() -> str:
        return from_kubeconfig(path, context=context).credentials.header()

    return Connection(
        server=found.server,
        ca_file=found.ca_file,
        cert_file=found.cert_file,
        key_file=found.key_file,
        verify=found.verify,
        credentials=Loaded(again, found.header),
    )


def from_files(server: str, *, ca_file: str = "", token_file: str = "") -> Connection:
    """Use a URL, and a token file that is read again when it changes."""
    credentials = TokenFile(Path(token_file)) if token_file else Token()
    return Connection(server=server.rstrip("/"), ca_file=ca_file, credentials=credentials)


def from_environment(environ: Mapping[str, str]) -> Connection:
    """Use KUBECONFIG where it is set, else the account of the pod we run in."""
    if path := environ.get("KUBECONFIG"):
        return from_kubeconfig(path)
    host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT")
    if not host or not port:
        raise ForbiddenError("set KUBECONFIG, or run as a pod: there is no API server to talk to")
    host = f"[{host}]" if ":" in host else host
    ca, token = ACCOUNT / "ca.crt", ACCOUNT / "token"
    return from_files(f"https://{host}:{port}", ca_file=str(ca), token_file=str(token))
