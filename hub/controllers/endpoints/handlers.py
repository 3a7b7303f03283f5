"""Keep a ModelEndpoint for each cluster that serves a workload, and the service they serve."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fleet.api.keys import Key
from fleet.api.service import ModelEndpoint, ModelService
from fleet.api.work import Work
from fleet.kube.cache import Cache
from fleet.kube.client import Client
from fleet.kube.queue import WorkQueue
from fleet.runtime.clock import Clock
from hub.controllers.endpoints.apply import apply
from hub.controllers.endpoints.observe import Reads, observe
from hub.controllers.endpoints.plan import plan, service_of
from hub.controllers.endpoints.status import report
from hub.shares import Silence
from hub.workloads import refs


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """One for Workspaces, one for InferenceSets."""

    client: Client
    look: Reads
    silence: Silence
    clock: Clock

    @property
    def kind(self) -> str:
        return self.look.workloads.resource.kind

    @property
    def name(self) -> str:
        return f"endpoints-{self.kind.lower()}"

    @property
    def reads(self) -> Sequence[Cache[Any]]:
        look = self.look
        return look.workloads, *look.others, *look.fleet.caches, look.services, look.endpoints

    async def reconcile(self, key: Key) -> None:
        observed = observe(self.look, key, self.silence)
        for endpoint, share in await apply(plan(observed), self.client):
            status = report(endpoint, share, now=self.clock())
            if status:
                await self.client.patch_status(endpoint, status)

    def wake(self, queue: WorkQueue) -> None:
        def mine(keys: Callable[[Any], Iterable[Key]]) -> Callable[[Any], None]:
            def listener(resource: Any) -> None:
                for key in keys(resource):
                    queue.add(key)

            return listener

        self.look.workloads.on_change(mine(lambda workload: [workload.key]))
        self.look.fleet.on_share_change(mine(self._carried), self.silence)
        self.look.endpoints.on_change(mine(self._owners))
        self.look.services.on_change(mine(self._served))

    def _carried(self, work: Work) -> Iterator[Key]:
        return (ref.key for ref in refs(work.metadata.annotations) if ref.kind == self.kind)

    def _owners(self, endpoint: ModelEndpoint) -> Iterator[Key]:
        owners = endpoint.metadata.owner_references
        return (Key(endpoint.namespace, owner.name) for owner in owners if owner.kind == self.kind)

    def _served(self, service: ModelService) -> Iterator[Key]:
        workloads = self.look.workloads.all(service.namespace)
        return (candidate.key for candidate in workloads if service_of(candidate) == service.name)
