"""Settings of the gateway; from the environment, since all its processes read them."""

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

Count = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]
CORES: Final = len(os.sched_getaffinity(0))
PORTS: Final = 65_536


class Scope(StrEnum):
    GLOBAL = "global"
    REGIONAL = "regional"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    scope: Scope = Scope.GLOBAL
    """Picks a region by the model (global), or a pod by the service (regional)."""
    region: str = ""
    """Regional: what its answers say in `x-modelfleet-region`. Global: whose endpoints are
    preferred while they have places; none where it is empty."""
    cluster: str = ""
    """Regional: the member cluster whose pods it serves."""
    listen: str = "127.0.0.1:8080"
    health_listen: str = ""
    """host:port of /healthz, /readyz and /metrics without a key; nothing listens where empty."""
    workers: Count = CORES
    """Processes: one a core, since each keeps one core busy at most."""
    client_keys_file: str = ""
    """Global: SHA-256 of client keys, in hex, a line each. Read again when it changes."""
    fleet_credential_file: str = ""
    """Secrets between global and regional gateways, a line each; the first is sent, all count."""
    credentials_dir: str = ""
    """Folder with the credentials of external endpoints: `<namespace>/<secret>/<key>`, read again
    on change."""
    upstream_ca_file: str = ""
    """Authorities that upstreams are trusted by, beside the system's. Read again on change."""
    tls_cert_file: str = ""
    """Certificate (with its chain) that clients are shown; plain HTTP where empty."""
    tls_key_file: str = ""
    """Its key. Both are read again when they change; connections stay as they are."""
    plain_http: bool = False
    """Lets others in without TLS, which then has to end in front of the gateway."""
    config_file: str = ""
    """`gateway.yaml`: models, endpoints and settings, instead of what Kubernetes has. Its routes
    are read again when they change; a wrong file leaves the old ones serving."""
    snapshot_file: str = ""
    """Routes as JSON, instead of those that Kubernetes has. Read again when it changes."""
    state_file: str = ""
    """Where the last routes are kept (no credentials), for a start without the hub."""
    body_bytes: Count = 32 * 1024 * 1024
    """Largest request; long contexts and images need some MB."""
    attempts: Count = 3
    """Endpoints that one request may be tried on."""
    connect_seconds: Seconds = 2.0
    """Longer than any round trip between regions and a lost packet."""
    first_byte_seconds: Seconds = 120.0
    """Until another endpoint is asked, while fewer than 8 answers of the kind are known; then it
    is 8 times what one in a hundred exceeds, at least a second."""
    stall_seconds: Seconds = 120.0
    """Without a byte in the midst of an answer; streams learn a shorter time, at least 5 s."""
    probe_seconds: Seconds = 1.0
    """Between two probes of an endpoint."""
    probe_timeout_seconds: Seconds = 1.0
    drain_seconds: Annotated[float, Meta(ge=0)] = 30.0
    """For answers under way when the gateway is told to stop."""
    count_streams: bool = False
    """Ask engines for the tokens that a stream took (`stream_options.include_usage`) where its
    client does not; what they add is taken out again. Else an event counts as a token."""
    access_log: str = ""
    """File that gets a line of JSON for each request, appended; `-` is the standard output. None
    where it is empty."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @property
    def address(self) -> tuple[str, int]:
        return _split(self.listen)


def _split(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    return host.strip("[]"), int(port)


def _bindable(listen: str) -> bool:
    try:
        host, port = _split(listen)
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return 0 <= port < PORTS


def read(environ: Mapping[str, str]) -> Settings:
    """Take `GATEWAY_SCOPE` and so on; an error names the setting."""
    names = {f"GATEWAY_{field.name}".upper(): field.name for field in fields(Settings)}
    given = {names[key]: value for key, value in environ.items() if key in names and value}
    try:
        settings = msgspec.convert(given, Settings, strict=False)
    except msgspec.ValidationError as error:
        field = str(error).rpartition("$.")[2].rstrip("`")
        raise SystemExit(f"GATEWAY_{field.upper()}: {error}") from error
    for name, listen in (("LISTEN", settings.listen), ("HEALTH_LISTEN", settings.health_listen)):
        if not _bindable(listen) and (listen or name == "LISTEN"):
            raise SystemExit(f"GATEWAY_{name}: `{listen}` is not an IP address and a port")
    return settings
