"""A hub without processes: its controllers, and a server that keeps its state."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from fleet.api import names
from fleet.api.binding import Binding, BindingState
from fleet.api.cluster import MemberCluster
from fleet.api.core import ConfigMap
from fleet.api.objects import Key, Resource
from fleet.api.placement import Placement
from fleet.api.scope import NAMESPACED, Scope
from fleet.api.work import Work
from fleet.catalog.catalogue import load
from fleet.kube.cache import Cache
from fleet.kube.lacks import Lack
from fleet.kube.removals import Removals
from fleet.testing.client import FakeClient
from fleet.testing.heard import Heard
from hub.active_runs import ActiveRuns
from hub.controllers.placement.handlers import PlacementController
from hub.controllers.placement.observe import Observer
from hub.controllers.placement.observe.contents import Bodies
from hub.controllers.rollout.handlers import Rollout
from hub.controllers.work_generation.handlers import WorkGeneration
from hub.controllers.work_generation.observe import Reads
from hub.foretold import Foretold
from hub.pace import StatusPace
from hub.scope_caches import caches
from hub.shares import INDICES
from hub.watches import Watches

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PLACEMENT, UID, NAMESPACE = "llama", "uid-llama", "demo"
CONFIG_MAPS = {"group": "", "version": "v1", "kind": "ConfigMap"}


class Silences:
    """Members that are silent because the test says so."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.listeners: list[Callable[[str], None]] = []

    def silent(self, cluster: str) -> bool:
        return cluster in self.names

    def on_change(self, listener: Callable[[str], None]) -> None:
        self.listeners.append(listener)


class World:
    """The hub's controllers of one scope; `turn` reconciles all keys once."""

    def __init__(self, *resources: Resource | Mapping[str, Any], scope: Scope = NAMESPACED) -> None:
        self.client, self.scope, self.heard = FakeClient(), scope, Heard()
        for resource in resources:
            self.client.put(resource)
        self.caches, self.silences, self.seconds = caches(scope), Silences(), 0.0
        self.lacks: list[Lack] = []
        """Fields that the CRDs of this server do not have."""
        self.works = Cache(Work, indices=INDICES)
        self.clusters = Cache(MemberCluster)
        self.watches = Watches(self.client)
        self.runs, self.foretold = ActiveRuns(self.caches.runs), Foretold()
        self.placement = PlacementController(
            client=self.client.as_manager("placement"),
            observer=Observer(
                scope=scope,
                reads=self.caches,
                dynamic=self.client.dynamic,
                watches=self.watches,
                bodies=Bodies(self.client.dynamic, self.watches),
                catalogue=load(),
                runs=self.runs,
                removals=Removals(self.client, settle_seconds=0, elapsed=lambda: self.seconds),
                lacks=self._lacks,
            ),
            clock=lambda: NOON,
            pace=StatusPace(monotonic=lambda: self.seconds),
            tell=self.heard.tell,
        )
        self.rollout = Rollout(
            scope=scope,
            client=self.client.as_manager("rollout"),
            caches=self.caches,
            clusters=self.clusters,
            silence=self.silences,
            clock=lambda: NOON,
        )
        self.generation = WorkGeneration(
            scope=scope,
            client=self.client.as_manager("work-generation"),
            caches=Reads(self.caches, self.works, self.clusters),
            silence=self.silences,
            clock=lambda: NOON,
            pace=StatusPace(monotonic=lambda: self.seconds),
            removals=Removals(self.client, settle_seconds=0, elapsed=lambda: self.seconds),
            foretold=self.foretold,
        )

    async def _lacks(self) -> Sequence[Lack]:
        return self.lacks

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.watches.close()

    @property
    def key(self) -> Key:
        return Key(NAMESPACE if self.scope.namespaced else "", PLACEMENT)

    async def look(self) -> None:
        """Bring the caches up to date, as their watches would have by now."""
        for cache in (*self.caches, self.works, self.clusters):
            await self.client.relist(cache)

    async def place(self) -> None:
        """Reconcile the placement until no status is held back any more."""
        for _ in range(3):
            self.seconds += 10
            await self.look()
            await self.placement.reconcile(self.key)

    async def roll(self) -> None:
        await self.look()
        await self.rollout.reconcile(self.key)

    async def generate(self) -> None:
        for _ in range(2):
            self.seconds += 10
            await self.look()
            for key in self._binding_keys():
                await self.generation.reconcile(key)

    async def turn(self) -> None:
        await self.place()
        await self.roll()
        await self.generate()

    async def settle(self) -> None:
        """Go on until nothing changes any more."""
        for _ in range(20):
            before = self.client.server.version
            await self.turn()
            if self.client.server.version == before:
                return
        raise AssertionError("the controllers do not come to rest")

    def _binding_keys(self) -> Iterable[Key]:
        carried = (work.metadata.labels for work in self.works.all())
        orphans = {
            Key(labels.get(names.PARENT_NAMESPACE, ""), labels[names.PARENT_BINDING])
            for labels in carried
        }
        return sorted({*self.caches.bindings.keys(), *orphans})

    def all(self, model: type[Any]) -> list[Any]:
        return self.client.all(model)

    @property
    def current(self) -> Placement:
        (placement,) = self.client.all(self.scope.placement)
        return placement

    def condition(self, kind: str) -> tuple[str, str]:
        """Give status and reason of a condition of the placement."""
        wanted = f"{self.scope.prefix}{kind}"
        found = [c for c in self.current.status.conditions if c.type == wanted]
        return (found[0].status, found[0].reason) if found else ("", "")


