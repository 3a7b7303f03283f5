"""Settings of the member agent: its environment, and the flags that stand over it."""

from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fleet.api.addresses import exposed
from fleet.api.keys import Key
from fleet.runtime.settings import Count, LeaseSeconds, LogLevel, Seconds, SettingsError, read
from member_agent.gateway_address import PLAIN

PREFIX = "MEMBER_AGENT_"
TAKE_OVER = (
    "--take-over (MEMBER_AGENT_TAKE_OVER): two cannot write the same objects; stop KAITO instead:"
    " the agent then goes on by itself, leaves the engines that KAITO made as they run, and takes"
    " a Workspace over when its spec changes"
)


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
    cluster_entrypoint: str = ""
    """URL of the member's API server as other tools reach it; its ClusterProfile on the hub tells
    it, with the authority of its certificate. Empty: they are not told."""
    gateway_url: str = ""
    """Base of the OpenAI API of the member's gateway, https unless it is on this machine; empty
    where it has none, or where the next setting finds it."""
    gateway_service: str = ""
    """namespace/name of the Service, Ingress or Gateway that exposes the member's gateway."""
    gateway_ca_file: str = ""
    """Authorities that the gateway's certificate is believed by, beside the system's; it may come
    later, since the hub delivers it, and is read again when it changes."""
    engine_image: str = "vllm/vllm-openai:v0.33.0"
    """What serves presets; pinned, for an engine's flags change with its versions."""
    puller_image: str = "gcr.io/go-containerregistry/crane/debug:v0.22.1"
    """What fetches adapters from images, before an engine starts: any image with sh, tar and
    crane."""
    launch_seconds: Seconds = 300.0
    """After which a claim without an instance counts as sold out (Karpenter's own patience)."""
    namespace: str = ""
    """Of the agent's own objects on the member, such as the Lease by which replicas agree on which
    of them works; without it there is no Lease, which is right for one alone."""
    lease_seconds: LeaseSeconds = 9.0
    """After which a replica that is not heard of is replaced; longer where etcd is slow."""
    beside: bool = False
    """Leave Workspaces and InferenceSets to a KAITO that runs on the member."""
    take_over: bool = False
    """Write what a running KAITO writes; refused, for two writers would undo each other's work."""
    workers: Count = 4
    """Reconciles of a controller at the same time; each waits for the API server most of it."""
    resync_seconds: Seconds = 600.0
    """Between lists of each kind; they only catch what a watch has lost."""
    health_listen: str = ""
    """host:port of /healthz, /readyz and /metrics; nothing listens where it is empty."""
    log_level: LogLevel = "INFO"
    """Tells of what is tried again, and of no more."""


def settings(arguments: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Read `MEMBER_AGENT_CLUSTER` and so on; SettingsError names what is wrong or missing."""
    flags, base = _parser().parse_args(arguments), read(Settings, PREFIX, environ)
    given = replace(
        base, beside=flags.beside or base.beside, take_over=flags.take_over or base.take_over
    )
    if given.take_over:
        raise SettingsError(TAKE_OVER)
    needed = {name: getattr(given, name) for name in ("cluster", "hub_url", "hub_token_file")}
    missing = [f"{PREFIX}{name}".upper() for name, value in needed.items() if not value]
    if missing:
        raise SettingsError(f"not set: {', '.join(missing)}")
    secret = Key.parse(given.hub_token_secret)
    if given.hub_token_secret and not (secret.namespace and secret.name):
        raise SettingsError(f"{PREFIX}HUB_TOKEN_SECRET: must be namespace/name")
    _check_gateway(given)
    return given


def _check_gateway(given: Settings) -> None:
    url, service = given.gateway_url, Key.parse(given.gateway_service)
    if url and exposed(url):
        raise SettingsError(f"{PREFIX}GATEWAY_URL: {url} is {PLAIN}; give one with https")
    if given.gateway_service and not (service.namespace and service.name):
        raise SettingsError(f"{PREFIX}GATEWAY_SERVICE: must be namespace/name")


def _parser() -> ArgumentParser:
    text = "Apply on a member what the hub asks, and report to it."
    parser = ArgumentParser(prog="python -m member_agent", description=text)
    add = parser.add_argument
    add("--beside", action="store_true", help="leave Workspaces and InferenceSets to KAITO")
    add("--take-over", action="store_true", help="refused while KAITO can run; says what to do")
    return parser
