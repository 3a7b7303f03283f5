"""Read everything that a member's report needs, once, from the caches."""

from datetime import datetime
from typing import NamedTuple

from fleet.api.cluster import InternalMemberCluster
from fleet.api.core import Namespace, Node, Pod
from fleet.api.karpenter import NodeClaim, NodePool
from fleet.api.names import WORK_BINDING_CLEANUP
from fleet.api.objects import Key
from fleet.api.work import Work
from fleet.api.workspace import Workspace
from fleet.catalog.catalogue import Catalogue
from fleet.kube.cache import Cache
from member_agent.controllers.inventory.plan import Observed


class Reads(NamedTuple):
    """The kinds that the inventory reads, and no others."""

    membership: Cache[InternalMemberCluster]
    works: Cache[Work]
    nodes: Cache[Node]
    pods: Cache[Pod]
    claims: Cache[NodeClaim]
    pools: Cache[NodePool]
    workspaces: Cache[Workspace]
    namespaces: Cache[Namespace]


def observe(reads: Reads, key: Key, catalogue: Catalogue, now: datetime) -> Observed:
    works = reads.works.all()
    return Observed(
        membership=reads.membership.get(key),
        nodes=reads.nodes.all(),
        pods=reads.pods.all(),
        claims=reads.claims.all(),
        pools=reads.pools.all(),
        workspaces=reads.workspaces.all(),
        namespaces=reads.namespaces.all(),
        catalogue=catalogue,
        now=now,
        works_held=any(map(held, works)),
    )


def held(work: Work) -> bool:
    """Whether a Work still bears our finalizer."""
    return WORK_BINDING_CLEANUP in work.metadata.finalizers
