"""Report a placement: what is selected, where it went, and how far each cluster is. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from fleet.api.binding import Binding, ClusterDecision
from fleet.api.conditions import Condition, ConditionStatus, find
from fleet.api.names import CRP_GENERATION
from fleet.api.placement import (
    ClusterPlacementStatus,
    Placement,
    PlacementStatus,
)
from fleet.api.snapshot import PolicySnapshot
from fleet.engine.snapshots import groups, newest, newest_policy
from hub.controllers.placement.plan.actions import Content, Invalid, Observed
from hub.controllers.placement.plan.manifests import identify

MAX_FAILED = 100
Manifests = Sequence[dict[str, Any]]


class Reason(StrEnum):
    SCHEDULE_PENDING = "SchedulePending"
    SCHEDULED = "Scheduled"
    SCHEDULE_FAILED = "ScheduleFailed"
    NOTHING_SELECTED = "NothingSelected"
    EXTERNAL = "RolloutControlledByExternalController"


@dataclass(frozen=True, slots=True)
class Stage:
    """One step on the way to a cluster, and the reasons of its placement-level condition."""

    type: str
    done: str
    failed: str
    unknown: str
    what: str


STAGES = (
    Stage(
        "RolloutStarted",
        "RolloutStarted",
        "RolloutNotStartedYet",
        "RolloutStartedUnknown",
        "have been given the latest resources",
    ),
    Stage(
        "Overridden",
        "NoOverrideSpecified",
        "OverriddenFailed",
        "OverriddenPending",
        "have their overrides worked in, where there are any",
    ),
    Stage(
        "WorkSynchronized",
        "WorkSynchronized",
        "WorkNotSynchronizedYet",
        "WorkSynchronizedUnknown",
        "have their Works written on the hub",
    ),
    Stage(
        "Applied",
        "ApplySucceeded",
        "ApplyFailed",
        "ApplyPending",
        "have applied the resources",
    ),
    Stage(
        "Available",
        "ResourceAvailable",
        "ResourceNotAvailableYet",
        "ResourceAvailableUnknown",
        "have the resources available",
    ),
)
TYPES = ("Scheduled", "ResourcesSelected", *(stage.type for stage in STAGES))


def report(observed: Observed, *, now: datetime) -> PlacementStatus | None:
    """Say how a placement stands, or None where it says so already."""
    placement = observed.placement
    if placement is None or placement.deleting:
        return None
    indices = {group.master.name: group.index for group in groups(observed.resources)}
    before = {each.cluster_name: each for each in placement.status.placement_statuses}
    reporter = Reporter(observed, placement, indices, before, now)
    if isinstance(observed.content, Invalid):
        new = reporter.invalid(observed.content)
    else:
        new = reporter.status(observed.content)
    ours = {f"{observed.scope.prefix}{kind}" for kind in TYPES}
    return None if _same(new, placement.status, ours) else new


def settled(status: PlacementStatus) -> bool:
    """Say whether a status will stand for a while: the stages before it pass in moments."""
    by_type = {c.type: c for c in status.conditions}
    applied = any(c.true for kind, c in by_type.items() if kind.endswith("Applied"))
    return applied or all(c.status is not ConditionStatus.UNKNOWN for c in by_type.values())


def _same(new: PlacementStatus, old: PlacementStatus, ours: Collection[str]) -> bool:
    """Compare what we report; conditions of others, and their order, are not our concern."""
    there = {c.type: c for c in old.conditions if c.type in ours}
    if there != {c.type: c for c in new.conditions}:
        return False
    return new == old.model_copy(update={"conditions": new.conditions})


@dataclass(frozen=True, slots=True)
class Reporter:
    observed: Observed
    placement: Placement
    indices: Mapping[str, int]
    """Of the resource snapshots, by the name of the master."""
    before: Mapping[str, ClusterPlacementStatus]
    """What was reported last, by cluster; what is still so is taken from there as it is."""
    now: datetime

    def invalid(self, why: Invalid) -> PlacementStatus:
        """Only the first condition is news: what runs, runs on and is reported as before."""
        scheduled = self._condition("Scheduled", False, why.reason, why.message)
        ours = {f"{self.observed.scope.prefix}{kind}" for kind in TYPES} - {scheduled.type}
        others = [c for c in self.placement.status.conditions if c.type in ours]
        return self.placement.status.model_copy(update={"conditions": (scheduled, *others)})

    def status(self, content: Content) -> PlacementStatus:
        chosen = sorted(
            (binding for binding in self.observed.bindings if binding.in_use),
            key=lambda binding: binding.spec.target_cluster,
        )
        policy = newest_policy(self.observed.policies)
        taken = tuple(self._cluster(binding) for binding in chosen)
        index, manifests = self._observed(taken, content)
        return PlacementStatus(
            selected_resources=tuple(map(identify, manifests)),
            observed_resource_index=index,
            placement_statuses=(*taken, *self._not_chosen(policy, len(chosen))),
            conditions=(
                self._scheduled(policy),
                *self._stages(taken),
                *self._nothing(content),
            ),
        )

    def _observed(
        self, clusters: Sequence[ClusterPlacementStatus], content: Content
    ) -> tuple[str, Manifests]:
        """Say which resources the status is about: with update runs, those of all clusters."""
        latest = newest(self.observed.resources)
        if not self._external:
            return str(latest.index) if latest else "", content.manifests
        index = common_index(clusters)
        if not index:
            return "", ()
        found = (g for g in groups(self.observed.resources) if str(g.index) == index)
        return index, next((group.manifests for group in found), ())

    @property
    def _external(self) -> bool:
        return self.placement.spec.strategy.type == "External"

    def _scheduled(self, policy: PolicySnapshot | None) -> Condition:
        """Repeat what scheduling said, once it has seen this generation of the placement."""
        said = find(policy.status.conditions, "Scheduled") if policy else None
        if policy is None or said is None or not _current(policy, said, self.placement):
            return self._condition(
                "Scheduled",
                None,
                Reason.SCHEDULE_PENDING,
                "The clusters for this generation of the placement are still being chosen",
            )
        return self._condition("Scheduled", _truth(said), said.reason, said.message)

    def _stages(self, clusters: Sequence[ClusterPlacementStatus]) -> Iterator[Condition]:
        """Follow the stages up to the first that not all clusters have passed."""
        if not clusters:
            return
        if self._external and (text := external_rollout(clusters)):
            yield self._condition("RolloutStarted", None, Reason.EXTERNAL, text)
            return
        for stage in STAGES:
            found = [find(cluster.conditions, stage.type) for cluster in clusters]
            failed = sum(condition is not None and condition.false for condition in found)
            done = sum(condition is not None and condition.true for condition in found)
            if failed:
                yield self._stage(stage, False, stage.failed, failed, len(found))
                return
            if done < len(found):
                yield self._stage(stage, None, stage.unknown, len(found) - done, len(found))
                return
            yield self._stage(stage, True, stage.done, done, done)

    def _stage(
        self, stage: Stage, truth: bool | None, reason: str, count: int, total: int
    ) -> Condition:
        if truth:
            text = f"All {total} selected clusters {stage.what}"
        elif truth is None:
            text = f"{count} of {total} selected clusters have not reported yet: {stage.what}"
        else:
            text = f"It is not so of {count} of {total} selected clusters that they {stage.what}"
        return self._condition(stage.type, truth, reason, text)

    def _nothing(self, content: Content) -> Iterator[Condition]:
        """Say it aloud when a placement selects nothing: it looks like one that works."""
        if not content.manifests:
            text = "No object on the hub matches the resource selectors"
            yield self._condition("ResourcesSelected", False, Reason.NOTHING_SELECTED, text)

    def _cluster(self, binding: Binding) -> ClusterPlacementStatus:
        before = self.before.get(binding.spec.target_cluster)
        status = ClusterPlacementStatus(
            cluster_name=binding.spec.target_cluster,
            observed_resource_index=str(self.indices.get(binding.spec.resource_snapshot_name, "")),
            conditions=tuple(self._of_cluster(binding, before.conditions if before else ())),
        )
        failed = binding.status.failed_placements[:MAX_FAILED]
        if failed:
            status = status.model_copy(update={"failed_placements": failed})
        return before if before == status else status

    def _of_cluster(self, binding: Binding, before: Sequence[Condition]) -> Iterator[Condition]:
        reason = binding.spec.cluster_decision.reason
        yield self._new(before, "Scheduled", True, Reason.SCHEDULED, reason)
        for stage in STAGES:
            said = find(binding.status.conditions, stage.type)
            if said is None or not self._speaks_of(said, binding):
                text = f"The cluster has not got so far with the latest decision: {stage.type}"
                yield self._new(before, stage.type, None, stage.unknown, text)
                return
            yield self._new(before, stage.type, _truth(said), said.reason, said.message)
            if not said.true:
                return

    def _speaks_of(self, said: Condition, binding: Binding) -> bool:
        """Say whether a condition is of the binding as it is.

        With update runs, what was given stays given when scheduling decides anew.
        """
        given = self._external and said.type == STAGES[0].type
        return given or said.observed_generation == binding.metadata.generation

    def _not_chosen(
        self, policy: PolicySnapshot | None, chosen: int
    ) -> Iterator[ClusterPlacementStatus]:
        """Give a sample of the clusters that were not good enough, one for each that is lacking."""
        if policy is None:
            return
        wanted = policy.limit if policy.limit is not None else len(policy.policy.cluster_names)
        others = [decision for decision in policy.status.target_clusters if not decision.selected]
        for number, decision in enumerate(others[: max(0, wanted - chosen)]):
            yield self._unfit(number, decision)

    def _unfit(self, number: int, decision: ClusterDecision) -> ClusterPlacementStatus:
        text = f"{decision.cluster_name} is not selected: {decision.reason}"
        old = [s for s in self.placement.status.placement_statuses if not s.cluster_name]
        before = old[number].conditions if number < len(old) else ()
        new = self._new(before, "Scheduled", False, Reason.SCHEDULE_FAILED, text)
        return ClusterPlacementStatus(conditions=(new,))

    def _condition(self, kind: str, truth: bool | None, reason: str, message: str) -> Condition:
        before, kind = self.placement.status.conditions, f"{self.observed.scope.prefix}{kind}"
        return self._new(before, kind, truth, reason, message)

    def _new(
        self,
        before: Sequence[Condition],
        kind: str,
        truth: bool | None,
        reason: str,
        message: str,
    ) -> Condition:
        status, generation = ConditionStatus.of(truth), self.placement.metadata.generation
        old = find(before, kind)
        if old and old.says(status, reason, message, generation):
            return old
        stays = old and old.status is status
        return Condition(
            type=kind,
            status=status,
            reason=reason,
            message=message,
            observed_generation=generation,
            last_transition_time=old.last_transition_time if old and stays else self.now,
        )


def common_index(clusters: Sequence[ClusterPlacementStatus]) -> str:
    """Give the index of the resources that all clusters have; empty where they have not one."""
    indices = {cluster.observed_resource_index for cluster in clusters}
    return indices.pop() if len(indices) == 1 else ""


def external_rollout(clusters: Sequence[ClusterPlacementStatus]) -> str:
    """Say why nothing can be said of a rollout that others control; empty where it can be."""
    by_runs = "Update runs decide when each cluster gets which resources"
    if not common_index(clusters):
        some = any(cluster.observed_resource_index for cluster in clusters)
        what = "the clusters have different ones" if some else "no cluster has any yet"
        return f"{by_runs}: {what}"
    for cluster in clusters:
        started = find(cluster.conditions, STAGES[0].type)
        if started is None or started.status is ConditionStatus.UNKNOWN:
            return f"{by_runs}: it is not known yet whether {cluster.cluster_name} was given them"
    return ""


def _truth(condition: Condition) -> bool | None:
    return None if condition.status is ConditionStatus.UNKNOWN else condition.true


def _current(policy: PolicySnapshot, said: Condition, placement: Placement) -> bool:
    return (
        said.observed_generation == policy.metadata.generation
        and policy.metadata.annotations.get(CRP_GENERATION) == str(placement.metadata.generation)
        and policy.status.observed_crp_generation == placement.metadata.generation
    )
