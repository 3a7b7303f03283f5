"""A binding says how far its Works are, as its member reports them."""

from typing import Any

import pytest

from fleet.api import names
from fleet.api.binding import BindingState
from fleet.api.objects import Key
from fleet.api.scope import NAMESPACED
from fleet.api.work import Work
from fleet.kube.errors import TransientError
from fleet.kube.queue import WorkQueue
from tests.unit.hub.controllers.work_generation.scene import answer, bound, said
from tests.unit.hub.world import (
    CONFIG_MAPS,
    NAMESPACE,
    PLACEMENT,
    World,
    binding,
    condition,
    config_map,
    member,
    placement,
)

BOUND, LEFT = BindingState.BOUND, BindingState.UNSCHEDULED
PHI = {"group": "kaito.sh", "version": "v1beta1", "kind": "Workspace", "name": "phi"}
QWEN = {"group": "kaito.sh", "version": "v1beta1", "kind": "InferenceSet", "name": "qwen"}
SPACE = {"group": "", "version": "v1", "kind": "Namespace", "name": NAMESPACE}


async def test_the_stages_of_a_binding_follow_its_works() -> None:
    async with World(placement(), config_map("a"), member("us"), binding("us")) as world:
        await world.turn()
        assert said(world, "Overridden") == ("True", "NoOverrideSpecified")
        assert said(world, "WorkSynchronized") == ("True", "AllWorkSynced")
        assert said(world, "Applied") == ("Unknown", "ApplyInProgress")
        assert said(world, "Available") == ("", "")
        answer(world, applied=True, available=False)
        await world.settle()
        assert said(world, "Applied") == ("True", "AllWorkHaveBeenApplied")
        assert said(world, "Available") == ("False", "NotAllWorkAreAvailable")
        answer(world, applied=True, available=True)
        await world.settle()
        assert said(world, "Available") == ("True", "AllWorkAreAvailable")
        for kind in ("WorkSynchronized", "Applied", "Available"):
            assert world.condition(kind)[0] == "True"


async def test_what_a_binding_will_say_is_told_while_it_is_written_and_taken_back_if_it_fails() -> (
    None
):
    async with World(placement(), config_map("a"), member("us"), binding("us")) as world:
        await world.turn()
        answer(world, applied=True, available=True)
        await world.look()
        heard: list[tuple[bool, bool]] = []
        world.foretold.on_change(
            lambda was, will_be: heard.append(
                (was.true_now("Available"), will_be.true_now("Available"))
            )
        )
        world.client.writes_left = 0
        with pytest.raises(TransientError):
            await world.generation.reconcile(bound(world).key)
        assert heard == [(False, True)]
        assert not world.foretold.read(bound(world)).true_now("Available")


async def test_a_silent_member_s_works_are_unknown_until_it_answers() -> None:
    async with World(placement(), config_map("a"), member("us"), binding("us")) as world:
        await world.turn()
        answer(world, applied=True, available=True)
        await world.settle()
        world.silences.names.add("us")
        await world.settle()
        assert said(world, "Applied") == ("Unknown", "ClusterNotResponding")
        assert said(world, "Available") == ("Unknown", "ClusterNotResponding")
        assert world.all(Work)[0].status.conditions[0].true
        world.silences.names.clear()
        await world.settle()
        assert said(world, "Available") == ("True", "AllWorkAreAvailable")


async def test_what_a_member_could_not_apply_is_named_on_the_placement() -> None:
    async with World(placement(), config_map("a"), member("us"), binding("us")) as world:
        await world.turn()
        failed = {
            "identifier": {
                "ordinal": 0,
                "version": "v1",
                "kind": "ConfigMap",
                "resource": "configmaps",
                "namespace": NAMESPACE,
                "name": "a",
            },
            "conditions": [condition("Applied", False, "ManifestApplyFailed")],
        }
        answer(world, applied=False, available=None, manifestConditions=[failed])
        await world.settle()
        assert world.condition("Applied") == ("False", "ApplyFailed")
        (cluster,) = world.current.status.placement_statuses
        (told,) = cluster.failed_placements
        assert (told.version, told.kind, told.namespace, told.name) == (
            "v1",
            "ConfigMap",
            NAMESPACE,
            "a",
        )
        assert told.condition.reason == "ManifestApplyFailed"
        answer(world, applied=True, available=True, manifestConditions=[])
        await world.settle()
        assert world.current.status.placement_statuses[0].failed_placements == ()


async def test_a_left_binding_still_says_how_its_works_are() -> None:
    async with World(placement(), config_map("a"), member("us"), binding("us")) as world:
        await world.turn()
        live = bound(world).manifest()
        world.client.put(live | {"spec": live["spec"] | {"state": "Unscheduled"}})
        answer(world, applied=True, available=True)
        await world.generate()
        assert said(world, "Available") == ("True", "AllWorkAreAvailable")


def _new_snapshot(world: World) -> None:
    labels = {names.PARENT: PLACEMENT, names.RESOURCE_INDEX: "5"}
    metadata = {"name": "llama-5-snapshot", "namespace": NAMESPACE, "labels": labels}
    world.client.put(NAMESPACED.resources.model_validate({"metadata": metadata}))


def _new_policy(world: World) -> None:
    metadata = {"name": "llama-5", "namespace": NAMESPACE, "labels": {names.PARENT: PLACEMENT}}
    world.client.put(NAMESPACED.policy.model_validate({"metadata": metadata}))


def _edited(world: World) -> None:
    world.client.put(placement(strategy={"applyStrategy": {"type": "ServerSideApply"}}))


def _answered(world: World) -> None:
    answer(world, applied=True, available=True)


def _silenced(world: World) -> None:
    for listener in world.silences.listeners:
        listener("us")


def _rebound(world: World) -> None:
    world.client.put(binding("us", LEFT))


@pytest.mark.parametrize(
    "happens", [_new_snapshot, _new_policy, _edited, _answered, _silenced, _rebound]
)
async def test_a_binding_is_looked_at_when_something_of_its_own_changes(happens: Any) -> None:
    other = Key("elsewhere", "llama-eu")
    stranger = binding("eu").manifest()
    stranger["metadata"] |= {"namespace": other.namespace, "name": other.name, "uid": "other"}
    async with World(
        placement(NAMESPACED, CONFIG_MAPS), config_map("a"), member("us"), binding("us"), stranger
    ) as world:
        await world.turn()
        await world.look()
        queue = WorkQueue(lambda: 0.0)
        world.generation.wake(queue)
        world.client.feed(*world.caches, world.works, world.clusters)
        happens(world)
        assert await queue.get() == binding("us").key
        assert len(queue) == 0
