"""Read everything `plan` needs, once; nearly all of it from the caches."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from fleet.api.core import ConfigMap, Event, Node, Pod, Service, StatefulSet
from fleet.api.karpenter import NodeClaim, NodePool
from fleet.api.names import WORKSPACE
from fleet.api.objects import Key
from fleet.api.workspace import Workspace
from fleet.catalog.catalogue import Catalogue
from fleet.kube.cache import Cache
from fleet.kube.client import Client
from member_agent.capacity import gpus_of, holder, reached, region_of
from member_agent.controllers.workspace.plan.actions import Cluster, Observed, Rules, Sibling
from member_agent.controllers.workspace.plan.engines import Rests, by_age, left_over, pair
from member_agent.controllers.workspace.plan.turns import siblings_of
from member_agent.controllers.workspace.plan.workload import headless_name
from member_agent.workspace_index import BY_WORKSPACE

EVENTS_NAMESPACE = "default"
"""Where events of cluster-scoped objects are kept."""
INSUFFICIENT = "InsufficientCapacityError"


class Reads(NamedTuple):
    """The kinds that the controller of Workspaces reads, and no others."""

    workspaces: Cache[Workspace]
    claims: Cache[NodeClaim]
    pools: Cache[NodePool]
    nodes: Cache[Node]
    pods: Cache[Pod]
    stateful_sets: Cache[StatefulSet]
    services: Cache[Service]
    configs: Cache[ConfigMap]


def unreadable(reads: Reads, key: Key) -> bool:
    """Whether a Workspace is there but not to be read: its cache says so, and it stays as it is."""
    return reads.workspaces.get(key) is None and reads.workspaces.body(key) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    client: Client
    reads: Reads
    catalogue: Catalogue
    rules: Rules

    async def observe(self, key: Key, now: datetime) -> Observed:
        reads = self.reads
        workspace = reads.workspaces.get(key)
        claims = reads.claims.by(BY_WORKSPACE, str(key))
        engines, services = await self._workload(workspace)
        return Observed(
            workspace=workspace,
            claims=claims,
            cluster=cluster(reads, key),
            catalogue=self.catalogue,
            rules=self.rules,
            now=now,
            config=_config(reads, workspace),
            stateful_set=engines[0] if engines else None,
            beside=engines[1] if len(engines) > 1 else None,
            siblings=_siblings(reads, workspace, now, self.rules.launch_seconds),
            services={service.name: service for service in services},
            pods=reads.pods.by(BY_WORKSPACE, str(key)),
            events=await self._events(claims),
        )

    async def _workload(
        self, workspace: Workspace | None
    ) -> tuple[tuple[StatefulSet, ...], list[Service]]:
        """Look for what we are about to write: the caches hold only what bears our label."""
        if workspace is None:
            return (), []
        names = (workspace.name, headless_name(workspace))
        keys = [Key(workspace.namespace, name) for name in names]
        engines = engines_of(self.reads, workspace)
        if engines or workspace.deleting:
            found = [self.reads.services.get(key) for key in keys]
        else:
            engine = await self.client.get(StatefulSet, workspace.key)
            engines = (engine,) if engine else ()
            found = [await self.client.get(Service, key) for key in keys]
        return engines, [service for service in found if service]

    async def _events(self, claims: tuple[NodeClaim, ...]) -> dict[str, str]:
        """Ask for Karpenter's reason where a claim found no instance: only an Event has it."""
        lost = {c.name for c in claims if c.deleting and not reached(c, "Launched")}
        if not lost:
            return {}
        listing = await self.client.list(Event, EVENTS_NAMESPACE)
        told = [event for event in listing.objects() if event.reason == INSUFFICIENT]
        return {
            name: event.message
            for event in told
            if (name := str(event.involved_object.get("name", ""))) in lost
        }


def engines_of(reads: Reads, workspace: Workspace) -> tuple[StatefulSet, ...]:
    """Find a Workspace's engines, the one first that is to give way."""
    keys = (Key(workspace.namespace, name) for name in pair(workspace))
    found = (reads.stateful_sets.get(key) for key in keys)
    return by_age(engine for engine in found if engine)


def _siblings(
    reads: Reads, workspace: Workspace | None, now: datetime, patience: float
) -> tuple[Sibling, ...]:
    if workspace is None:
        return ()
    found = siblings_of(workspace, reads.workspaces.all(workspace.namespace))
    return tuple(
        Sibling(other, leftovers=left_over(rests_of(reads, other), now, patience))
        for other in found
    )


def rests_of(reads: Reads, workspace: Workspace) -> Rests:
    key = str(workspace.key)
    return Rests(
        names=pair(workspace),
        engines=engines_of(reads, workspace),
        pods=reads.pods.by(BY_WORKSPACE, key),
        claims=reads.claims.by(BY_WORKSPACE, key),
    )


def cluster(reads: Reads, key: Key) -> Cluster:
    """See the cluster as one Workspace does: what others have is taken."""
    nodes = reads.nodes.all()
    return Cluster(
        nodes=nodes,
        pools=reads.pools.all(),
        claims=reads.claims.all(),
        taken=frozenset(_taken(reads, nodes, key)),
        region=region_of(nodes),
    )


def _taken(reads: Reads, nodes: tuple[Node, ...], key: Key) -> Iterable[str]:
    for node in nodes:
        if holder(node.metadata.labels) not in (None, key):
            yield node.name
    for workspace in reads.workspaces.all():
        if workspace.key != key:
            yield from workspace.status.worker_nodes
    for pod in reads.pods.all():
        mine = (pod.namespace, pod.metadata.labels.get(WORKSPACE)) == tuple(key)
        if pod.spec.node_name and not mine and gpus_of(pod):
            yield pod.spec.node_name


def _config(reads: Reads, workspace: Workspace | None) -> ConfigMap | None:
    name = workspace.inference.config if workspace and workspace.inference else ""
    return reads.configs.get(Key(workspace.namespace, name)) if workspace and name else None
