"""The rollout against a server that keeps its state."""

import pytest

from fleet.api.binding import BindingState
from fleet.kube.client import swap
from fleet.kube.errors import ConflictError, TransientError
from hub.scope import NAMESPACED
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
