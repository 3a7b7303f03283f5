"""Settings of the member agent."""

from collections.abc import Mapping
from dataclasses import dataclass

from fleet.api.keys import Key
from fleet.runtime.settings import Count, LeaseSeconds, LogLevel, Seconds, SettingsError, read

PREFIX = "MEMBER_AGENT_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    cluster: str = ""
    """Name of the member in the fleet; it must be given."""
    hub_url: str = ""
    """Of the hub's API server; it must be given."""
    hub_ca_file: str = ""
    """PEM; the system's authorities where it is empty."""
    hub_token_file: str = ""
    """Who we are on the hub; renewed in place, so that it must be writable. It must be given."""
    hub_token_secret: str = ""
    """namespace/name of the Secret on the member that keeps the token (key `token`) when a pod and
    its files go; a newer one put there is taken up. Empty where there is only the file."""
    gateway_url: str = ""
    """Base of the OpenAI API of the member's gateway; empty where it has none."""
    engine_image: str = "vllm/vllm-openai:v0.33.0"
    """What serves presets; pinned, for an engine's flags change with its versions."""
    launch_seconds: Seconds = 300.0
    """After which a claim without an instance counts as sold out (Karpenter's own patience)."""
    namespace: str = ""
    """Of the agent's own objects on the member, such as the Lease by which replicas agree on which
    of them works; without it there is no Lease, which is right for one alone."""
    lease_seconds: LeaseSeconds = 9.0
    """After which a replica that is not heard of is replaced; longer where etcd is slow."""
    workers: Count = 4
    """Reconciles of a controller at the same time; each waits for the API server most of it."""
    resync_seconds: Seconds = 600.0
    """Between lists of each kind; they only catch what a watch has lost."""
    crd_deadline_seconds: Seconds = 60.0
    """Enough for a chart to install its CRDs beside us."""
    health_listen: str = ""
    """host:port of /healthz, /readyz and /metrics; nothing listens where it is empty."""
    log_level: LogLevel = "INFO"
    """Tells of what is tried again, and of no more."""


def settings(environ: Mapping[str, str]) -> Settings:
    """Read `MEMBER_AGENT_CLUSTER` and so on; SettingsError names what is wrong or missing."""
    given = read(Settings, PREFIX, environ)
    needed = {name: getattr(given, name) for name in ("cluster", "hub_url", "hub_token_file")}
    missing = [f"{PREFIX}{name}".upper() for name, value in needed.items() if not value]
    if missing:
        raise SettingsError(f"not set: {', '.join(missing)}")
    secret = Key.parse(given.hub_token_secret)
    if given.hub_token_secret and not (secret.namespace and secret.name):
        raise SettingsError(f"{PREFIX}HUB_TOKEN_SECRET: must be namespace/name")
    return given
