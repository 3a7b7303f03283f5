"""The rollout against a server that keeps its state."""

from collections.abc import Callable

import pytest

from fleet.api.binding import BindingState
from fleet.api.scope import NAMESPACED
from fleet.kube.client import swap
from fleet.kube.errors import ConflictError, TransientError
from fleet.kube.queue import WorkQueue
from tests.unit.hub.world import World, binding, config_map, member, placement


async def test_a_binding_is_bound_to_the_newest_resources_and_says_so() -> None:
    async with World(placement(), config_map("a"), member("us"), binding("us")) as world:
        await world.place()
        await world.roll()
        (bound,) = world.all(NAMESPACED.binding)
        assert bound.spec.state is BindingState.BOUND
        assert bound.spec.resource_snapshot_name == "llama-0-snapshot"
        (condition,) = bound.status.conditions
        assert (condition.type, condition.true) == ("RolloutStarted", True)
        assert condition.observed_generation == bound.metadata.generation


async def test_rolling_out_again_writes_nothing() -> None:
    async with World(placement(), config_map("a"), member("us"), binding("us")) as world:
        await world.place()
        await world.roll()
        world.client.writes_left = 0
        await world.roll()


@pytest.mark.parametrize("writes", range(2))
async def test_a_crash_between_two_writes_ends_in_the_same_state(writes: int) -> None:
    async with World(placement(), config_map("a"), member("us"), binding("us")) as world:
        await world.place()
        world.client.writes_left = writes
        with pytest.raises(TransientError):
            await world.roll()
        world.client.writes_left = 99
        await world.roll()
        (bound,) = world.all(NAMESPACED.binding)
        assert bound.spec.state is BindingState.BOUND
        assert bound.status.conditions


async def test_what_scheduling_did_meanwhile_is_not_undone() -> None:
    async with World(placement(), config_map("a"), member("us"), binding("us")) as world:
        await world.place()
        await world.look()
        (old,) = world.all(NAMESPACED.binding)
        await world.client.json_patch(old, swap("/spec/state", "Scheduled", "Unscheduled"))
        with pytest.raises(ConflictError):
            await world.rollout.reconcile(world.key)
        (left,) = world.all(NAMESPACED.binding)
        assert left.spec.state is BindingState.UNSCHEDULED


def _edited(world: World) -> None:
    world.client.put(placement(strategy={"type": "External"}))


def _new_resources(world: World) -> None:
    (body,) = world.client.bodies(NAMESPACED.resources)
    world.client.put(body | {"metadata": body["metadata"] | {"name": "llama-1-snapshot"}})


def _new_policy(world: World) -> None:
    (body,) = world.client.bodies(NAMESPACED.policy)
    world.client.put(body | {"metadata": body["metadata"] | {"name": "llama-1"}})


def _available(world: World) -> None:
    world.client.put(binding("us", BindingState.BOUND, available=True))


@pytest.mark.parametrize("happens", [_edited, _new_resources, _new_policy, _available])
async def test_a_placement_is_looked_at_when_something_of_its_own_changes(
    happens: Callable[[World], None],
) -> None:
    async with World(placement(), config_map("a"), member("us"), binding("us")) as world:
        await world.place()
        queue = watching(world)
        happens(world)
        assert await queue.get() == world.key
        assert len(queue) == 0


async def test_while_update_runs_roll_out_no_binding_wakes_the_rollout() -> None:
    external = placement(strategy={"type": "External"})
    async with World(external, config_map("a"), member("us"), binding("us")) as world:
        await world.place()
        queue = watching(world)
        for happens in (_available, _new_resources, _new_policy):
            happens(world)
        assert len(queue) == 0
        world.client.put(placement())
        assert await queue.get() == world.key


@pytest.mark.parametrize(
    ("cluster", "wakes"), [("us", True), ("eu", False)], ids=["its own", "another"]
)
async def test_a_member_that_is_gone_wakes_the_placements_that_had_it(
    cluster: str, *, wakes: bool
) -> None:
    fleet = [member("us"), member("eu")]
    async with World(placement(), config_map("a"), *fleet, binding("us")) as world:
        await world.look()
        queue = watching(world)
        await world.client.delete(member(cluster))
        assert len(queue) == wakes


async def test_a_binding_whose_member_is_gone_goes() -> None:
    left = binding("us", BindingState.UNSCHEDULED, snapshot="llama-0-snapshot", available=True)
    async with World(placement(), config_map("a"), left) as world:
        await world.place()
        await world.roll()
        assert world.all(NAMESPACED.binding) == []


def watching(world: World) -> WorkQueue:
    queue = WorkQueue(lambda: 0.0)
    world.rollout.wake(queue)
    world.client.feed(*world.caches, world.clusters)
    return queue
