"""What the controller of Workspaces sees, and what it may do about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fleet.api.core import ConfigMap, Node, Pod, Service, StatefulSet
from fleet.api.karpenter import NodeClaim, NodePool
from fleet.api.workspace import Workspace
from fleet.catalog.catalogue import Catalogue
from fleet.engine.serving import Serving
from member_agent.capacity import SoldOut

Body = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What an operator of the member may set."""

    image: str
    """Of the engine, tag and all."""
    puller_image: str
    """Of what fetches adapters from images: one with sh, tar and crane."""
    launch_seconds: float
    """After which a claim that no instance came for counts as sold out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """What the member has, whoever has it."""

    nodes: tuple[Node, ...] = ()
    pools: tuple[NodePool, ...] = ()
    claims: tuple[NodeClaim, ...] = ()
    """Of all Workspaces, for they share the pools' limits."""
    taken: frozenset[str] = frozenset()
    """Nodes that other Workspaces have, or that pods use GPUs of."""
    region: str = ""


@dataclass(frozen=True, slots=True)
class Sibling:
    """Another replica of the same InferenceSet."""

    workspace: Workspace
    leftovers: bool = False
    """Whether it has two engines, or pods or claims that are just ending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """All that `plan` may look at, read once at the start of the reconcile."""

    workspace: Workspace | None
    claims: tuple[NodeClaim, ...]
    """Made for this Workspace."""
    cluster: Cluster
    catalogue: Catalogue
    rules: Rules
    now: datetime
    config: ConfigMap | None = None
    """The one that `inference.config` names; None where it is not there."""
    stateful_set: StatefulSet | None = None
    beside: StatefulSet | None = None
    """A newer one, which is to take its place."""
    siblings: tuple[Sibling, ...] = ()
    """The other replicas of the InferenceSet that it is one of."""
    services: Mapping[str, Service] = field(default_factory=dict)
    pods: tuple[Pod, ...] = ()
    events: Mapping[str, str] = field(default_factory=dict)
    """What Karpenter said last of a claim, by the claim's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """The nodes that a Workspace takes, and how its engine uses them."""

    instance_type: str
    """Empty where any node with these GPUs does."""
    capacity_type: str
    nodes: int
    gpus: int
    """That a pod takes of each node."""
    node_gpus: int
    """That each node has; a node serves one Workspace."""
    serving: Serving | None = None
    """None for a template, which knows itself."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a Workspace is not served here, in words for its author."""

    message: str
    final: bool = True
    """Whether only the author can mend it."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Keep the Workspace until its claims are gone."""

    workspace: Workspace


@dataclass(frozen=True, slots=True)
class Release:
    workspace: Workspace


@dataclass(frozen=True, slots=True)
class CreateClaim:
    claim: NodeClaim


@dataclass(frozen=True, slots=True)
class ReleaseClaim:
    """Let a claim go, once we know why it goes."""

    claim: NodeClaim


@dataclass(frozen=True, slots=True)
class DeleteClaim:
    claim: NodeClaim


@dataclass(frozen=True, slots=True)
class NoteSoldOut:
    """Write on a NodePool which of its types are sold out."""

    pool: NodePool
    types: Mapping[str, SoldOut]


@dataclass(frozen=True, slots=True)
class WriteStatefulSet:
    stateful_set: StatefulSet


@dataclass(frozen=True, slots=True)
class DeleteStatefulSet:
    """End the engine's pods: a node that is given back waits for those it runs."""

    stateful_set: StatefulSet


@dataclass(frozen=True, slots=True)
class WriteService:
    service: Service


Action = (
    Hold
    | Release
    | CreateClaim
    | ReleaseClaim
    | DeleteClaim
    | NoteSoldOut
    | WriteStatefulSet
    | DeleteStatefulSet
    | WriteService
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The nodes that a Workspace has, is to get, and lacks."""

    existing: tuple[Node, ...] = ()
    """Found in the cluster, and taken."""
    claims: tuple[NodeClaim, ...] = ()
    """Kept, in the order of their indices."""
    new: tuple[NodeClaim, ...] = ()
    shortage: str = ""
    """Why a node that is lacking is not asked for."""
    wake_after: float | None = None
    """Seconds until that may change by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Facts for the report."""

    need: Need | None = None
    refusal: Refusal | None = None
    share: Share = Share()
    nodes: tuple[Node, ...] = ()
    """Ready ones, with their GPUs."""
    outdated: bool = False
    """Whether the engine that is there is not what is asked for now, or was not until this plan."""
    other: Share | None = None
    """The nodes of a new engine that comes up beside the one that serves."""
    waits: str = ""
    """Why an engine that is out of date stays as it is."""
    newest: StatefulSet | None = None
    """The engine that is to serve; None where that is the only one."""

    @property
    def wake_after(self) -> float | None:
        """Seconds until something may change by itself."""
        shares = (self.share, self.other) if self.other else (self.share,)
        return min((s.wake_after for s in shares if s.wake_after is not None), default=None)


@dataclass(frozen=True, slots=True)
class Plan:
    actions: tuple[Action, ...]
    outcome: Outcome | None = None
