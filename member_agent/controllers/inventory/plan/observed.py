"""All of a member that its report is made of."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from fleet.api.cluster import InternalMemberCluster
from fleet.api.core import Namespace, Node, Pod
from fleet.api.karpenter import NodeClaim, NodePool
from fleet.api.workspace import Workspace
from fleet.catalog.catalogue import Catalogue


class Endpoint(NamedTuple):
    """Where others reach the member's API server, if they are to know."""

    url: str = ""
    authority: str = ""
    """PEM of who signed its certificate."""


NOWHERE: Final = Endpoint()


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """All that is looked at, read once at the start of the reconcile."""

    membership: InternalMemberCluster | None
    nodes: tuple[Node, ...]
    pods: tuple[Pod, ...]
    claims: tuple[NodeClaim, ...]
    pools: tuple[NodePool, ...]
    workspaces: tuple[Workspace, ...]
    namespaces: tuple[Namespace, ...]
    catalogue: Catalogue
    now: datetime
    works_held: bool = False
    """Whether a Work still bears our finalizer."""
    version: str = ""
    """Of Kubernetes; empty where it is not known."""
    release: str = ""
    """Of the agent itself."""
    endpoint: Endpoint = NOWHERE
