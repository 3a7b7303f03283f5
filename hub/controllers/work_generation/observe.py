"""Read everything `plan` needs, once, from the caches."""

from typing import NamedTuple, Protocol

from fleet.api.binding import Binding
from fleet.api.cluster import MemberCluster
from fleet.api.objects import Key
from fleet.api.scope import parent
from fleet.api.work import Work
from fleet.engine.snapshots import Group, group_of
from fleet.kube.cache import Cache
from hub.controllers.work_generation.plan.actions import Observed
from hub.scope_caches import BY_PLACEMENT, ScopeCaches
from hub.shares import BY_BINDING


class Silence(Protocol):
    def silent(self, cluster: str) -> bool:
        """Say whether a member's heartbeats have stopped."""
        ...


class Reads(NamedTuple):
    scope: ScopeCaches
    works: Cache[Work]
    """With the index BY_BINDING."""
    clusters: Cache[MemberCluster]

    def observe(self, key: Key, silence: Silence) -> Observed:
        binding, works = self.scope.bindings.get(key), self.works.by(BY_BINDING, str(key))
        if binding is None:
            return Observed(binding=None, works=works)
        cluster = binding.spec.target_cluster
        member = self.clusters.get(Key("", cluster))
        policy = Key(key.namespace, binding.spec.scheduling_policy_snapshot_name)
        return Observed(
            binding=binding,
            placement=self.scope.placements.get(parent(binding)),
            group=self._group(binding),
            policy=self.scope.policies.get(policy),
            works=works,
            member=member is not None and not member.deleting,
            leaving=member is not None and member.deleting,
            silent=silence.silent(cluster),
        )

    def _group(self, binding: Binding) -> Group | None:
        snapshots = self.scope.resources.by(BY_PLACEMENT, str(parent(binding)))
        return group_of(snapshots, binding.spec.resource_snapshot_name)
