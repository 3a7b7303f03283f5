"""Read everything `plan` needs, once, from the caches."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from fleet.api.binding import Binding
from fleet.api.cluster import MemberCluster
from fleet.api.objects import Key, Resource
from fleet.api.scope import Scope
from fleet.api.staged_update import Approval, UpdateRun
from fleet.engine.snapshots import Group, groups, newest_policy
from fleet.kube.cache import Cache
from fleet.kube.client import Client
from hub.controllers.updaterun.plan.actions import Observed
from hub.foretold import Foretold
from hub.scope_caches import BY_PLACEMENT, BY_RUN, ScopeCaches
from hub.update_runs import finished, placement_of, snapshot_index


class Contents(Protocol):
    async def resource_hash(self, placement: Key) -> str | None:
        """Sum up what a placement selects now; None where that cannot be said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    client: Client
    scope: Scope
    reads: ScopeCaches
    clusters: Cache[MemberCluster]
    contents: Contents
    foretold: Foretold

    async def observe(self, key: Key, *, now: datetime) -> Observed:
        run = self.reads.runs.get(key)
        bare = Observed(run=run, now=now, approval_kind=self.scope.approval)
        if run is None:
            return bare
        approvals = self._approvals(run)
        if run.deleting or finished(run):
            return Observed(
                run=run, now=now, approval_kind=self.scope.approval, approvals=approvals
            )
        placement = placement_of(run)
        strategy = Key(run.namespace, run.spec.staged_rollout_strategy_name)
        there = self.reads.bindings.by(BY_PLACEMENT, str(placement))
        bindings = tuple(map(self.foretold.read, there))
        found = groups(self.reads.resources.by(BY_PLACEMENT, str(placement)))
        return Observed(
            run=run,
            now=now,
            approval_kind=self.scope.approval,
            placement=self.reads.placements.get(placement),
            policy=newest_policy(self.reads.policies.by(BY_PLACEMENT, str(placement))),
            strategy=self.reads.strategies.get(strategy),
            groups=found,
            current=await self._current(run, found),
            bindings=bindings,
            labels=self._labels(bindings),
            approvals=approvals,
        )

    async def behind(self, observed: Observed) -> bool:
        """Ask the server whether what people made for a run is another than was observed."""
        run = observed.run
        if run is None:
            return False
        strategy = Key(run.namespace, run.spec.staged_rollout_strategy_name)
        live = (
            await self.client.get(self.scope.placement, placement_of(run)),
            await self.client.get(self.scope.strategy, strategy),
        )
        known = (observed.placement, observed.strategy)
        return any(map(_differ, live, known))

    async def _current(self, run: UpdateRun, found: tuple[Group, ...]) -> bool:
        """Say whether the newest snapshot has what was edited just before the run was made.

        A run whose snapshot is named, or was chosen long since, does not ask.
        """
        if snapshot_index(run) or not found:
            return True
        now = await self.contents.resource_hash(placement_of(run))
        return now in (None, found[-1].resource_hash)

    def _labels(self, bindings: tuple[Binding, ...]) -> Mapping[str, Mapping[str, str]]:
        targets = {binding.spec.target_cluster for binding in bindings}
        members = (self.clusters.get(Key("", name)) for name in targets)
        return {member.name: member.metadata.labels for member in members if member}

    def _approvals(self, run: UpdateRun) -> tuple[Approval, ...]:
        """Find what the run asked for, and what people made in its name."""
        asked = {each.name: each for each in self.reads.approvals.by(BY_RUN, str(run.key))}
        for name in _names(run):
            if name not in asked and (found := self.reads.approvals.get(Key(run.namespace, name))):
                asked[name] = found
        return tuple(asked.values())


def _differ(one: Resource | None, other: Resource | None) -> bool:
    versions = {each.metadata.resource_version if each else "" for each in (one, other)}
    return len(versions) > 1


def _names(run: UpdateRun) -> tuple[str, ...]:
    return tuple(
        task.approval_request_name
        for stage in run.status.stages_status
        for task in (*stage.before_stage_task_status, *stage.after_stage_task_status)
        if task.approval_request_name
    )
