"""Wake the scheduling controller, and reconcile one placement.

A listener only names a key. `reconcile` reads the state of the world itself, so a lost or merged
event changes nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from fleet.api.binding import Binding
from fleet.api.happenings import Happening
from fleet.api.objects import Key, Resource
from fleet.api.placement import Placement, PlacementType
from fleet.api.scope import Scope, parent
from fleet.engine.rows import Row
from fleet.kube.client import Client
from fleet.kube.events import Tell, unheard
from fleet.kube.queue import WorkQueue
from fleet.runtime.clock import Clock
from hub.controllers.scheduling.apply import apply
from hub.controllers.scheduling.observe import Capacity, Observer, Reads, Timeouts
from hub.controllers.scheduling.plan import plan
from hub.controllers.scheduling.plan.actions import Announce, Observed, Plan
from hub.controllers.scheduling.plan.mending import whose
from hub.controllers.scheduling.status import report
from hub.parts import asked, decided, ready


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduling:
    scope: Scope
    client: Client
    reads: Reads
    capacity: Capacity
    clock: Clock
    timeouts: Timeouts = field(default_factory=Timeouts)
    tell: Tell = unheard
    _lacking: set[Key] = field(default_factory=set)
    """Placements that lack something: room anywhere concerns them."""
    _greedy: set[Key] = field(default_factory=set)
    """Placements that take every cluster."""
    _held_back: set[Key] = field(default_factory=set)
    """Placements that keep silent clusters, since most fell silent: any that answers concerns them.
    """
    _still: set[Key] = field(default_factory=set)
    """Placements that take whichever clusters may be, and let none go: that a cluster is ready
    changes nothing.
    """
    _told: dict[Key, str] = field(default_factory=dict)
    """What was announced last, so that it is said once."""

    @property
    def name(self) -> str:
        return f"scheduling-{self.scope.placement.plural()}"

    async def reconcile(self, key: Key) -> float | None:
        """Make a placement's bindings what they should be, and its policy snapshot say why."""
        now = self.clock()
        observer = Observer(
            scope=self.scope, reads=self.reads, capacity=self.capacity, timeouts=self.timeouts
        )
        observed = observer.observe(key, now=now)
        planned = self._noted(key, observed, plan(observed))
        await apply(planned, self.client, partial(self._told_of, observed.placement))
        if observed.snapshot and planned.outcome:
            status = report(observed.snapshot, planned.outcome, now=now)
            if status:
                await self.client.patch_status(observed.snapshot, status)
        return planned.again_in_seconds

    def _noted(self, key: Key, observed: Observed, planned: Plan) -> Plan:
        """Enter the decision in the books at once: nothing else is decided before it counts."""
        self.capacity.ledger.decided(key, planned.taken)
        _keep(self._lacking, key, not planned.settled)
        _keep(self._greedy, key, _takes_all(observed))
        _keep(self._still, key, _takes_all(observed) and all(b.in_use for b in observed.bindings))
        _keep(self._held_back, key, any(isinstance(a, Announce) for a in planned.actions))
        said = next((a.told.message for a in planned.actions if isinstance(a, Announce)), "")
        if said and self._told.get(key) == said:
            quiet = tuple(a for a in planned.actions if not isinstance(a, Announce))
            planned = replace(planned, actions=quiet)
        self._told[key] = said
        if observed.placement is None:
            del self._told[key]
        return planned

    def _told_of(self, placement: Placement | None, happened: Iterable[Happening]) -> None:
        if placement:
            self.tell(placement, happened)

    def wake(self, queue: WorkQueue) -> None:
        """Add the placements that a change concerns; a heartbeat concerns none."""

        def placement(resource: Resource) -> None:
            queue.add(resource.key)

        def owner(resource: Resource) -> None:
            queue.add(parent(resource))

        def taker(binding: Binding) -> None:
            queue.add(whose(binding))

        def cluster(old: Row | None, new: Row | None) -> None:
            for key in self._concerned(old, new):
                queue.add(key)

        def pulse(name: str) -> None:
            for key in (*self._using(name), *self._lacking, *self._greedy, *self._held_back):
                queue.add(key)

        self.reads.placements.on_change(placement, part=asked)
        self.reads.policies.on_change(owner, part=asked)
        self.reads.bindings.on_change(taker, part=decided)
        self.reads.bindings.on_change(partial(self._readied, queue), part=ready)
        self.capacity.on_change(cluster)
        self.capacity.heartbeats.on_change(pulse)

    def _readied(self, queue: WorkQueue, binding: Resource) -> None:
        if parent(binding) not in self._still:
            queue.add(parent(binding))

    def _concerned(self, old: Row | None, new: Row | None) -> Iterator[Key]:
        """Whoever lacks something, and whoever uses a cluster that leaves or sells out."""
        yield from self._lacking
        if not (old and new and old._replace(stocks=new.stocks) == new):
            yield from self._greedy
        row = new or old
        if row and (new is None or new.deleting or _sells_out(new)):
            yield from self._using(row.name)

    def _using(self, cluster: str) -> Iterator[Key]:
        bindings = self.reads.bindings.all()
        return (parent(b) for b in bindings if b.spec.target_cluster == cluster)


def _takes_all(observed: Observed) -> bool:
    return observed.ask is not None and observed.ask.kind is PlacementType.PICK_ALL


def _sells_out(row: Row) -> bool:
    return any(stock.sold_out_until for stock in row.stocks.values())


def _keep(keys: set[Key], key: Key, there: bool) -> None:
    (keys.add if there else keys.discard)(key)
