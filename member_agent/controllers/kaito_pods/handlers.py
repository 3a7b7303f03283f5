"""Wake when something changes that decides what a pod of KAITO's serves, and mark those pods."""

from dataclasses import dataclass

from fleet.api.core import Pod
from fleet.api.names import WORKSPACE
from fleet.api.objects import Key
from fleet.api.workspace import InferenceSet
from fleet.kube.client import Client
from fleet.kube.queue import WorkQueue
from member_agent.controllers.kaito_pods.apply import apply
from member_agent.controllers.kaito_pods.observe import Reads, observe, owner
from member_agent.controllers.kaito_pods.plan import plan


@dataclass(frozen=True, slots=True, kw_only=True)
class KaitoPods:
    """A key is that of a Workspace."""

    client: Client
    reads: Reads
    name: str = "kaito-pods"

    async def reconcile(self, key: Key) -> None:
        """Let the region's gateway find the pods of a Workspace that KAITO reconciles."""
        await apply(plan(observe(self.reads, key)), self.client)

    def wake(self, queue: WorkQueue) -> None:
        def part(item: Pod) -> None:
            name = item.metadata.labels.get(WORKSPACE)
            if name:
                queue.add(Key(item.namespace, name))

        def replicas(whole: InferenceSet) -> None:
            for workspace in self.reads.workspaces.all(whole.namespace):
                if owner(workspace, InferenceSet.kind()) == whole.name:
                    queue.add(workspace.key)

        self.reads.workspaces.on_change(lambda workspace: queue.add(workspace.key))
        self.reads.inference_sets.on_change(replicas)
        self.reads.pods.on_change(part)
