"""Settings of the hub: its environment, and the flags that stand over it."""

import re
from argparse import ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fleet.runtime.settings import (
    Count,
    LeaseSeconds,
    LogLevel,
    Seconds,
    SettingsError,
    read,
)

CONTROLLERS = (
    "membership",
    "cluster-profile",
    "placement",
    "scheduling",
    "rollout",
    "updaterun",
    "eviction",
    "work-generation",
    "workload-status",
    "endpoints",
    "services",
    "model-deployment",
    "gateway-credentials",
)

NAMES = ", ".join(CONTROLLERS)
EXAMPLE = """\
example, a scheduler alone, on any API server with the CRDs of placements:
  KUBECONFIG=hub.yaml python -m hub --controllers scheduling --heartbeat-timeout 24h"""

UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
"""Of a duration, in seconds."""

BESIDE = ("workload-status", "endpoints", "services", "model-deployment")
"""Those that write kinds of ours alone: they place by placements, as a user does."""
TAKE_OVER = (
    "--take-over (HUB_TAKE_OVER): two cannot write the same placements; stop KubeFleet's hub agent"
    " instead: the hub then goes on by itself with the members and placements that it finds"
)

UNCALLED = (
    "HUB_WEBHOOK_LISTEN: the webhook's certificate needs HUB_NAMESPACE to lie in, and in"
    " HUB_WEBHOOK_NAMES what API servers call it by"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    workers: Count = 4
    """Reconciles of a controller at the same time; each waits for the API server most of it."""
    resync_seconds: Seconds = 600.0
    """Between lists of each kind; they only catch what a watch has lost."""
    health_listen: str = ""
    """host:port of /healthz, /readyz and /metrics; nothing listens where it is empty."""
    namespace: str = ""
    """Of the hub's own objects, such as the Lease by which replicas agree on which of them writes;
    without it there is no Lease, which is right for one alone."""
    lease_seconds: LeaseSeconds = 9.0
    """After which a replica that is not heard of is replaced; longer where etcd is slow."""
    log_level: LogLevel = "INFO"
    """Tells of what is tried again, and of no more."""
    profile_namespace: str = "fleet-system"
    """Of the ClusterProfiles, by which other tools know the members (KubeFleet's value); it is made
    where it is missing, and nothing is where the hub has no such kind."""
    force_leave_seconds: Seconds = 900.0
    """How long a leaving member's agent is waited for (KubeFleet's value)."""
    heartbeat_timeout_seconds: Seconds = 300.0
    """A member silent for longer gets nothing new (KubeFleet's value)."""
    health_timeout_seconds: Seconds = 300.0
    """A member unhealthy for longer gets nothing new (KubeFleet's value)."""
    gateway_names: str = ""
    """Further names and addresses of the global gateway for its certificate, with commas between;
    its Service's are in it."""
    gateway_authority_seconds: Seconds = 315_360_000.0
    """Life of the authority that signs gateways' certificates: 10 years, since every gateway has
    to learn of another one. A successor is made after two thirds of it."""
    gateway_certificate_seconds: Seconds = 7_776_000.0
    """Life of a gateway's certificate: 90 days, of which a member may be away for 30, for a new
    one is made after two thirds."""
    gateway_credential_seconds: Seconds = 2_592_000.0
    """How long the same secret is sent to regional gateways: 30 days."""
    gateway_overlap_seconds: Seconds = 86_400.0
    """How long a new authority or secret is known everywhere before it is used: a day, far more
    than a kubelet takes to show a changed Secret."""
    webhook_listen: str = ""
    """host:port at which API servers ask the validating webhook; there is none where it is empty.
    Its certificate lies in `namespace`."""
    webhook_names: str = ""
    """Names and addresses by which API servers call the webhook, with commas between."""
    webhook_configuration: str = "modelfleet-hub"
    """The ValidatingWebhookConfiguration in which the hub writes whom to believe."""
    webhook_service_exports: bool = False
    """Refuse to let a member go that exports Services (off, as KubeFleet's networking is)."""
    beside: bool = False
    """Leave members and placements to a KubeFleet that runs on the hub."""
    take_over: bool = False
    """Write what a running KubeFleet writes; refused: two writers would undo each other's work."""
    controllers: tuple[str, ...] = CONTROLLERS
    """Those that run; only the flag `--controllers` changes it."""

    @property
    def global_names(self) -> tuple[str, ...]:
        return _listed(self.gateway_names)

    @property
    def webhook_hosts(self) -> tuple[str, ...]:
        return _listed(self.webhook_names)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (name.strip() for name in text.split(","))))


def settings(arguments: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Read `HUB_WORKERS` and so on; SettingsError and SystemExit name what is wrong."""
    flags = _parser().parse_args(arguments)
    others = {key: value for key, value in environ.items() if key != "HUB_CONTROLLERS"}
    base = read(Settings, "HUB_", others)
    if flags.take_over or base.take_over:
        raise SettingsError(TAKE_OVER)
    if base.webhook_listen and not (base.namespace and base.webhook_hosts):
        raise SettingsError(UNCALLED)
    beside = flags.beside or base.beside
    return replace(
        base,
        beside=beside,
        controllers=flags.controllers or (BESIDE if beside else base.controllers),
        heartbeat_timeout_seconds=flags.heartbeat_timeout or base.heartbeat_timeout_seconds,
        health_timeout_seconds=flags.health_timeout or base.health_timeout_seconds,
        force_leave_seconds=flags.force_delete_wait_time or base.force_leave_seconds,
    )


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="python -m hub",
        description="Place workloads on a fleet.",
        epilog=EXAMPLE,
        formatter_class=RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--controllers", type=_names, metavar="A,B", help=f"run only these: {NAMES}")
    add(
        "--heartbeat-timeout",
        type=seconds,
        metavar="5m",
        help="a member silent for longer gets nothing new",
    )
    add(
        "--force-delete-wait-time",
        type=seconds,
        metavar="15m",
        help="a leaving member's agent is waited for so long",
    )
    add("--beside", action="store_true", help="leave members and placements to KubeFleet")
    add("--take-over", action="store_true", help="refused while KubeFleet can run; says what to do")
    add("--health-timeout", type=seconds, metavar="5m", help="so does one unhealthy for longer")
    return parser


def _names(text: str) -> tuple[str, ...]:
    named = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not named:
        raise ArgumentTypeError(f"name one at least of {NAMES}")
    unknown = [name for name in named if name not in CONTROLLERS]
    if unknown:
        raise ArgumentTypeError(f"no such controller: {', '.join(unknown)}; there are {NAMES}")
    return named


def seconds(text: str) -> float:
    """Read a duration as Go writes it, `90s`, `5m` or `1h30m`; 0 would make everybody silent."""
    parts = re.findall(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ArgumentTypeError(f"not a duration such as 90s, 5m or 1h30m: {text}")
    total = sum(float(number) * UNITS[unit] for number, unit in parts)
    if not total:
        raise ArgumentTypeError(f"must be longer than nothing: {text}")
    return total
