"""Find a workload's shares in the caches, and hear of what changes them."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fleet.api import names
from fleet.api.binding import Binding
from fleet.api.cluster import MemberCluster
from fleet.api.conditions import find
from fleet.api.keys import Key
from fleet.api.work import Work
from fleet.api.workspace import InferenceSet, Workspace
from fleet.kube.cache import Cache, Index
from hub.scope_caches import ScopeCaches
from hub.workloads import Share, WorkloadRef, allocated_to, refs, reported

WorkloadCache = Cache[Workspace] | Cache[InferenceSet]
BY_WORKLOAD = "workload"
BY_BINDING = "binding"


def binding_key(labels: Mapping[str, str]) -> Key:
    """Find the binding that a Work carries out."""
    return Key(labels.get(names.PARENT_NAMESPACE, ""), labels.get(names.PARENT_BINDING, ""))


INDICES: Mapping[str, Index] = {
    BY_WORKLOAD: lambda meta: [str(ref) for ref in refs(meta.annotations)],
    BY_BINDING: lambda meta: [str(binding_key(meta.labels))],
}


class Silence(Protocol):
    """Whose heartbeats have stopped, on the hub's own clock."""

    def silent(self, name: str) -> bool:
        """Say whether nothing is heard of a member."""
        ...

    def on_change(self, listener: Callable[[str], None]) -> None:
        """Hear which member fell silent or answers again."""
        ...


@dataclass(frozen=True, slots=True)
class WorkloadReads:
    works: Cache[Work]
    """With the indices of `INDICES`."""
    clusters: Cache[MemberCluster]
    cluster: ScopeCaches
    namespaced: ScopeCaches

    @property
    def caches(self) -> Sequence[Cache[Any]]:
        return self.works, self.clusters, *self.cluster, *self.namespaced

    def of(self, namespace: str) -> ScopeCaches:
        """Return the caches of the scope that a placement of this namespace has."""
        return self.namespaced if namespace else self.cluster

    def placed(self, ref: WorkloadRef) -> bool:
        """Say whether a workload is meant to be on any cluster."""
        return any(not work.deleting for work in self.works.by(BY_WORKLOAD, str(ref)))

    def shares(self, ref: WorkloadRef, silence: Silence) -> tuple[Share, ...]:
        works = self.works.by(BY_WORKLOAD, str(ref))
        found = (self._share(ref, work, silence) for work in works if not work.deleting)
        return tuple(sorted((s for s in found if s), key=lambda share: share.cluster))

    def on_share_change(self, listener: Callable[[Work], None], silence: Silence) -> None:
        """Hear of Works whose workloads may fare otherwise: they, their binding or their member."""

        def binding(resource: Binding) -> None:
            for work in self.works.by(BY_BINDING, str(resource.key)):
                listener(work)

        def cluster(name: str) -> None:
            for work in self.works.all(names.member_namespace(name)):
                listener(work)

        def member(resource: MemberCluster) -> None:
            cluster(resource.name)

        self.works.on_change(listener)
        self.cluster.bindings.on_change(binding)
        self.namespaced.bindings.on_change(binding)
        self.clusters.on_change(member, part=_where)
        silence.on_change(cluster)

    def _share(self, ref: WorkloadRef, work: Work, silence: Silence) -> Share | None:
        cluster = names.member_cluster(work.namespace)
        member = self.clusters.get(Key("", cluster)) if cluster else None
        if cluster is None or member is None:
            return None
        binding, gateway = self._binding(work), member.status.gateway
        allocations = binding.spec.allocations if binding else ()
        return Share(
            cluster=cluster,
            region=member.region,
            gateway_url=gateway.url if gateway else "",
            in_use=binding is not None and binding.in_use,
            silent=silence.silent(cluster),
            generation=self._generation(ref, work),
            status=reported(ref, work),
            allocation=next((a for a in allocations if allocated_to(a, ref)), None),
        )

    def _binding(self, work: Work) -> Binding | None:
        key = binding_key(work.metadata.labels)
        return self.of(key.namespace).bindings.get(key)

    def _generation(self, ref: WorkloadRef, work: Work) -> int:
        """The hub's generation of what was applied, which the Work's snapshot keeps."""
        applied = find(work.status.conditions, "Applied")
        if applied is None or applied.observed_generation != work.metadata.generation:
            return 0
        namespace = work.metadata.labels.get(names.PARENT_NAMESPACE, "")
        key = Key(namespace, work.metadata.annotations.get(names.PARENT_SNAPSHOT_NAME, ""))
        snapshot = self.of(namespace).resources.get(key)
        kept = snapshot.metadata.annotations.get(names.HUB_GENERATIONS, "{}") if snapshot else "{}"
        return int(json.loads(kept).get(str(ref), 0))


def _where(member: MemberCluster) -> tuple[str, str]:
    """What a share takes from its member; its heartbeats are none of it."""
    gateway = member.status.gateway
    return member.region, gateway.url if gateway else ""