def placement(scope: Scope = NAMESPACED, *selectors: dict[str, Any], **spec: Any) -> Placement:
    """Build a placement of all ConfigMaps, unless selectors are given."""
    labelled = {"labelSelector": {"matchLabels": {"app": PLACEMENT}}}
    chosen = [*selectors] or [CONFIG_MAPS | labelled]
    metadata: dict[str, Any] = {"name": PLACEMENT, "uid": UID}
    if scope.namespaced:
        metadata["namespace"] = NAMESPACE
    return scope.placement.model_validate(
        {"metadata": metadata, "spec": {"resourceSelectors": chosen, **spec}}
    )


def config_map(name: str, **data: str) -> ConfigMap:
    labels = {"app": PLACEMENT}
    metadata = {"name": name, "namespace": NAMESPACE, "labels": labels}
    return ConfigMap.model_validate({"metadata": metadata, "data": data})


def member(name: str) -> MemberCluster:
    identity = {"kind": "ServiceAccount", "name": "member-agent"}
    return MemberCluster.model_validate(
        {"metadata": {"name": name, "uid": f"uid-{name}"}, "spec": {"identity": identity}}
    )


def binding(
    cluster: str,
    state: BindingState = BindingState.SCHEDULED,
    *,
    scope: Scope = NAMESPACED,
    snapshot: str = "",
    available: bool | None = None,
    **spec: Any,
) -> Binding:
    """Build a binding as scheduling makes it, or as it is later."""
    metadata = {
        "name": names.binding_name(PLACEMENT, UID, cluster),
        "namespace": NAMESPACE if scope.namespaced else "",
        "uid": f"uid-binding-{cluster}",
        "labels": {names.PARENT: PLACEMENT},
        "generation": 1,
    }
    decision = {"clusterName": cluster, "selected": True, "reason": "eligible"}
    given = {
        "state": state,
        "targetCluster": cluster,
        "resourceSnapshotName": snapshot,
        "schedulingPolicySnapshotName": f"{PLACEMENT}-0",
        "clusterDecision": decision,
    }
    told = [] if available is None else [condition("Available", available)]
    return scope.binding.model_validate(
        {"metadata": metadata, "spec": given | spec, "status": {"conditions": told}}
    )


def condition(
    kind: str, truth: bool | None, reason: str = "Because", *, generation: int = 1
) -> dict[str, Any]:
    status = "Unknown" if truth is None else str(truth)
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": "so it is",
        "observedGeneration": generation,
        "lastTransitionTime": NOON.isoformat(),
    }
