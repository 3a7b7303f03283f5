"""Report each ModelService; its spec is its user's, or its workload's."""

from dataclasses import dataclass, field

from fleet.api.happenings import happenings
from fleet.api.keys import Key
from fleet.api.service import ModelEndpoint, ModelService
from fleet.kube.client import Client
from fleet.kube.events import Tell, unheard
from fleet.kube.queue import WorkQueue
from fleet.runtime.clock import Clock
from hub.controllers.services.events import TURNS
from hub.controllers.services.observe import Claims, Reads, observe
from hub.controllers.services.status import report


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    name = "services"
    client: Client
    reads: Reads
    claims: Claims
    clock: Clock
    tell: Tell = unheard
    _counted: dict[Key, Key] = field(default_factory=dict)
    """For which service each endpoint is counted."""

    async def reconcile(self, key: Key) -> None:
        observed = observe(self.reads, self.claims, key)
        service = observed.service
        if service is None or service.deleting:
            return
        status = report(service, observed, now=self.clock())
        if status:
            await self.client.patch_status(service, status)
            turned = happenings(service.status.conditions, status.conditions, TURNS)
            self.tell(service, turned)

    def wake(self, queue: WorkQueue) -> None:
        """A name that is claimed or freed concerns all that claim it."""

        def service(resource: ModelService) -> None:
            queue.add(resource.key)

        def endpoint(resource: ModelEndpoint) -> None:
            for key in self._served(resource):
                queue.add(key)

        self.reads.services.on_change(service)
        self.claims.on_change(queue.add)
        self.reads.endpoints.on_change(endpoint)

    def _served(self, endpoint: ModelEndpoint) -> set[Key]:
        """Give the service that an endpoint serves, and the one that it served before."""
        now = Key(endpoint.namespace, endpoint.spec.service)
        before = self._counted.pop(endpoint.key, now)
        if self.reads.endpoints.get(endpoint.key) is not None:
            self._counted[endpoint.key] = now
        return {before, now}
