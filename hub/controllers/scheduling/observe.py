"""Read everything `plan` needs, once, from the caches, and keep the fleet's capacity at hand."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from fleet.api.binding import Binding
from fleet.api.cluster import MemberCluster
from fleet.api.objects import Key
from fleet.api.placement import Placement
from fleet.api.scope import Scope
from fleet.api.snapshot import PolicySnapshot
from fleet.catalog.catalogue import Catalogue
from fleet.engine.ask import Ask, Holding
from fleet.engine.fleet import Fleet
from fleet.engine.holdings import holdings, namespace_needed
from fleet.engine.ledger import Ledger
from fleet.engine.rows import Row
from fleet.engine.rules import rules_of
from fleet.engine.snapshots import newest_policy
from fleet.kube.cache import Cache
from hub.controllers.scheduling.plan.actions import Observed
from hub.controllers.scheduling.plan.mending import as_made, home, made_for, older, whose
from hub.heartbeats import Heartbeats
from hub.scope_caches import BY_NAMESPACE_LOST, BY_PLACEMENT, ScopeCaches

RowListener = Callable[[Row | None, Row | None], None]


class Reads(NamedTuple):
    """The kinds that scheduling reads, and no others."""

    placements: Cache[Placement]
    policies: Cache[PolicySnapshot]
    bindings: Cache[Binding]
    clusters: Cache[MemberCluster]

    @classmethod
    def of(cls, scope: ScopeCaches, clusters: Cache[MemberCluster]) -> "Reads":
        return cls(scope.placements, scope.policies, scope.bindings, clusters)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    heartbeat_seconds: float = 300.0
    """Without a heartbeat for so long a cluster is not chosen any more (KubeFleet's value)."""
    health_seconds: float = 300.0
    """Unhealthy for so long a cluster is not chosen any more (KubeFleet's value)."""


class Capacity:
    """What the fleet has, and who was promised some of it: one for the placements of both scopes.

    Kept up to date cluster by cluster and binding by binding, so that no decision reads them all.
    """

    def __init__(self, catalogue: Catalogue, heartbeats: Heartbeats) -> None:
        self.fleet = Fleet(catalogue)
        self.ledger = Ledger(self.fleet)
        self.heartbeats = heartbeats
        self._listeners: list[RowListener] = []

    def follow(self, clusters: Cache[MemberCluster], *bindings: Cache[Binding]) -> None:
        def seen(member: MemberCluster) -> None:
            self._seen(member, gone=clusters.get(member.key) is None)

        clusters.on_change(seen)
        for cache in bindings:
            self._follow(cache)

    def on_change(self, listener: RowListener) -> None:
        """Hear of a cluster, as it was and as it is, when it changes in what decisions read."""
        self._listeners.append(listener)

    def _follow(self, cache: Cache[Binding]) -> None:
        def seen(binding: Binding) -> None:
            there = cache.get(binding.key) is not None and binding.in_use
            allocations = binding.spec.allocations if there else ()
            self.ledger.promise(whose(binding), binding.spec.target_cluster, allocations)

        cache.on_change(seen)

    def _seen(self, member: MemberCluster, *, gone: bool) -> None:
        if gone:
            self._tell(self.fleet.remove(member.name), None)
        elif change := self.fleet.put(member):
            self.ledger.reported(member.name)
            self._tell(*change)

    def _tell(self, old: Row | None, new: Row | None) -> None:
        for listener in self._listeners:
            listener(old, new)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    scope: Scope
    reads: Reads
    capacity: Capacity
    timeouts: Timeouts

    def observe(self, key: Key, *, now: datetime) -> Observed:
        policies = self.reads.policies.by(BY_PLACEMENT, str(key))
        placement = self.reads.placements.get(key)
        bindings, astray = self._bindings(key, placement)
        strays: tuple[Binding, ...] = ()
        if placement:
            policies = tuple(policy for policy in policies if not older(policy, placement))
            strays = tuple(binding for binding in bindings if older(binding, placement))
            bindings = tuple(binding for binding in bindings if binding not in strays)
        snapshot, ask = newest_policy(policies), None
        if placement and snapshot:
            made = (as_made(binding, placement) for binding in bindings)
            ask = self._ask(placement, snapshot, holdings(made, policies, snapshot), now)
        return Observed(
            placement=placement,
            snapshot=snapshot,
            bindings=bindings,
            strays=strays,
            astray=astray,
            binding_kind=self.scope.binding,
            ask=ask,
            fleet=self.capacity.fleet,
            pending=tuple(self.capacity.ledger.pending(without=key)),
        )

    def _bindings(
        self, key: Key, placement: Placement | None
    ) -> tuple[tuple[Binding, ...], tuple[Binding, ...]]:
        """Find a placement's bindings by label, or where that is lost by what else they say.

        Those that have its label and were made for another are the second part.
        """
        found, reads = self.reads.bindings.by(BY_PLACEMENT, str(key)), self.reads
        astray = tuple(binding for binding in found if self._is_of_another(binding, key))
        lost = (
            binding
            for binding in reads.bindings.by(BY_NAMESPACE_LOST, key.namespace)
            if home(binding) == key or (placement and made_for(binding, placement))
        )
        return (*(each for each in found if each not in astray), *lost), astray

    def _is_of_another(self, binding: Binding, key: Key) -> bool:
        its = home(binding)
        other = None if its == key else self.reads.placements.get(its)
        return other is not None and made_for(binding, other)

    def _ask(
        self,
        placement: Placement,
        snapshot: PolicySnapshot,
        held: tuple[Holding, ...],
        now: datetime,
    ) -> Ask:
        heartbeats, timeouts = self.capacity.heartbeats, self.timeouts
        rules = rules_of(snapshot.policy)
        return Ask(
            rules=rules,
            now=now,
            limit=snapshot.limit,
            demands=snapshot.spec.demands,
            namespace=namespace_needed(placement),
            holdings=held,
            silent_seconds=heartbeats.silences(),
            overdue_seconds={} if rules.failover_seconds is None else heartbeats.overdue(),
            stale=heartbeats.stale(timeouts.heartbeat_seconds),
            heartbeat_timeout_seconds=timeouts.heartbeat_seconds,
            health_timeout_seconds=timeouts.health_seconds,
        )
