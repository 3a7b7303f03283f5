"""Read a workload, its shares, and what serves it by now."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fleet.api import names
from fleet.api.keys import Key
from fleet.api.service import ModelEndpoint, ModelService
from fleet.kube.cache import Cache
from hub.controllers.endpoints.plan import Observed, ours, service_of
from hub.shares import Silence, WorkloadCache, WorkloadReads
from hub.workloads import Workload, WorkloadRef

BY_WORKLOAD_UID = "workload-uid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reads:
    workloads: WorkloadCache
    """The kind that is reconciled."""
    others: Sequence[Cache[Any]]
    """All kinds of workload; those of one model share a service."""
    fleet: WorkloadReads
    services: Cache[ModelService]
    endpoints: Cache[ModelEndpoint]
    """With an index BY_WORKLOAD_UID."""

    def of(self, uid: str) -> tuple[ModelEndpoint, ...]:
        return self.endpoints.by(BY_WORKLOAD_UID, uid)

    def serving(self, namespace: str, service: str) -> tuple[Workload, ...]:
        """Give the placed workloads that serve a service."""
        found = (workload for cache in self.others for workload in cache.all(namespace))
        return tuple(
            w
            for w in found
            if service_of(w) == service and not w.deleting and self.fleet.placed(WorkloadRef.of(w))
        )


def observe(reads: Reads, key: Key, silence: Silence) -> Observed:
    workload = reads.workloads.get(key)
    if workload is None:
        return Observed(workload=None, shares=(), service=None, siblings=(), endpoints=())
    service = service_of(workload)
    return Observed(
        workload=workload,
        shares=reads.fleet.shares(WorkloadRef.of(workload), silence),
        service=reads.services.get(Key(key.namespace, service)),
        siblings=reads.serving(key.namespace, service),
        former=tuple(
            (other, reads.serving(key.namespace, other.name))
            for other in reads.services.all(key.namespace)
            if other.name != service and ours(other) and _owned(other, workload)
        ),
        endpoints=reads.of(workload.metadata.uid),
    )


def _owned(service: ModelService, workload: Workload) -> bool:
    return workload.metadata.uid in {owner.uid for owner in service.metadata.owner_references}


def workload_uid(labels: dict[str, str]) -> list[str]:
    return [labels[names.WORKLOAD_UID]] if names.WORKLOAD_UID in labels else []
