"""Report each ModelService; its spec is its user's, or its workload's."""

from dataclasses import dataclass

from fleet.api.keys import Key
from fleet.api.service import ModelEndpoint, ModelService
from fleet.kube.client import Client
from fleet.kube.queue import WorkQueue
from fleet.runtime.clock import Clock
from hub.controllers.services.observe import BY_NAME, Reads, observe
from hub.controllers.services.status import report


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    name = "services"
    client: Client
    reads: Reads
    clock: Clock

    async def reconcile(self, key: Key) -> None:
        observed = observe(self.reads, key)
        service = observed.service
        if service is None or service.deleting:
            return
        status = report(service, observed, now=self.clock())
        if status:
            await self.client.patch_status(service, status)

    def wake(self, queue: WorkQueue) -> None:
        def service(resource: ModelService) -> None:
            """A name that is claimed or freed concerns all that claim it."""
            queue.add(resource.key)
            for namesake in self.reads.services.by(BY_NAME, resource.name):
                queue.add(namesake.key)

        def endpoint(resource: ModelEndpoint) -> None:
            queue.add(Key(resource.namespace, resource.spec.service))

        self.reads.services.on_change(service)
        self.reads.endpoints.on_change(endpoint)
