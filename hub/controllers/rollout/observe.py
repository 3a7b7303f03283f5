"""Read everything `plan` needs, once, from the caches."""

from typing import Protocol

from fleet.api.cluster import MemberCluster
from fleet.api.objects import Key
from fleet.engine.snapshots import newest, newest_policy
from fleet.kube.cache import Cache
from hub.controllers.rollout.plan import Observed
from hub.scope_caches import BY_PLACEMENT, ScopeCaches


class Silence(Protocol):
    def silent(self, cluster: str) -> bool:
        """Say whether a member's heartbeats have stopped."""
        ...


def observe(
    reads: ScopeCaches, clusters: Cache[MemberCluster], key: Key, silence: Silence
) -> Observed:
    bindings = reads.bindings.by(BY_PLACEMENT, str(key))
    policies = reads.policies.by(BY_PLACEMENT, str(key))
    targets = {binding.spec.target_cluster for binding in bindings}
    return Observed(
        placement=reads.placements.get(key),
        latest=newest(reads.resources.by(BY_PLACEMENT, str(key))),
        policies=policies,
        policy=newest_policy(policies),
        bindings=bindings,
        silent=frozenset(filter(silence.silent, targets)),
        gone=frozenset(name for name in targets if clusters.get(Key("", name)) is None),
    )
