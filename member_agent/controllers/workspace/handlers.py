"""Wake the controller of Workspaces, and reconcile one Workspace.

A listener only names a key. `reconcile` reads the state of the world itself, so a lost or merged
event changes nothing.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

from fleet.api.conditions import find
from fleet.api.core import ConfigMap, Node, Pod, Service, StatefulSet
from fleet.api.happenings import Happening, happenings
from fleet.api.karpenter import NodeClaim
from fleet.api.names import WORKSPACE
from fleet.api.objects import Key
from fleet.api.workspace import UPDATING, Workspace
from fleet.catalog.catalogue import Catalogue
from fleet.kube.client import Client
from fleet.kube.events import Tell, unheard
from fleet.kube.queue import WorkQueue
from fleet.runtime.clock import Clock
from member_agent.capacity import gpus_asked, gpus_of, holder
from member_agent.controllers.workspace.apply import apply
from member_agent.controllers.workspace.events import TURNS
from member_agent.controllers.workspace.observe import Observer, Reads, unreadable
from member_agent.controllers.workspace.plan import plan
from member_agent.controllers.workspace.plan.actions import Rules
from member_agent.controllers.workspace.plan.turns import siblings_of
from member_agent.controllers.workspace.status import INFERENCE, RESOURCE, report


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspaces:
    client: Client
    reads: Reads
    clock: Clock
    catalogue: Catalogue
    rules: Rules
    tell: Tell = unheard
    name: str = "workspace"
    one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Free nodes and a pool's limit are shared: what one took the next has to see."""

    async def reconcile(self, key: Key) -> float | None:
        """Give a Workspace its nodes and its engine, and say how far it is."""
        if unreadable(self.reads, key):
            return None
        observer = Observer(
            client=self.client, reads=self.reads, catalogue=self.catalogue, rules=self.rules
        )
        async with self.one_at_a_time:
            observed = await observer.observe(key, self.clock())
            planned = plan(observed)
            await apply(planned, self.client, partial(self._told_of, observed.workspace))
            if observed.workspace is None or planned.outcome is None:
                return None
            status = report(observed.workspace, planned.outcome, observed)
            if status:
                await self.client.patch_status(observed.workspace, status)
                old = observed.workspace.status.conditions
                self.tell(observed.workspace, happenings(old, status.conditions, TURNS))
        return planned.outcome.wake_after

    def _told_of(self, workspace: Workspace | None, happened: Iterable[Happening]) -> None:
        if workspace:
            self.tell(workspace, happened)

    def wake(self, queue: WorkQueue) -> None:
        """Add the Workspace that a change concerns; free nodes concern all that lack some."""
        reads, waking = self.reads, Waking(self.reads, queue)
        reads.workspaces.on_change(lambda workspace: queue.add(workspace.key))
        reads.workspaces.on_change(
            lambda _: waking.hungry(), part=lambda workspace: workspace.status.worker_nodes
        )
        reads.workspaces.on_change(
            waking.siblings, part=lambda workspace: workspace.status.conditions
        )
        reads.claims.on_change(waking.capacity)
        reads.nodes.on_change(waking.capacity)
        reads.pools.on_change(lambda _: waking.hungry())
        reads.pods.on_change(waking.part)
        reads.pods.on_change(waking.use, part=_use)
        reads.stateful_sets.on_change(waking.part)
        reads.services.on_change(waking.part)
        reads.configs.on_change(waking.config)


@dataclass(frozen=True, slots=True)
class Waking:
    reads: Reads
    queue: WorkQueue

    def capacity(self, item: NodeClaim | Node) -> None:
        owner = holder(item.metadata.labels)
        if owner:
            self.queue.add(owner)
        for workspace in self.reads.workspaces.all():
            if item.name in workspace.status.worker_nodes:
                self.queue.add(workspace.key)
        self.hungry()

    def use(self, pod: Pod) -> None:
        """A node may be free once a pod that had its GPUs has ended, or is gone."""
        if pod.spec.node_name and gpus_asked(pod):
            self.hungry()

    def hungry(self) -> None:
        """Add all that lack nodes, and those that change and may do so beside what serves."""
        for workspace in self.reads.workspaces.all():
            ready = find(workspace.status.conditions, RESOURCE)
            if ready is None or not ready.true or _updating(workspace):
                self.queue.add(workspace.key)

    def siblings(self, workspace: Workspace) -> None:
        """One replica after another changes: the next may go on."""
        for other in siblings_of(workspace, self.reads.workspaces.all(workspace.namespace)):
            if _updating(other):
                self.queue.add(other.key)

    def part(self, item: Pod | StatefulSet | Service) -> None:
        name = item.metadata.labels.get(WORKSPACE)
        if name:
            self.queue.add(Key(item.namespace, name))

    def config(self, item: ConfigMap) -> None:
        for workspace in self.reads.workspaces.all(item.namespace):
            if workspace.inference and workspace.inference.config == item.name:
                self.queue.add(workspace.key)


def _updating(workspace: Workspace) -> bool:
    said = find(workspace.status.conditions, INFERENCE)
    return said is not None and said.reason == UPDATING


def _use(pod: Pod) -> tuple[str, int]:
    """What a pod takes of which node."""
    return pod.spec.node_name, gpus_of(pod)
