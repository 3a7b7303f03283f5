"""What Prometheus asks the hub about the fleet."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from fleet.api.conditions import Condition, find
from fleet.api.deployment import ModelDeployment
from fleet.api.placement import Placement
from fleet.kube.tally import Tally
from fleet.runtime.clock import Clock
from fleet.runtime.gauges import (
    MEMBER_SILENT,
    PLACEMENTS,
    SOLD_OUT,
    UPDATE_RUNS,
    WORKLOAD_READY,
    Values,
)
from hub.controllers.placement.status import TYPES
from hub.controllers.updaterun.status import standing
from hub.heartbeats import Heartbeats
from hub.kinds import Kinds
from hub.workloads import READY_CONDITIONS, Workload

AVAILABLE, PENDING = "Available", "Pending"


def reason(placement: Placement) -> str:
    """Say what a placement waits for, by the first of its conditions that is not True."""
    by_type = {c.type.removeprefix(placement.kind()): c for c in placement.status.conditions}
    found = [by_type[kind] for kind in TYPES if kind in by_type]
    if not found:
        return PENDING
    return next((condition.reason for condition in found if not condition.true), AVAILABLE)


class Gauges:
    """Begins to count when it is made: before the caches are filled."""

    def __init__(self, kinds: Kinds, heartbeats: Heartbeats, clock: Clock) -> None:
        self._kinds, self._heartbeats, self._clock = kinds, heartbeats, clock
        self._reasons = {
            scope.placement.plural(): Tally(caches.placements, reason)
            for scope, caches in kinds.scopes.items()
        }
        self._standings = {
            scope.run.plural(): Tally(caches.runs, standing)
            for scope, caches in kinds.scopes.items()
        }
        deployments = (kinds.deployments, kinds.toolchain_deployments)
        self._ready: list[tuple[str, Tally[Any, bool]]] = [
            *((cache.resource.kind, Tally(cache, _workload_ready)) for cache in kinds.workloads),
            *((cache.resource.kind, Tally(cache, _deployment_ready)) for cache in deployments),
        ]

    @contextmanager
    def asked(self) -> Iterator[None]:
        """Answer while the block runs."""
        sources = (
            (PLACEMENTS, self.placements),
            (UPDATE_RUNS, self.update_runs),
            (MEMBER_SILENT, self.members),
            (WORKLOAD_READY, self.workloads),
            (SOLD_OUT, self.sold_out),
        )
        with ExitStack() as stack:
            for gauge, source in sources:
                stack.enter_context(gauge.asks(source))
            yield

    def placements(self) -> Values:
        for scope, tally in self._reasons.items():
            for said, number in tally.counts.items():
                yield (scope, said), number

    def update_runs(self) -> Values:
        for scope, tally in self._standings.items():
            for said, number in tally.counts.items():
                yield (scope, said), number

    def members(self) -> Values:
        for name, silent in self._heartbeats.all().items():
            yield (name,), float(silent)

    def workloads(self) -> Values:
        for kind, tally in self._ready:
            for key, ready in tally.values.items():
                yield (kind, key.namespace, key.name), float(ready)

    def sold_out(self) -> Values:
        now = self._clock()
        for cluster in self._kinds.clusters.all():
            for pool in cluster.status.inventory.pools:
                until = pool.sold_out_until
                yield (cluster.name, pool.instance_type), float(until is not None and until > now)


def _workload_ready(workload: Workload) -> bool:
    return _true(find(workload.status.conditions, READY_CONDITIONS[workload.kind()]))


def _deployment_ready(deployment: ModelDeployment) -> bool:
    return _true(find(deployment.status.conditions, "Ready"))


def _true(condition: Condition | None) -> bool:
    return condition is not None and condition.true
