"""What this controller sees, and what it may do about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fleet.api.cluster import MemberCluster
from fleet.api.core import Secret
from fleet.api.keys import Key
from fleet.api.work import Work
from hub.certificates import Pair
from hub.controllers.gateway_credentials.plan.authorities import Authority
from hub.controllers.gateway_credentials.plan.credential import Credential

AUTHORITY = "modelfleet-gateway-authority"
CREDENTIAL = "modelfleet-gateway-credential"
PUBLISHED = "modelfleet.dev/authorities-published"
"""Of the TLS Secret: since when it names each authority, as JSON by key id."""
ROTATED = "modelfleet.dev/rotated-at"
ANNOUNCED = "modelfleet.dev/announced-at"
RECEIVED = "modelfleet.dev/received-at"


@dataclass(frozen=True, slots=True)
class Shared:
    """What all gateways have in common, as the hub's namespace holds it."""

    namespace: str
    authority: Secret | None = None
    authorities: tuple[Authority, ...] = ()
    """The eldest first."""
    tls: Secret | None = None
    pair: Pair | None = None
    """The global gateway's certificate."""
    published: Mapping[str, datetime] = field(default_factory=dict)
    """By an authority's key id."""
    credential: Secret | None = None
    secrets: Credential | None = None
    waiting: tuple[str, ...] = ()
    """Members that are not known to accept all that the credential has; read in a rotation only."""

    def key(self, name: str) -> Key:
        return Key(self.namespace, name)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a member has, or is about to have."""

    cluster: MemberCluster | None
    work: Work | None = None
    pair: Pair | None = None
    """The certificate that its Work holds."""
    host: str = ""
    """By which its gateway may be reached from outside its cluster; none where it is empty."""


@dataclass(frozen=True, slots=True)
class WriteSecret:
    """Write what was observed as `old`, or make it: nobody may have written it since."""

    key: Key
    type: str
    data: Mapping[str, str] = field(repr=False)
    annotations: Mapping[str, str]
    old: Secret | None


@dataclass(frozen=True, slots=True)
class WriteWork:
    work: Work = field(repr=False)


Action = WriteSecret | WriteWork


@dataclass(frozen=True, slots=True)
class Plan:
    actions: tuple[Action, ...] = ()
    """In this order."""
    again: timedelta | None = None
    """Until time alone changes the plan."""
    late: tuple[str, ...] = ()
    """Members that keep the next credential waiting for too long."""
