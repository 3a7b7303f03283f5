"""Read a workload, its shares, and what serves it by now."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fleet.api import names
from fleet.api.keys import Key
from fleet.api.service import ModelEndpoint, ModelService
from fleet.kube.cache import Cache
from hub.controllers.endpoints.plan import Observed, service_of
from hub.shares import Silence, WorkloadCache, WorkloadReads
from hub.workloads import WorkloadRef

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


def observe(reads: Reads, key: Key, silence: Silence) -> Observed:
    workload = reads.workloads.get(key)
    if workload is None:
        return Observed(workload=None, shares=(), service=None, siblings=(), endpoints=())
    service = service_of(workload)
    siblings = [other for cache in reads.others for other in cache.all(key.namespace)]
    return Observed(
        workload=workload,
        shares=reads.fleet.shares(WorkloadRef.of(workload), silence),
        service=reads.services.get(Key(key.namespace, service)),
        siblings=tuple(
            s
            for s in siblings
            if service_of(s) == service and not s.deleting and reads.fleet.placed(WorkloadRef.of(s))
        ),
        endpoints=reads.of(workload.metadata.uid),
    )


def workload_uid(labels: dict[str, str]) -> list[str]:
    return [labels[names.WORKLOAD_UID]] if names.WORKLOAD_UID in labels else []
