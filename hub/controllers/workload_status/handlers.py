"""Wake for a workload whose Works, placement or members changed, and report it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fleet.api.keys import Key
from fleet.api.work import Work
from fleet.kube.cache import Cache
from fleet.kube.client import Client
from fleet.kube.queue import WorkQueue
from fleet.runtime.clock import Clock
from hub.controllers.workload_status.observe import observe
from hub.controllers.workload_status.status import report
from hub.shares import Silence, WorkloadCache, WorkloadReads
from hub.workloads import Workload, refs


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadStatusController:
    """One for Workspaces, one for InferenceSets: on the hub their status is the fleet's."""

    client: Client
    workloads: WorkloadCache
    fleet: WorkloadReads
    silence: Silence
    clock: Clock

    @property
    def kind(self) -> str:
        return self.workloads.resource.kind

    @property
    def name(self) -> str:
        return f"workload-status-{self.kind.lower()}"

    @property
    def reads(self) -> Sequence[Cache[Any]]:
        return self.workloads, *self.fleet.caches

    async def reconcile(self, key: Key) -> None:
        observed = observe(self.workloads, self.fleet, key, self.silence)
        workload = observed.workload
        if workload is None or not (observed.shares or workload.status.conditions):
            return
        status = report(workload, observed.shares, now=self.clock())
        if status:
            await self.client.patch_status(workload, status)

    def wake(self, queue: WorkQueue) -> None:
        def workload(resource: Workload) -> None:
            queue.add(resource.key)

        def work(resource: Work) -> None:
            for ref in refs(resource.metadata.annotations):
                if ref.kind == self.kind:
                    queue.add(ref.key)

        self.workloads.on_change(workload)
        self.fleet.on_share_change(work, self.silence)
