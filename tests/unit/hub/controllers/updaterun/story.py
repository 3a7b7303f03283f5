"""A run in a world of values: what it does is done, and members answer when they are told to."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from fleet.api import names
from fleet.api.binding import Binding, BindingState
from fleet.api.conditions import find
from fleet.api.placement import ApplyStrategy
from fleet.api.scope import NAMESPACED, Scope
from fleet.api.staged_update import Approval, StageStatus, UpdateRun, UpdateRunStatus
from fleet.engine.snapshots import Group
from hub.controllers.updaterun.plan import plan
from hub.controllers.updaterun.plan.actions import (
    Accept,
    Action,
    Ask,
    Give,
    Hold,
    Observed,
    Plan,
    Release,
    Remove,
    Report,
    Withdraw,
)
from tests.unit.hub.world import NAMESPACE, NOON, PLACEMENT, UID, binding, condition, placement

RUN, RUN_UID = "upgrade", "uid-upgrade"
Labels = dict[str, str]
REASONS = {
    "UpdateRun": "",
    "StageUpdating": "",
    "ClusterUpdating": "",
}


def stage(name: str, **more: Any) -> dict[str, Any]:
    """Make a stage of the clusters that have its name as their label `env`."""
    return {"name": name, "labelSelector": {"matchLabels": {"env": name}}, **more}


def timed(wait: str) -> dict[str, str]:
    return {"type": "TimedWait", "waitTime": wait}


APPROVAL = {"type": "Approval"}


class Story:
    """The world of one run."""

    def __init__(
        self,
        *stages: dict[str, Any],
        clusters: dict[str, Labels],
        scope: Scope = NAMESPACED,
        policy: dict[str, Any] | None = None,
        index: str = "",
        **strategy: Any,
    ) -> None:
        self.scope, self.now, self.labels = scope, NOON + timedelta(minutes=1), clusters
        self.strategy = scope.strategy.model_validate(
            {"metadata": {"name": "waves"}, "spec": {"stages": stages, **strategy}}
        )
        self.placement = placement(scope, strategy={"type": "External"})
        self.policy = self._policy(policy or {"placementType": "PickAll"})
        self.groups: tuple[Group, ...] = (self.group(0), self.group(1))
        self.bindings: dict[str, Binding] = {}
        self.approvals: dict[str, Approval] = {}
        self.heard: list[str] = []
        self._given: set[str] = set()
        """Clusters that were given something: that the next step says so is not heard."""
        for name in clusters:
            self.joins(name)
        self.run: UpdateRun | None = self._run(index)

    def _run(self, index: str) -> UpdateRun:
        spec = {"placementName": PLACEMENT, "stagedRolloutStrategyName": "waves", "state": "Run"}
        metadata = self._metadata(RUN) | {
            "uid": RUN_UID,
            "generation": 1,
            "creationTimestamp": NOON.isoformat(),
            "finalizers": [names.UPDATE_RUN_FINALIZER],
        }
        more = {"resourceSnapshotIndex": index} if index else {}
        return self.scope.run.model_validate({"metadata": metadata, "spec": spec | more})

    def _policy(self, policy: dict[str, Any], index: int = 0) -> Any:
        metadata = self._metadata(f"{PLACEMENT}-{index}") | {
            "generation": 1,
            "labels": {names.POLICY_INDEX: str(index), names.LATEST: "true"},
            "annotations": {names.NUMBER_OF_CLUSTERS: str(policy.get("numberOfClusters", 0))},
        }
        spec = {k: v for k, v in policy.items() if k != "numberOfClusters"}
        status = {"conditions": [condition("Scheduled", True)]}
        return self.scope.policy.model_validate(
            {"metadata": metadata, "spec": {"policy": spec}, "status": status}
        )

    def group(self, index: int) -> Group:
        metadata = self._metadata(f"{PLACEMENT}-{index}-snapshot")
        return Group(index, self.scope.resources.model_validate({"metadata": metadata}))

    def _metadata(self, name: str) -> dict[str, Any]:
        return {"name": name} | ({"namespace": NAMESPACE} if self.scope.namespaced else {})

    # What happens in the world.

    def joins(self, cluster: str, labels: Labels | None = None) -> None:
        """Let the placement choose a cluster."""
        if labels is not None:
            self.labels[cluster] = labels
        old = f"{PLACEMENT}-0-snapshot"
        self.bindings[cluster] = binding(
            cluster,
            BindingState.BOUND,
            scope=self.scope,
            snapshot=old,
            schedulingPolicySnapshotName=self.policy.name,
        )

    def leaves(self, *clusters: str) -> None:
        for cluster in clusters:
            self._change(cluster, state=BindingState.UNSCHEDULED)

    def decides_anew(self, policy: dict[str, Any]) -> None:
        self.policy = self._policy(policy, index=1)
        for cluster in self.bindings:
            self._change(cluster, scheduling_policy_snapshot_name=self.policy.name)

    def given(self, cluster: str, index: int) -> None:
        """Let somebody else give a cluster other resources."""
        self._change(cluster, resource_snapshot_name=f"{PLACEMENT}-{index}-snapshot")

    def answers(self, *clusters: str, kind: str = "Available", truth: bool = True) -> None:
        """Let members report on what they have now."""
        for cluster in clusters:
            old = self.bindings[cluster]
            self._say(cluster, kind, truth=truth, generation=old.metadata.generation)

    def gone(self, *clusters: str) -> None:
        """Let bindings that are on their way out be gone."""
        for cluster in clusters:
            assert self.bindings[cluster].deleting
            del self.bindings[cluster]

    def approves(self, name: str, *, generation: int = 1) -> None:
        self.approvals[name] = self._answered(
            self.approvals[name], condition("Approved", True, "lgtm", generation=generation)
        )

    def passes(self, **time: float) -> None:
        self.now += timedelta(**time)

    def is_to(self, state: str) -> None:
        """Let the user say what the run is to do."""
        assert self.run
        body = self.run.manifest()
        metadata = body["metadata"] | {"generation": self.run.metadata.generation + 1}
        spec = body["spec"] | {"state": state}
        self.run = self.scope.run.model_validate({**body, "metadata": metadata, "spec": spec})

    def is_deleted(self) -> None:
        assert self.run
        update = {"deletion_timestamp": self.now}
        metadata = self.run.metadata.model_copy(update=update)
        self.run = self.run.model_copy(update={"metadata": metadata})

    # What the run does about it.

    @property
    def observed(self) -> Observed:
        return Observed(
            run=self.run,
            now=self.now,
            approval_kind=self.scope.approval,
            placement=self.placement,
            policy=self.policy,
            strategy=self.strategy,
            groups=self.groups,
            bindings=tuple(self.bindings.values()),
            labels=self.labels,
            approvals=tuple(self.approvals.values()),
        )

    def step(self) -> Plan:
        """Take one step, and carry it out."""
        planned = plan(self.observed)
        for action in (*planned.first, *planned.then):
            if heard := self._do(action):
                self.heard.append(heard)
        if planned.status and self.run:
            self.run = self.run.model_copy(update={"status": _stored(planned.status)})
        return planned

    def goes_on(self) -> Plan:
        """Take steps until the next one would do nothing."""
        for _ in range(20):
            before = (self.run, dict(self.bindings), dict(self.approvals))
            planned = self.step()
            if before == (self.run, self.bindings, self.approvals):
                return planned
        raise AssertionError("the run does not come to rest")

    def _do(self, action: Action) -> str:
        match action:
            case Hold() | Release():
                self.run = None if isinstance(action, Release) else self.run
                return type(action).__name__.lower()
            case Ask(_, approval):
                metadata = approval.metadata.model_copy(update={"generation": 1})
                made = approval.model_copy(update={"metadata": metadata})
                self.approvals[made.name] = made
                return f"ask {made.name}"
            case Accept(approval):
                said = condition("ApprovalAccepted", True)
                self.approvals[approval.name] = self._answered(approval, said)
                return f"accept {approval.name}"
            case Withdraw(approval):
                del self.approvals[approval.name]
                return f"withdraw {approval.name}"
            case _:
                return self._do_to_binding(action)

    def _do_to_binding(self, action: Give | Report | Remove) -> str:
        match action:
            case Give(given, snapshot, way):
                return self._give(given.spec.target_cluster, snapshot, way)
            case Report(reported, _):
                cluster = reported.spec.target_cluster
                generation = self.bindings[cluster].metadata.generation
                self._say(cluster, "RolloutStarted", truth=True, generation=generation)
                if cluster in self._given:
                    self._given.remove(cluster)
                    return ""
                return f"report {cluster}"
            case Remove(removed):
                return self._remove(removed.spec.target_cluster)

    def _give(self, cluster: str, snapshot: str, way: ApplyStrategy | None) -> str:
        state = BindingState.BOUND
        self._change(cluster, state=state, resource_snapshot_name=snapshot, apply_strategy=way)
        self._given.add(cluster)
        return f"{cluster} gets {snapshot.split('-')[1]}"

    def _remove(self, cluster: str) -> str:
        old = self.bindings[cluster]
        metadata = old.metadata.model_copy(update={"deletion_timestamp": self.now})
        self.bindings[cluster] = old.model_copy(update={"metadata": metadata})
        return f"remove {cluster}"

    def _change(self, cluster: str, **spec: Any) -> None:
        old = self.bindings[cluster]
        metadata = old.metadata.model_copy(update={"generation": old.metadata.generation + 1})
        update = {"metadata": metadata, "spec": old.spec.model_copy(update=spec)}
        self.bindings[cluster] = old.model_copy(update=update)

    def _say(self, cluster: str, kind: str, *, truth: bool, generation: int) -> None:
        self.bindings[cluster] = self._answered(
            self.bindings[cluster], condition(kind, truth, generation=generation)
        )

    def _answered(self, resource: Any, said: dict[str, Any]) -> Any:
        body = resource.manifest()
        there = body.get("status", {}).get("conditions", [])
        others = [each for each in there if each["type"] != said["type"]]
        status = body.get("status", {}) | {"conditions": [*others, said]}
        return type(resource).model_validate(body | {"status": status})

    # What people read.

    @property
    def status(self) -> UpdateRunStatus:
        assert self.run
        return self.run.status

    def reason(self, kind: str = "Progressing") -> str:
        found = find(self.status.conditions, kind)
        return f"{found.status} {_short(found.reason)}" if found else ""

    def message(self, kind: str) -> str:
        found = find(self.status.conditions, kind)
        return found.message if found else ""

    @property
    def table(self) -> list[str]:
        """One line for the run, and one for each stage."""
        last = self.status.deletion_stage_status
        stages = (*self.status.stages_status, *((last,) if last and last.clusters else ()))
        return [self.reason(), *map(_line, stages)]


def _line(each: StageStatus) -> str:
    said = find(each.conditions, "Progressing")
    clusters = ", ".join(f"{c.cluster_name} {_of(c.conditions)}".strip() for c in each.clusters)
    return f"{each.stage_name}: {_short(said.reason) if said else '-'}: {clusters}"


def _of(conditions: Iterable[Any]) -> str:
    names_of = {"Started": "started", "Succeeded": "done"}
    found = [names_of[c.type] if c.true else "failed" for c in conditions]
    return found[-1] if found else ""


def _short(reason: str) -> str:
    for prefix in REASONS:
        reason = reason.removeprefix(prefix)
    return reason


def _stored(status: UpdateRunStatus) -> UpdateRunStatus:
    """Keep a status as the server does: as JSON, of which only what was set is left."""
    return UpdateRunStatus.model_validate(status.dump())


def at(story: Story, kind: str) -> datetime | None:
    found = find(story.status.conditions, kind)
    return found.last_transition_time if found else None


def another(story: Story, **changes: Any) -> Observed:
    """See the world with some of it changed."""
    return replace(story.observed, **changes)


__all__ = ["APPROVAL", "RUN", "RUN_UID", "UID", "Story", "another", "at", "stage", "timed"]
