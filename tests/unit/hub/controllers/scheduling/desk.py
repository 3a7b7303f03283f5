"""A hub's scheduling over a server that keeps its state, and objects for it."""

from collections.abc import Mapping
from typing import Any

from fleet.api import names
from fleet.api.binding import Binding, BindingState, ClusterResourceBinding
from fleet.api.cluster import MemberCluster
from fleet.api.objects import Key, Resource
from fleet.api.placement import ClusterResourcePlacement
from fleet.api.scope import CLUSTER
from fleet.api.snapshot import ClusterSchedulingPolicySnapshot, Demand
from fleet.kube.cache import Cache
from fleet.testing.client import FakeClient
from fleet.testing.heard import Heard
from hub.controllers.scheduling.handlers import Scheduling
from hub.controllers.scheduling.observe import Capacity, Reads
from hub.heartbeats import Heartbeats
from hub.scope_caches import caches
from tests.unit.fleet.engine.fleets import CATALOGUE, NOON

LLAMA, UID = "llama", "uid-llama"
KEY = Key("", LLAMA)
SCORED = {"failover": {"tolerationSeconds": 30}}


def placement(*, held: bool = True, name: str = LLAMA) -> ClusterResourcePlacement:
    finalizers = [names.SCHEDULER_CLEANUP] if held else []
    return ClusterResourcePlacement.model_validate(
        {
            "metadata": {"name": name, "uid": f"uid-{name}", "finalizers": finalizers},
            "spec": {"resourceSelectors": []},
        }
    )


def snapshot(
    number: int | None = None,
    *demands: Demand,
    index: int = 0,
    latest: bool = True,
    name: str = LLAMA,
    **policy: Any,
) -> ClusterSchedulingPolicySnapshot:
    """Build a policy: PickN where there is a number, else PickAll."""
    kind = "PickAll" if number is None else "PickN"
    annotations = {names.CRP_GENERATION: "1"}
    if number is not None:
        annotations[names.NUMBER_OF_CLUSTERS] = str(number)
    labels = {
        names.PARENT: name,
        names.LATEST: str(latest).lower(),
        names.POLICY_INDEX: str(index),
    }
    return ClusterSchedulingPolicySnapshot.model_validate(
        {
            "metadata": {
                "name": f"{name}-{index}",
                "uid": f"uid-{name}-{index}",
                "generation": 1,
                "labels": labels,
                "annotations": annotations,
            },
            "spec": {
                "policy": {"placementType": kind, **policy},
                "demands": [demand.dump() for demand in demands],
            },
        }
    )


def binding(
    cluster: str,
    state: BindingState = BindingState.SCHEDULED,
    *,
    annotations: Mapping[str, str] | None = None,
    **spec: Any,
) -> ClusterResourceBinding:
    metadata = {
        "name": names.binding_name(LLAMA, UID, cluster),
        "uid": f"uid-{cluster}",
        "labels": {names.PARENT: LLAMA},
        "finalizers": [names.BINDING_CLEANUP],
        **({"annotations": dict(annotations)} if annotations else {}),
    }
    decided = {"clusterName": cluster, "selected": True, "reason": "eligible"}
    return ClusterResourceBinding.model_validate(
        {
            "metadata": metadata,
            "spec": {
                "state": state,
                "targetCluster": cluster,
                "resourceSnapshotName": "",
                "schedulingPolicySnapshotName": f"{LLAMA}-0",
                "clusterDecision": decided,
                **spec,
            },
        }
    )


class Desk:
    """Scheduling of cluster-scoped placements; its caches see every write at once."""

    def __init__(self, *resources: Resource) -> None:
        self.seconds = 0.0
        self.client, self.heard = FakeClient(*resources), Heard()
        scope, self.clusters = caches(CLUSTER), Cache(MemberCluster)
        self.heartbeats = Heartbeats(lambda: self.seconds, lambda: NOON)
        self.heartbeats.follow(self.clusters)
        self.capacity = Capacity(CATALOGUE, self.heartbeats)
        self.capacity.follow(self.clusters, scope.bindings)
        self.reads = Reads.of(scope, self.clusters)
        self.client.feed(*self.reads)
        self.scheduling = Scheduling(
            scope=CLUSTER,
            client=self.client,
            reads=self.reads,
            capacity=self.capacity,
            clock=lambda: NOON,
            tell=self.heard.tell,
        )

    async def look(self) -> None:
        for cache in self.reads:
            await self.client.relist(cache)

    async def reconcile(self, key: Key = KEY) -> float | None:
        await self.look()
        return await self.scheduling.reconcile(key)

    def bindings(self) -> dict[str, Binding]:
        found = self.client.all(ClusterResourceBinding)
        return {binding.spec.target_cluster: binding for binding in found}

    def states(self) -> dict[str, str]:
        return {name: str(each.spec.state) for name, each in self.bindings().items()}

    def policy(self, name: str = f"{LLAMA}-0") -> ClusterSchedulingPolicySnapshot:
        (found,) = (s for s in self.client.all(ClusterSchedulingPolicySnapshot) if s.name == name)
        return found

    def placements(self) -> list[ClusterResourcePlacement]:
        return self.client.all(ClusterResourcePlacement)

    def report(self, cluster: str, available: str) -> None:
        """Say on a binding whether its workload is available, as work generation does."""
        found = self.bindings()[cluster]
        condition = {
            "type": "Available",
            "status": available,
            "reason": "Said",
            "observedGeneration": found.metadata.generation,
            "lastTransitionTime": NOON.isoformat(),
        }
        self.client.put(found.manifest() | {"status": {"conditions": [condition]}})
