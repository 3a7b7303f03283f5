"""Wake the controller of Works, and reconcile one Work.

A listener only names a key. `reconcile` reads the state of the world itself, so a lost or merged
event changes nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace

from fleet.api.cluster import InternalMemberCluster
from fleet.api.ending import Ending
from fleet.api.objects import Key, Resource
from fleet.api.work import AppliedWork, Work
from fleet.kube.client import Client
from fleet.kube.queue import WorkQueue
from fleet.kube.removals import LOOK_SECONDS, Removals
from fleet.runtime.clock import Clock
from member_agent.controllers.work.apply import Applied, Applier
from member_agent.controllers.work.observe import Observer, Reads
from member_agent.controllers.work.observe.memory import Memory
from member_agent.controllers.work.observe.watches import Kind, Watches
from member_agent.controllers.work.plan import plan
from member_agent.controllers.work.plan.actions import Observed, Outcome, Part, Plan, Seen
from member_agent.controllers.work.plan.freshness import up_to_date
from member_agent.controllers.work.plan.manifests import Ref
from member_agent.controllers.work.plan.sight import remember
from member_agent.controllers.work.status import recorded, report

RETRY_SECONDS = 5.0
"""Until a manifest that the member refused is tried again, unless something wakes us before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Works:
    hub: Client
    member: Client
    reads: Reads
    watches: Watches
    clock: Clock
    removals: Removals
    """From the hub."""
    memory: Memory = field(default_factory=Memory)
    name: str = "work"

    async def reconcile(self, key: Key) -> float | None:
        """Make the member have what the Work holds, and tell the Work what became of it."""
        observer = Observer(
            member=self.member, reads=self.reads, watches=self.watches, memory=self.memory
        )
        observed = await self._judged(await observer.observe(key))
        planned = plan(observed)
        mirror = _mirrors(observed.work)
        applier = Applier(hub=self.hub, member=self.member)
        applied = await applier.apply(planned, observed.record, mirror=mirror)
        if not planned.reports or observed.work is None:
            self.memory.told(key)
            return LOOK_SECONDS if observed.ending is Ending.UNKNOWN else None
        outcomes = _outcomes(observed, planned, applied, mirror=mirror)
        for outcome in outcomes:
            if outcome.seen:
                self.memory.keep(key, outcome.part.ref, outcome.seen)
        outcomes = tuple(up_to_date(outcomes, observer.content))
        await asyncio.gather(*self._reports(observed, applied, outcomes))
        self.memory.told(key)
        return None if all(outcome.verdict.applied for outcome in outcomes) else RETRY_SECONDS

    async def _judged(self, observed: Observed) -> Observed:
        work = observed.work
        if work is None or not work.deleting or observed.leaving:
            return observed
        return replace(observed, ending=await self.removals.of(work))

    def _reports(
        self, observed: Observed, applied: Applied, outcomes: tuple[Outcome, ...]
    ) -> Iterable[Awaitable[object]]:
        work, record = observed.work, applied.record
        status = report(work, outcomes, now=self.clock()) if work else None
        if work and status:
            yield self.hub.patch_status(work, status)
        if record is None or record.deleting:
            return
        left_over = [
            resource
            for resource in record.status.applied_resources
            if observed.recorded.get(Ref.of(resource)) is not None
        ]
        named = recorded(outcomes, left_over)
        if named != record.status:
            yield self.member.patch_status(record, named)

    def caught_up(self) -> bool:
        """Whether every Work has been reported on since we started."""
        return self.memory.all_told(self.reads.works.keys())

    def wake(self, queue: WorkQueue) -> None:
        """Add the Work that a change concerns; that the member leaves concerns them all."""

        def record(item: AppliedWork) -> None:
            queue.add(Key(item.spec.work_namespace, item.name))

        def everyone(_: InternalMemberCluster) -> None:
            for work in self.reads.works.all():
                queue.add(work.key)

        self.reads.works.on_change(lambda work: queue.add(work.key), part=_asked)
        self.reads.records.on_change(record, part=lambda item: item.metadata.deletion_timestamp)
        self.reads.membership.on_change(everyone, part=lambda member: member.spec.state)
        heard = self.memory.listener(queue.add)
        self.watches.on_change(heard)
        for kind, cache in self.reads.watched.items():
            cache.on_change(_naming(kind, heard))


def _asked(work: Work) -> object:
    """What the hub asks; what we answer wakes nobody."""
    metadata = work.metadata
    return (
        metadata.generation,
        metadata.deletion_timestamp,
        metadata.finalizers,
        metadata.annotations,
    )


def _naming(kind: Kind, heard: Callable[[Ref], None]) -> Callable[[Resource], None]:
    return lambda item: heard(Ref(*kind, *item.key))


def _mirrors(work: Work | None) -> bool:
    strategy = work.spec.report_back_strategy if work else None
    return strategy is not None and strategy.type == "Mirror"


def _outcomes(
    observed: Observed, planned: Plan, applied: Applied, *, mirror: bool
) -> tuple[Outcome, ...]:
    settled = (
        Outcome(part, verdict, _looked_at(part, mirror=mirror) if verdict.applied else None)
        for part, verdict in planned.settled
    )
    done = {o.part.identifier.ordinal: o for o in (*settled, *applied.outcomes)}
    return tuple(done[part.identifier.ordinal] for part in observed.parts)


def _looked_at(part: Part, *, mirror: bool) -> Seen | None:
    """Take in what changed of an object that needed no writing."""
    live, seen = part.live, part.seen
    if live is None or seen is None or live.version <= seen.version:
        return seen
    if live.body:
        return remember(part.digest, live.body, mirror=mirror)
    return replace(seen, version=live.version, fingerprint=live.fingerprint)
