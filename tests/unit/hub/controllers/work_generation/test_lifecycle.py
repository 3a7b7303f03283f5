"""When Works are made, when they go, and what a crash in between leaves."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.api import names
from fleet.api.binding import Binding, BindingState
from fleet.api.scope import NAMESPACED
from fleet.api.work import Work
from fleet.kube.errors import TransientError
from fleet.testing.workloads import workspace
from tests.unit.hub.controllers.work_generation.scene import (
    FINALIZER,
    allocated,
    answer,
    bound,
    hold,
    let_go,
    manifests,
    said,
)
from tests.unit.hub.world import (
    NAMESPACE,
    World,
    binding,
    config_map,
    member,
    placement,
)

BOUND, LEFT = BindingState.BOUND, BindingState.UNSCHEDULED
PHI = {"group": "kaito.sh", "version": "v1beta1", "kind": "Workspace", "name": "phi"}
QWEN = {"group": "kaito.sh", "version": "v1beta1", "kind": "InferenceSet", "name": "qwen"}
SPACE = {"group": "", "version": "v1", "kind": "Namespace", "name": NAMESPACE}


@pytest.mark.parametrize(
    ("start", "fleet"),
    [
        (binding("us", LEFT, snapshot="llama-0-snapshot"), [member("us")]),
        (binding("us", snapshot="llama-0-snapshot"), [member("us")]),
        (binding("us", BOUND, snapshot="llama-9-snapshot"), [member("us")]),
        (binding("us", BOUND, snapshot="llama-0-snapshot"), []),
    ],
    ids=["left", "not bound yet", "no such snapshot", "no such member"],
)
async def test_a_binding_that_is_not_to_have_works_gets_none(
    start: Binding, fleet: list[Any]
) -> None:
    async with World(placement(), config_map("a"), *fleet, start) as world:
        await world.place()
        await world.generate()
        assert world.all(Work) == []
        assert bound(world).status.conditions == ()
        assert FINALIZER not in bound(world).metadata.finalizers


def _going() -> Mapping[str, Any]:
    going = member("us").manifest()
    going["metadata"] |= {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["x"]}
    return going


async def test_a_leaving_member_keeps_its_works_and_gets_no_others() -> None:
    async with World(placement(), config_map("a"), member("us"), binding("us")) as world:
        await world.turn()
        world.client.put(_going())
        world.client.put(config_map("b"))
        await world.turn()
        assert manifests(world) == {"demo.llama-work": ["a"]}


async def test_the_works_of_a_leaving_member_go_with_its_namespace_and_not_before() -> None:
    """An agent removes what a deleted Work holds, unless it has seen that its member leaves."""
    async with World(placement(), config_map("a"), member("us"), binding("us")) as world:
        await world.turn()
        world.client.put(_going())
        await world.client.delete(bound(world))
        await world.generate()
        assert [work.deleting for work in world.all(Work)] == [False]
        for work in world.all(Work):
            await world.client.delete(work)
        await world.generate()
        assert world.all(world.scope.binding) == []


@pytest.mark.parametrize(
    ("decided", "written"), [("llama-0", True), ("llama-7", False)], ids=["these", "others"]
)
async def test_a_workload_waits_for_the_allocation_that_was_decided_for_it(
    decided: str, *, written: bool
) -> None:
    start = binding(
        "us",
        BOUND,
        snapshot="llama-0-snapshot",
        schedulingPolicySnapshotName=decided,
        allocations=[allocated("Workspace", "phi")],
    )
    async with World(placement(NAMESPACED, PHI), workspace(), member("us"), start) as world:
        await world.place()
        await world.generate()
        assert bool(world.all(Work)) is written


async def test_allocations_of_a_policy_that_is_gone_are_not_believed() -> None:
    start = binding(
        "us",
        BOUND,
        snapshot="llama-0-snapshot",
        schedulingPolicySnapshotName="llama-7",
        allocations=[allocated("Workspace", "phi")],
    )
    async with World(placement(), config_map("a"), member("us"), start) as world:
        await world.place()
        await world.generate()
        assert world.all(Work) == []


async def test_a_binding_goes_after_its_works_and_they_after_their_member() -> None:
    async with World(placement(), config_map("a"), member("us"), binding("us")) as world:
        await world.turn()
        hold(world)
        await world.client.delete(bound(world))
        await world.generate()
        assert (world.all(Work)[0].deleting, bound(world).deleting) == (True, True)
        let_go(world)
        await world.generate()
        assert (world.all(Work), world.all(world.scope.binding)) == ([], [])


async def test_the_works_of_a_binding_that_is_gone_go_unless_it_is_there_again_in_a_minute() -> (
    None
):
    async with World(placement(), config_map("a"), member("us"), binding("us")) as world:
        await world.turn()
        gone = next(a for a in world.client.objects if a.kind == "ResourceBinding")
        made, kept = world.all(Work), world.client.server.objects[gone]
        for _ in range(2):
            world.client.server.objects.pop(gone)
            for _ in range(3):
                # Twenty seconds each.
                await world.generate()
                assert world.all(Work) == made
            world.client.server.objects[gone] = kept
            await world.generate()
        world.client.server.objects.pop(gone)
        for _ in range(4):
            await world.generate()
        assert world.all(Work) == []


async def test_the_works_of_a_binding_that_goes_with_its_kind_stay() -> None:
    async with World(placement(), config_map("a"), member("us"), binding("us")) as world:
        await world.turn()
        hold(world)
        made = world.all(Work)
        world.client.removed.add(world.scope.binding.kind())
        await world.client.delete(bound(world))
        await world.generate()
        assert (world.all(Work), world.all(world.scope.binding)) == (made, [])


async def test_the_works_of_another_placement_stay() -> None:
    other = Work.model_validate(
        {
            "metadata": {
                "name": "demo.other-work",
                "namespace": "fleet-member-us",
                "labels": {
                    names.PARENT: "other",
                    names.PARENT_BINDING: "other-us",
                    names.PARENT_NAMESPACE: "elsewhere",
                },
            }
        }
    )
    async with World(placement(), config_map("a"), member("us"), binding("us"), other) as world:
        await world.look()
        await world.generation.reconcile(binding("us").key)
        assert [work.name for work in world.all(Work)] == ["demo.other-work"]


@given(
    maps=st.sets(st.sampled_from("abc"), min_size=1),
    applied=st.sampled_from([None, True, False]),
    available=st.sampled_from([None, True, False]),
    silent=st.booleans(),
    state=st.sampled_from(BindingState),
)
async def test_generating_again_writes_nothing(
    maps: set[str],
    applied: bool | None,
    available: bool | None,
    silent: bool,
    state: BindingState,
) -> None:
    async with World(
        placement(), *map(config_map, sorted(maps)), member("us"), binding("us")
    ) as world:
        await world.turn()
        live = bound(world).manifest()
        world.client.put(live | {"spec": live["spec"] | {"state": state}})
        answer(world, applied=applied, available=available)
        if silent:
            world.silences.names.add("us")
        await world.generate()
        world.client.writes_left = 0
        await world.generate()


LARGE = [config_map(name, data="x" * 410_000) for name in "ab"]


@pytest.mark.parametrize("writes", range(4))
async def test_a_crash_between_any_two_writes_ends_in_the_same_state(writes: int) -> None:
    async with World(placement(), *LARGE, member("us"), binding("us")) as world:
        await world.place()
        await world.roll()
        world.client.writes_left = writes
        with pytest.raises(TransientError):
            await world.generate()
        world.client.writes_left = 99
        await world.generate()
        assert manifests(world) == {"demo.llama-work": ["a"], "demo.llama-0": ["b"]}
        assert said(world, "WorkSynchronized") == ("True", "AllWorkSynced")
        assert FINALIZER in bound(world).metadata.finalizers


@pytest.mark.parametrize("writes", range(3))
async def test_a_crash_while_works_change_ends_in_the_same_state(writes: int) -> None:
    async with World(placement(), *LARGE, member("us"), binding("us")) as world:
        await world.settle()
        await world.client.delete(config_map("a"))
        await world.place()
        await world.roll()
        world.client.writes_left = writes
        with pytest.raises(TransientError):
            await world.generate()
        world.client.writes_left = 99
        await world.generate()
        assert manifests(world) == {"demo.llama-work": ["b"]}
        assert said(world, "WorkSynchronized") == ("True", "AllWorkSynced")


@pytest.mark.parametrize("writes", range(3))
async def test_a_crash_while_a_binding_goes_leaves_no_work(writes: int) -> None:
    async with World(placement(), *LARGE, member("us"), binding("us")) as world:
        await world.settle()
        await world.client.delete(bound(world))
        world.client.writes_left = writes
        with pytest.raises(TransientError):
            await world.generate()
        world.client.writes_left = 99
        await world.generate()
        assert (world.all(Work), world.all(world.scope.binding)) == ([], [])
