"""Wake the controller of InferenceSets, and reconcile one InferenceSet.

A listener only names a key. `reconcile` reads the state of the world itself, so a lost or merged
event changes nothing.
"""

from dataclasses import dataclass

from fleet.api.core import ConfigMap
from fleet.api.objects import Key
from fleet.api.workspace import InferenceSet, Workspace
from fleet.kube.client import Client
from fleet.kube.queue import WorkQueue
from fleet.runtime.clock import Clock
from member_agent.controllers.inference_set.apply import apply
from member_agent.controllers.inference_set.observe import Reads, observe
from member_agent.controllers.inference_set.plan import plan
from member_agent.controllers.inference_set.status import report
from member_agent.inputs import config_of


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceSets:
    client: Client
    reads: Reads
    clock: Clock
    name: str = "inference-set"

    async def reconcile(self, key: Key) -> None:
        """Make an InferenceSet's Workspaces what they should be, and count those that serve."""
        observed = observe(self.reads, key)
        planned = plan(observed)
        await apply(planned, self.client)
        owner = observed.inference_set
        if owner is None or owner.deleting:
            return
        status = report(owner, observed, planned, now=self.clock())
        if status:
            await self.client.patch_status(owner, status)

    def wake(self, queue: WorkQueue) -> None:
        """Add the InferenceSet that a change concerns."""

        def child(workspace: Workspace) -> None:
            for owner in workspace.metadata.owner_references:
                if owner.kind == InferenceSet.kind():
                    queue.add(Key(workspace.namespace, owner.name))

        def config(item: ConfigMap) -> None:
            for owner in self.reads.inference_sets.all(item.namespace):
                if config_of(owner) == item.key:
                    queue.add(owner.key)

        self.reads.inference_sets.on_change(lambda owner: queue.add(owner.key))
        self.reads.workspaces.on_change(child)
        self.reads.configs.on_change(config)
