"""What a look at a fleet found, before anybody judges it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from fleet.api.cluster import MemberCluster
from fleet.api.staged_update import UpdateRun

Version = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderLease:
    """The Lease by which replicas of the hub agree on who leads."""

    holder: str
    namespace: str
    """Of the hub's release."""
    renewed: datetime
    seconds: int
    """For which it holds."""
    moving: bool = False
    """Whether it was renewed while we looked, whatever its clock says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinds:
    """Our CRDs on the hub, by name."""

    missing: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    """Those that are not as in this version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HubFacts:
    """The hub as the user's kubeconfig shows it; None is what could not be seen."""

    where: str
    trouble: str = ""
    """Why nothing else is known; empty where the hub answers."""
    version: str = ""
    kinds: Kinds | None = None
    denied: tuple[str, ...] | None = None
    """What the user may not do, of what our commands do."""
    lease: LeaderLease | None = None
    program: bool | None = None
    """Whether a local fleet's hub says that it is ready."""
    members: tuple[MemberCluster, ...] | None = None
    runs: tuple[UpdateRun, ...] | None = None
    """Update runs of both scopes."""
    time: datetime | None = None
    """What its API server's clock shows: this machine's may be another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayFacts:
    url: str
    trouble: str = ""
    ready: int = 0
    """HTTP status of /readyz."""
    listed: int = 0
    """HTTP status of GET /v1/models with the key."""
    models: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    now: datetime
    hub: HubFacts
    release: str = ""
    """Of this command."""
    gateway: GatewayFacts | None = None
    tools: Mapping[str, Version | None] = field(default_factory=dict)
    """Version of each; None: it is not there, (): it does not say."""
    tokens: Mapping[str, datetime] = field(default_factory=dict)
    """When the agents' tokens end that are on this machine, by member."""
