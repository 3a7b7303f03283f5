"""Wake work generation for a binding whose resources, Works or member changed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from fleet.api.binding import Binding, BindingState
from fleet.api.ending import Ending
from fleet.api.objects import Key, Resource
from fleet.api.scope import Scope, parent
from fleet.api.work import Work
from fleet.kube.cache import Cache
from fleet.kube.client import Client
from fleet.kube.queue import WorkQueue
from fleet.kube.removals import LOOK_SECONDS, Removals
from fleet.runtime.clock import Clock
from hub.controllers.work_generation.apply import apply
from hub.controllers.work_generation.observe import Reads
from hub.controllers.work_generation.observe import Silence as Silent
from hub.controllers.work_generation.plan import plan
from hub.controllers.work_generation.plan.actions import Observed, Plan
from hub.controllers.work_generation.status import report, settled
from hub.foretold import Foretold
from hub.pace import StatusPace
from hub.parts import asked
from hub.scope_caches import BY_PLACEMENT
from hub.shares import binding_key


class Silence(Silent, Protocol):
    def on_change(self, listener: Callable[[str], None]) -> None:
        """Hear of a cluster that falls silent or answers again."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkGeneration:
    scope: Scope
    client: Client
    caches: Reads
    silence: Silence
    clock: Clock
    pace: StatusPace
    removals: Removals
    foretold: Foretold

    @property
    def name(self) -> str:
        return f"work-generation-{self.scope.binding.plural()}"

    @property
    def reads(self) -> Sequence[Cache[Any]]:
        return *self.caches.scope, self.caches.works, self.caches.clusters

    async def reconcile(self, key: Key) -> float | None:
        """Make a binding's Works what they should be, and its status say how they stand."""
        observed = await self._judged(key, self.caches.observe(key, self.silence))
        planned = plan(observed)
        written = await apply(planned, self.client)
        return await self._tell(key, observed, _works(observed, planned, written))

    async def _judged(self, key: Key, observed: Observed) -> Observed:
        """A binding waits for us, save where it goes with its kind; it comes again with that."""
        binding = observed.binding
        if binding is None:
            return replace(observed, ending=self.removals.gone(key)) if observed.works else observed
        self.removals.there(key)
        if binding.deleting:
            return replace(observed, ending=await self.removals.of(binding))
        return observed

    async def _tell(self, key: Key, observed: Observed, works: Sequence[Work]) -> float | None:
        binding = observed.binding
        if binding is None or binding.deleting:
            self.pace.forget(key)
            return LOOK_SECONDS if observed.ending is Ending.UNKNOWN else None
        if not works:
            return None
        status = report(binding, works, silent=observed.silent, now=self.clock())
        wait = self.pace.wait(key, status, settled=status is None or settled(status))
        if status and not wait:
            with self.foretold.saying(binding, status):
                await self.client.patch_status(binding, status)
        return wait or None

    def wake(self, queue: WorkQueue) -> None:
        waker, scope = Waker(queue, self.caches, self.scope.namespaced), self.caches.scope
        scope.bindings.on_change(waker.binding)
        scope.resources.on_change(waker.snapshot, part=asked)
        scope.policies.on_change(waker.snapshot, part=asked)
        scope.placements.on_change(waker.placement, part=asked)
        self.caches.works.on_change(waker.work)
        self.silence.on_change(waker.silence)


@dataclass(frozen=True, slots=True)
class Waker:
    """Adds the bindings that a change concerns."""

    queue: WorkQueue
    caches: Reads
    namespaced: bool

    def binding(self, resource: Binding) -> None:
        self.queue.add(resource.key)

    def work(self, resource: Work) -> None:
        key = binding_key(resource.metadata.labels)
        if key.name and bool(key.namespace) == self.namespaced:
            self.queue.add(key)

    def snapshot(self, resource: Resource) -> None:
        self._of(parent(resource))

    def placement(self, resource: Resource) -> None:
        self._of(resource.key)

    def silence(self, cluster: str) -> None:
        for found in self.caches.scope.bindings.all():
            if found.spec.target_cluster == cluster:
                self.queue.add(found.key)

    def _of(self, placement: Key) -> None:
        for found in self.caches.scope.bindings.by(BY_PLACEMENT, str(placement)):
            self.queue.add(found.key)


def _works(observed: Observed, planned: Plan, written: dict[str, Work]) -> Sequence[Work]:
    """Give the Works to report on; none while a new decision waits for its resources."""
    there = {work.name: work for work in observed.works} | written
    if planned.wanted is not None:
        return [there[work.name] for work in planned.wanted]
    binding = observed.binding
    unscheduled = binding is not None and binding.spec.state is BindingState.UNSCHEDULED
    return observed.works if unscheduled else ()
