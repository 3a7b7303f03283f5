"""A kubeconfig that holds addresses, files and a token and no more, read in a moment.

The library that knows all that may be in one takes longer to load than a gateway may to start.
"""

from pathlib import Path

import msgspec
from msgspec import Struct

Unreadable = (OSError, ValueError, msgspec.MsgspecError)


class Cluster(Struct, rename="kebab", forbid_unknown_fields=True):
    server: str
    certificate_authority: str = ""
    insecure_skip_tls_verify: bool = False


class User(Struct, rename="kebab", forbid_unknown_fields=True):
    token: str = ""
    client_certificate: str = ""
    client_key: str = ""


class Context(Struct):
    cluster: str
    user: str


class NamedCluster(Struct):
    name: str
    cluster: Cluster


class NamedUser(Struct):
    name: str
    user: User


class NamedContext(Struct):
    name: str
    context: Context


class Kubeconfig(Struct, rename="kebab"):
    current_context: str = ""
    clusters: list[NamedCluster] = []
    users: list[NamedUser] = []
    contexts: list[NamedContext] = []


class Plain(Struct, frozen=True):
    """What one context says; files by their whole paths."""

    server: str
    verify: bool
    ca_file: str
    cert_file: str
    key_file: str
    header: str = ""


def plain(path: str, context: str) -> Plain | None:
    """Read a kubeconfig; None where something is missing, wrong, or for the library to know."""
    try:
        config = msgspec.yaml.decode(Path(path).read_bytes(), type=Kubeconfig)
    except Unreadable:
        return None
    try:
        named = {each.name: each.context for each in config.contexts}[
            context or config.current_context
        ]
        cluster = {each.name: each.cluster for each in config.clusters}[named.cluster]
        user = {each.name: each.user for each in config.users}[named.user]
    except KeyError:
        return None
    return _whole(Path(path).parent, cluster, user)


def _whole(folder: Path, cluster: Cluster, user: User) -> Plain | None:
    said = (cluster.certificate_authority, user.client_certificate, user.client_key)
    ca, cert, key = [str(folder.absolute() / name) if name else "" for name in said]
    if not all(Path(file).is_file() for file in (ca, cert, key) if file):
        return None
    return Plain(
        server=cluster.server.rstrip("/"),
        verify=not cluster.insecure_skip_tls_verify,
        ca_file=ca,
        cert_file=cert,
        key_file=key,
        header=f"Bearer {user.token}" if user.token else "",
    )
