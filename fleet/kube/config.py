"""Where an API server is and who we are to it: a kubeconfig, a pod's own account, or files."""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubernetes.client import Configuration
from kubernetes.config import ConfigException, load_kube_config
from typing_extensions import override
from yaml import YAMLError

from fleet.kube.credentials import Credentials, Token, TokenFile
from fleet.kube.errors import ForbiddenError

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
Unusable = (ConfigException, YAMLError, OSError, ValueError, TypeError)
"""What the loader raises upon a file that is missing, no YAML, or no kubeconfig."""


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


class KubeconfigToken:
    """A kubeconfig's token; its plugins run again when the server refuses what they gave."""

    def __init__(self, load: Callable[[], Any], loaded: Any) -> None:
        self._load = load
        self._header: str = _bearer(loaded)

    @override
    def __repr__(self) -> str:
        return "KubeconfigToken(...)"

    def header(self) -> str:
        return self._header

    def renew(self) -> None:
        self._header = _bearer(self._load())


def from_kubeconfig(path: str, *, context: str = "") -> Connection:
    """Read a kubeconfig; ForbiddenError says what is wrong with it."""
    load: Any = load_kube_config

    def read() -> Any:
        configuration: Any = Configuration()
        try:
            load(path, context or None, configuration, persist_config=False)
        except Unusable as error:
            raise ForbiddenError(f"kubeconfig {path}: {error}") from error
        return configuration

    loaded = read()
    return Connection(
        server=loaded.host,
        ca_file=loaded.ssl_ca_cert or "",
        cert_file=loaded.cert_file or "",
        key_file=loaded.key_file or "",
        verify=loaded.verify_ssl,
        credentials=KubeconfigToken(read, loaded),
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


def _bearer(configuration: Any) -> str:
    given = configuration.get_api_key_with_prefix("BearerToken")
    if not given and configuration.username:
        given = configuration.get_basic_auth_token()
    return str(given or "")
