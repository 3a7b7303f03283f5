"""Read a workload on the hub, and its shares."""

from dataclasses import dataclass

from fleet.api.keys import Key
from hub.shares import Silence, WorkloadCache, WorkloadReads
from hub.workloads import Share, Workload, WorkloadRef, chosen


@dataclass(frozen=True, slots=True)
class Observed:
    workload: Workload | None
    shares: tuple[Share, ...]


def observe(workloads: WorkloadCache, fleet: WorkloadReads, key: Key, silence: Silence) -> Observed:
    workload = workloads.get(key)
    shares = fleet.shares(WorkloadRef.of(workload), silence) if workload else ()
    return Observed(workload, chosen(shares))
