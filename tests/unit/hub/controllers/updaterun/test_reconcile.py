"""Update runs of both scopes against a server that keeps its state, with the hub's others."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from typing_extensions import override

from fleet.api import names
from fleet.api.binding import Binding, BindingState, BindingStatus
from fleet.api.cluster import MemberCluster
from fleet.api.conditions import find
from fleet.api.objects import Key, Resource
from fleet.api.scope import CLUSTER, NAMESPACED, Scope
from fleet.api.staged_update import UpdateRun
from fleet.kube.client import swap
from fleet.kube.errors import ConflictError, TransientError
from fleet.kube.queue import WorkQueue
from hub.controllers.updaterun.handlers import UpdateRuns
from hub.controllers.updaterun.observe import Observer
from hub.pace import LONGEST_SECONDS, StatusPace
from tests.unit.hub.controllers.updaterun.story import APPROVAL, RUN, stage
from tests.unit.hub.controllers.work_generation.scene import answer
from tests.unit.hub.world import (
    NAMESPACE,
    NOON,
    PLACEMENT,
    World,
    binding,
    condition,
    config_map,
    member,
    placement,
)

SCOPES = pytest.mark.parametrize("scope", [CLUSTER, NAMESPACED], ids=["cluster", "namespaced"])

ROLES = {"group": "rbac.authorization.k8s.io", "version": "v1", "kind": "ClusterRole"}
ROLE = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRole",
    "metadata": {"name": "reader"},
    "rules": [],
}


class Fleet(World):
    """A world with update runs in it."""

    def __init__(self, *resources: Resource, scope: Scope = NAMESPACED, **strategy: Any) -> None:
        selectors = () if scope.namespaced else (ROLES,)
        external = placement(scope, *selectors, strategy={"type": "External"})
        bindings = [binding(r.name, scope=scope) for r in resources if isinstance(r, MemberCluster)]
        placed = config_map("a") if scope.namespaced else ROLE
        super().__init__(external, placed, *bindings, *resources, scope=scope)
        self.now, self.moment = NOON, 0.0
        self.updates = UpdateRuns(
            client=self.client.as_manager("updaterun"),
            observer=Observer(
                client=self.client,
                scope=scope,
                reads=self.caches,
                clusters=self.clusters,
                contents=self.placement.observer,
                foretold=self.foretold,
            ),
            active=self.runs,
            clock=lambda: self.now,
            pace=StatusPace(monotonic=lambda: self.moment),
            tell=self.heard.tell,
        )
        self.client.put(
            self._named(scope.strategy, "waves", spec={"stages": [stage("prod")]} | strategy)
        )

    def queue(self) -> WorkQueue:
        """Hear which runs are woken from now on."""
        made = WorkQueue(lambda: 0.0)
        self.updates.wake(made)
        return made

    def _named(self, kind: type[Resource], name: str, **parts: Any) -> Resource:
        metadata = {"name": name, "uid": f"uid-{name}", "creationTimestamp": NOON.isoformat()}
        if self.scope.namespaced:
            metadata["namespace"] = NAMESPACE
        return kind.model_validate({"metadata": metadata, **parts})

    def begins(self, name: str = RUN, **more: Any) -> None:
        spec = {"placementName": PLACEMENT, "stagedRolloutStrategyName": "waves", "state": "Run"}
        self.client.put(self._named(self.scope.run, name, spec=spec | more))

    @override
    async def place(self) -> None:
        """Place, and decide at once."""
        await super().place()
        for body in self.client.bodies(self.scope.policy):
            generation = body["metadata"]["generation"]
            said = condition("Scheduled", True, generation=generation)
            self.client.put(body | {"status": {"conditions": [said]}})

    async def update(self, name: str = RUN) -> None:
        for _ in range(4):
            await self.look()
            self.moment += 10
            await self.updates.reconcile(Key(self.key.namespace, name))

    async def go(self) -> None:
        await self.place()
        await self.update()
        await self.generate()
        answer(self, applied=True, available=True)
        await self.generate()
        await self.update()

    async def answered(self) -> float | None:
        """Have what was given available, and go on at the same moment."""
        await self.look()
        await self.updates.reconcile(Key(NAMESPACE, RUN))
        await self.generate()
        answer(self, applied=True, available=True)
        await self.generate()
        return await self.updates.reconcile(Key(NAMESPACE, RUN))

    async def turns_at_once(self) -> None:
        """Have every controller look once, and what was given available; no time goes by."""
        await self.look()
        await self.updates.reconcile(Key(NAMESPACE, RUN))
        await self.look()
        for key in self._binding_keys():
            await self.generation.reconcile(key)
        await self.placement.reconcile(self.key)
        answer(self, applied=True, available=True)

    def run(self, name: str = RUN) -> UpdateRun:
        (found,) = [run for run in self.all(self.scope.run) if run.name == name]
        assert isinstance(found, UpdateRun)
        return found

    def told(self, kind: str, name: str = RUN) -> tuple[str, str]:
        found = find(self.run(name).status.conditions, kind)
        return (found.status, found.reason) if found else ("", "")


def labelled(name: str, **labels: str) -> MemberCluster:
    body = member(name).manifest()
    metadata = body["metadata"] | {"labels": labels or {"env": "prod"}}
    return MemberCluster.model_validate(body | {"metadata": metadata})


@SCOPES
async def test_a_run_gives_each_cluster_the_newest_resources_and_succeeds(scope: Scope) -> None:
    async with Fleet(labelled("eu"), labelled("us"), scope=scope) as fleet:
        fleet.begins()
        for _ in range(3):
            await fleet.go()
        assert fleet.told("Succeeded") == ("True", "UpdateRunSucceeded")
        assert fleet.run().metadata.finalizers == (names.UPDATE_RUN_FINALIZER,)
        for bound in fleet.all(scope.binding):
            assert bound.spec.state is BindingState.BOUND
            assert bound.spec.resource_snapshot_name == f"{PLACEMENT}-0-snapshot"
            assert bound.spec.apply_strategy == fleet.run().status.applied_strategy
            started = find(bound.status.conditions, "RolloutStarted")
            assert started
            assert "update run upgrade" in started.message
        told = [reason for reason in fleet.heard.reasons if reason.startswith("UpdateRun")]
        assert told == ["UpdateRunInitializedSuccessfully", "UpdateRunSucceeded"]


@SCOPES
async def test_nothing_is_rolled_out_without_a_run(scope: Scope) -> None:
    async with Fleet(labelled("us"), scope=scope) as fleet:
        await fleet.settle()
        (bound,) = fleet.all(scope.binding)
        assert (bound.spec.state, bound.spec.resource_snapshot_name) == ("Scheduled", "")


async def test_planning_again_writes_nothing() -> None:
    async with Fleet(labelled("us")) as fleet:
        fleet.begins()
        await fleet.place()
        await fleet.update()
        fleet.client.writes_left = 0
        await fleet.update()


@pytest.mark.parametrize("writes", range(7))
async def test_a_crash_between_two_writes_ends_in_the_same_state(writes: int) -> None:
    tasks = stage("prod", beforeStageTasks=[APPROVAL])
    async with Fleet(labelled("us"), stages=[tasks]) as fleet:
        await fleet.place()
        fleet.begins()
        fleet.client.writes_left = writes
        with pytest.raises(TransientError):
            await _approved(fleet)
        fleet.client.writes_left = 999
        await _approved(fleet)
        assert fleet.told("Progressing") == ("True", "UpdateRunProgressing")
        (bound,) = fleet.all(NAMESPACED.binding)
        assert bound.spec.resource_snapshot_name == f"{PLACEMENT}-0-snapshot"
        assert bound.true_now("RolloutStarted")


async def _approved(fleet: Fleet) -> None:
    await fleet.update()
    for body in fleet.client.bodies(NAMESPACED.approval):
        fleet.client.put(body | {"status": {"conditions": [condition("Approved", True)]}})
    await fleet.update()


async def test_what_scheduling_did_meanwhile_is_not_undone() -> None:
    async with Fleet(labelled("us")) as fleet:
        fleet.begins()
        await fleet.place()
        await fleet.look()
        await fleet.updates.reconcile(Key(NAMESPACE, RUN))
        await fleet.look()
        (old,) = fleet.all(NAMESPACED.binding)
        await fleet.client.json_patch(old, swap("/spec/state", "Scheduled", "Unscheduled"))
        with pytest.raises(ConflictError):
            await fleet.updates.reconcile(Key(NAMESPACE, RUN))
        (left,) = fleet.all(NAMESPACED.binding)
        assert left.spec.state is BindingState.UNSCHEDULED


async def test_a_rollback_gives_an_older_snapshot_which_is_kept_for_it() -> None:
    async with Fleet(labelled("us")) as fleet:
        external = placement(strategy={"type": "External"}, revisionHistoryLimit=1)
        fleet.client.put(external)
        fleet.begins()
        await fleet.go()
        fleet.begins("back", resourceSnapshotIndex="0", state="Initialize")
        for edit in range(3):
            fleet.client.put(config_map("a", k=str(edit)))
            await fleet.place()
            fleet.begins(f"forth-{edit}")
            await fleet.update(f"forth-{edit}")
            await fleet.go()
            await fleet.update(f"forth-{edit}")
        indices = [s.metadata.labels[names.RESOURCE_INDEX] for s in fleet.all(NAMESPACED.resources)]
        assert indices == ["0", "3"]
        fleet.begins("back", resourceSnapshotIndex="0")
        await fleet.update("back")
        (bound,) = fleet.all(NAMESPACED.binding)
        assert bound.spec.resource_snapshot_name == f"{PLACEMENT}-0-snapshot"


async def test_a_run_takes_what_was_edited_just_before_it() -> None:
    async with Fleet(labelled("us")) as fleet:
        await fleet.place()
        fleet.client.put(config_map("a", k="new"))
        fleet.begins()
        await fleet.update()
        assert fleet.told("Initialized") == ("", "")
        await fleet.place()
        await fleet.update()
        assert fleet.run().status.resource_snapshot_index_used == "1"


@pytest.mark.parametrize("clusters", [4, 100], ids=["small", "large"])
async def test_a_status_waits_until_it_is_news_and_no_cluster_waits_for_it(clusters: int) -> None:
    many = [labelled(f"c{number:03}") for number in range(clusters)]
    async with Fleet(*many, stages=[stage("prod", maxConcurrency="25%")]) as fleet:
        fleet.client.writes_left = 9_999
        fleet.begins()
        await fleet.place()
        await fleet.update()
        await fleet.answered()
        written = fleet.run().status
        for _ in range(2):
            wait = await fleet.answered()
            assert wait
            assert 0 < wait < LONGEST_SECONDS
            assert fleet.run().status == written
        assert all(each.spec.state is BindingState.BOUND for each in fleet.all(NAMESPACED.binding))
        await fleet.answered()
        assert fleet.told("Succeeded") == ("True", "UpdateRunSucceeded")


async def test_a_run_costs_as_many_writes_to_each_cluster_as_it_has_steps_and_few_besides() -> None:
    many = [labelled(f"c{number:03}") for number in range(40)]
    async with Fleet(*many, stages=[stage("prod", maxConcurrency="25%")]) as fleet:
        fleet.client.writes_left = 9_999
        await fleet.place()
        fleet.begins()
        written = Counter[str]()
        fleet.client.server.watchers.append(lambda _, body: written.update([body["kind"]]))
        while fleet.told("Succeeded")[0] != "True":
            await fleet.turns_at_once()
        given, said, held, available, made, answered = (40,) * 6
        assert written["ResourceBinding"] == given + said + held + available
        assert written["Work"] == made + answered
        assert written["StagedUpdateRun"] <= 4
        assert written["ResourcePlacement"] <= 4


async def test_a_run_that_is_deleted_takes_its_requests_along() -> None:
    async with Fleet(labelled("us"), stages=[stage("prod", beforeStageTasks=[APPROVAL])]) as fleet:
        fleet.begins()
        await fleet.place()
        await fleet.update()
        assert fleet.heard.reasons[-1] == "ApprovalRequested"
        assert [a.name for a in fleet.all(NAMESPACED.approval)] == ["upgrade-before-prod"]
        await fleet.client.delete(fleet.run())
        await fleet.update()
        assert fleet.all(NAMESPACED.approval) == []
        assert fleet.all(NAMESPACED.run) == []


async def test_a_run_that_takes_too_long_is_told_of_and_looked_at_again() -> None:
    async with Fleet(labelled("us")) as fleet:
        fleet.begins()
        await fleet.place()
        await fleet.update()
        assert await fleet.updates.reconcile(Key(NAMESPACE, RUN)) == 300
        fleet.now += timedelta(minutes=5)
        await fleet.update()
        assert fleet.told("Progressing") == ("False", "UpdateRunStuck")
        assert fleet.heard.reasons[-1] == "UpdateRunStuck!"


async def test_a_binding_wakes_the_run_of_its_placement_and_no_other() -> None:
    async with Fleet(labelled("us")) as fleet:
        fleet.begins()
        fleet.begins("other", placementName="another")
        await fleet.place()
        await fleet.look()
        queue = fleet.queue()
        fleet.client.feed(*fleet.caches, fleet.clusters)
        fleet.client.put(binding("us", available=True))
        assert await queue.get() == Key(NAMESPACE, RUN)
        assert len(queue) == 0
        fleet.client.put(labelled("us", env="other"))
        assert len(queue) == 1


async def test_a_cluster_begins_while_it_is_being_written_that_the_one_before_is_done() -> None:
    async with Fleet(labelled("eu"), labelled("us")) as fleet:
        fleet.begins()
        await fleet.place()
        await fleet.update()
        await fleet.look()
        queue = fleet.queue()
        eu, us = fleet.caches.bindings.all()
        with fleet.foretold.saying(eu, available(eu)):
            assert len(queue) == 1
            await fleet.updates.reconcile(Key(NAMESPACE, RUN))
        (given,) = (each for each in fleet.all(NAMESPACED.binding) if each.key == us.key)
        assert given.spec.resource_snapshot_name == f"{PLACEMENT}-0-snapshot"


async def test_what_was_foretold_wakes_nobody_once_more_when_it_is_there() -> None:
    async with Fleet(labelled("eu"), labelled("us")) as fleet:
        fleet.begins()
        await fleet.place()
        await fleet.update()
        await fleet.look()
        fleet.client.feed(*fleet.caches)
        queue = fleet.queue()
        eu, us = fleet.caches.bindings.all()
        with fleet.foretold.saying(eu, available(eu)):
            queue.done(await queue.get())
            await fleet.client.patch_status(eu, available(eu))
            assert len(queue) == 0
        await fleet.client.patch_status(us, available(us))
        assert len(queue) == 1


def available(bound: Binding) -> BindingStatus:
    said = condition("Available", True, generation=bound.metadata.generation)
    return BindingStatus.model_validate({"conditions": [said]})


async def test_a_run_is_not_wrong_before_what_it_names_is_seen() -> None:
    async with Fleet(labelled("us")) as fleet:
        await fleet.place()
        strategy = Key(NAMESPACE, "waves")
        fleet.begins()
        await fleet.look()
        fleet.now += timedelta(minutes=1)
        fleet.caches.strategies.remove(strategy)
        early = await fleet.updates.observer.observe(Key(NAMESPACE, RUN), now=fleet.now)
        await fleet.look()
        assert await fleet.updates.observer.behind(early)
        fleet.caches.strategies.remove(strategy)
        assert await fleet.updates.reconcile(Key(NAMESPACE, RUN)) == 1.0
        assert fleet.told("Initialized") == ("", "")
        (there,) = fleet.all(NAMESPACED.strategy)
        await fleet.client.delete(there)
        await fleet.updates.reconcile(Key(NAMESPACE, RUN))
        assert fleet.told("Initialized") == ("False", "UpdateRunInitializedFailed")
