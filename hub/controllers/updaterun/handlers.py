"""Wake the controller of update runs, and reconcile one run.

A listener only names a key. `reconcile` reads the state of the world itself, so a lost or merged
event changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

from fleet.api.binding import Binding
from fleet.api.cluster import MemberCluster
from fleet.api.conditions import turned
from fleet.api.objects import Key, Resource
from fleet.api.scope import parent
from fleet.api.staged_update import Approval, UpdateRun, UpdateRunStatus, UpdateStrategy
from fleet.kube.cache import Cache
from fleet.kube.client import Client
from fleet.kube.events import Tell, unheard
from fleet.kube.queue import WorkQueue
from fleet.runtime.clock import Clock
from hub.active_runs import ActiveRuns
from hub.controllers.updaterun.apply import Applier
from hub.controllers.updaterun.events import asked, told
from hub.controllers.updaterun.observe import Observer
from hub.controllers.updaterun.plan import LOOK_AGAIN_SECONDS, plan
from hub.controllers.updaterun.plan.actions import Observed, Plan
from hub.controllers.updaterun.plan.clusters import DONE
from hub.controllers.updaterun.status import accepted, given, not_planned
from hub.pace import StatusPace
from hub.parts import asked as asked_of


class Ahead(NamedTuple):
    """A status that is not written yet: clusters go on without it, and the next is soon there."""

    uid: str
    status: UpdateRunStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateRuns:
    client: Client
    observer: Observer
    active: ActiveRuns
    clock: Clock
    pace: StatusPace
    tell: Tell = unheard
    _ahead: dict[Key, Ahead] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"updaterun-{self.observer.scope.run.plural()}"

    @property
    def reads(self) -> Sequence[Cache[Any]]:
        return *self.observer.reads, self.observer.clusters

    async def reconcile(self, key: Key) -> float | None:
        """Take the next step of a run, and let its status say how it stands."""
        now = self.clock()
        observed = self._thought_ahead(key, await self.observer.observe(key, now=now))
        planned = plan(observed)
        if await self._too_soon(observed, planned):
            return LOOK_AGAIN_SECONDS
        applier = Applier(self.client, partial(given, now=now), partial(accepted, now=now))
        await applier.apply(planned)
        if observed.run:
            self.tell(observed.run, asked(planned.first))
        wait = await self._say(key, observed, planned.status)
        waits = [seconds for seconds in (wait, planned.again_in_seconds) if seconds is not None]
        return min(waits, default=None)

    async def _too_soon(self, observed: Observed, planned: Plan) -> bool:
        """Say of no run that it is wrong before all is seen that was made together with it."""
        wrong = planned.status is not None and not_planned(planned.status)
        return wrong and await self.observer.behind(observed)

    def _thought_ahead(self, key: Key, observed: Observed) -> Observed:
        """Go on from what is not written yet."""
        run, ahead = observed.run, self._ahead.get(key)
        if run is None or ahead is None or ahead.uid != run.metadata.uid:
            return observed
        return replace(observed, run=run.model_copy(update={"status": ahead.status}))

    async def _say(
        self, key: Key, observed: Observed, status: UpdateRunStatus | None
    ) -> float | None:
        run = self.observer.reads.runs.get(key)
        if observed.run is None or run is None or run.metadata.uid != observed.run.metadata.uid:
            self._forget(key)
            return None
        new = status or observed.run.status
        news = turned(run.status.conditions, new.conditions)
        wait = self.pace.wait(key, None if new == run.status else new, settled=news, news=news)
        if new == run.status:
            self._ahead.pop(key, None)
        elif wait:
            self._ahead[key] = Ahead(run.metadata.uid, new)
        else:
            await self.client.patch_status(run, new)
            self._ahead.pop(key, None)
            self.tell(run, told(run.status, new))
        return wait or None

    def _forget(self, key: Key) -> None:
        self._ahead.pop(key, None)
        self.pace.forget(key)

    def wake(self, queue: WorkQueue) -> None:
        waker, reads = Waker(queue, self.active), self.observer.reads
        foretold = self.observer.foretold
        reads.runs.on_change(waker.run)
        reads.approvals.on_change(waker.approval)
        reads.strategies.on_change(waker.strategy)
        reads.placements.on_change(waker.placement, part=asked_of)
        reads.policies.on_change(waker.part)
        reads.resources.on_change(waker.part, part=asked_of)
        reads.bindings.on_change(waker.part, part=lambda each: told_by(foretold.read(each)))
        foretold.on_change(waker.foretold)
        self.observer.clusters.on_change(waker.member, part=lambda member: member.metadata.labels)


def told_by(binding: Binding) -> object:
    """Take of a binding what a run goes by, and not every condition on the way there.

    That it says that it was given the resources counts once it has them.
    """
    done = any(map(binding.true_now, DONE))
    started = binding.true_now("RolloutStarted") if done else None
    return binding.spec, binding.metadata.deletion_timestamp, started


@dataclass(frozen=True, slots=True)
class Waker:
    """Adds the runs that a change concerns: those under way on the placement, and no others."""

    queue: WorkQueue
    active: ActiveRuns

    def run(self, run: UpdateRun) -> None:
        self.queue.add(run.key)

    def approval(self, request: Approval) -> None:
        self.queue.add(Key(request.namespace, request.spec.parent_stage_rollout))

    def strategy(self, strategy: UpdateStrategy) -> None:
        for run in self.active.all():
            if run.spec.staged_rollout_strategy_name == strategy.name:
                self.queue.add(run.key)

    def placement(self, placement: Resource) -> None:
        self._of(placement.key)

    def part(self, resource: Resource) -> None:
        self._of(parent(resource))

    def foretold(self, was: Binding, will_be: Binding) -> None:
        if told_by(was) != told_by(will_be):
            self.part(will_be)

    def member(self, _: MemberCluster) -> None:
        """Wake them all: clusters come, go and get labels seldom, and runs are few."""
        for run in self.active.all():
            self.queue.add(run.key)

    def _of(self, placement: Key) -> None:
        for run in self.active.of(placement):
            self.queue.add(run.key)
