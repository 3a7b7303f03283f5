"""The whole reconcile of a placement, against a server that keeps its state."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.api import names
from fleet.api.binding import BindingState
from fleet.api.objects import Resource
from fleet.api.scope import CLUSTER, NAMESPACED, Scope
from fleet.kube.errors import TransientError
from fleet.kube.lacks import Lack
from fleet.kube.queue import WorkQueue
from fleet.testing.workloads import workspace
from hub.pace import LONGEST_LOOK_SECONDS
from tests.unit.hub.world import CONFIG_MAPS, PLACEMENT, World, binding, config_map, placement

PHI = {"group": "kaito.sh", "version": "v1beta1", "kind": "Workspace", "name": "phi"}


def contents(world: World) -> dict[str, list[str]]:
    """Name the objects in each resource snapshot."""
    return {
        snapshot.name: [
            manifest["metadata"]["name"] for manifest in snapshot.spec.selected_resources
        ]
        for snapshot in world.all(world.scope.resources)
    }


def latest(world: World, model: type[Resource]) -> list[str]:
    found = world.all(model)
    return [one.name for one in found if one.metadata.labels.get(names.LATEST) == "true"]


async def test_a_placement_gets_its_snapshots_and_is_held() -> None:
    async with World(
        placement(policy={"placementType": "PickAll"}), config_map("a", k="v")
    ) as world:
        await world.place()
        assert contents(world) == {"llama-0-snapshot": ["a"]}
        (policy,) = world.all(NAMESPACED.policy)
        assert policy.metadata.annotations == {names.CRP_GENERATION: "1"}
        assert policy.metadata.labels == {
            names.PARENT: PLACEMENT,
            names.POLICY_INDEX: "0",
            names.LATEST: "true",
        }
        assert world.current.metadata.finalizers == (names.RP_CLEANUP,)
        assert [r.name for r in world.current.status.selected_resources] == ["a"]
        assert world.condition("Scheduled") == ("Unknown", "SchedulePending")


async def test_what_the_server_adds_to_an_object_is_not_placed() -> None:
    async with World(placement(), config_map("a", k="v")) as world:
        await world.place()
        (snapshot,) = world.all(NAMESPACED.resources)
        assert snapshot.spec.selected_resources == (
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "a", "namespace": "demo", "labels": {"app": PLACEMENT}},
                "data": {"k": "v"},
            },
        )


async def test_a_changed_object_gets_the_next_index() -> None:
    async with World(placement(), config_map("a", k="v")) as world:
        await world.place()
        world.client.put(config_map("a", k="w"))
        await world.place()
        assert sorted(contents(world)) == ["llama-0-snapshot", "llama-1-snapshot"]
        assert latest(world, NAMESPACED.resources) == ["llama-1-snapshot"]
        assert world.current.status.observed_resource_index == "1"
        assert latest(world, NAMESPACED.policy) == ["llama-0"]


async def test_an_object_out_of_the_selection_leaves_the_snapshot() -> None:
    async with World(placement(), config_map("a"), config_map("b")) as world:
        await world.place()
        await world.client.delete(world.all(type(config_map("a")))[0])
        await world.place()
        assert contents(world)["llama-1-snapshot"] == ["b"]


@given(
    objects=st.dictionaries(st.sampled_from("abcd"), st.text("xyz", max_size=2)),
    number=st.none() | st.integers(0, 3),
    scope=st.sampled_from([CLUSTER, NAMESPACED]),
)
async def test_reconciling_again_writes_nothing(
    objects: dict[str, str], number: int | None, scope: Scope
) -> None:
    policy: dict[str, Any] = {"placementType": "PickAll"}
    if number is not None:
        policy = {"placementType": "PickN", "numberOfClusters": number}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "demo"}}
    selectors = [] if scope.namespaced else [_namespaces("NamespaceOnly")]
    maps = [config_map(name, k=value) for name, value in objects.items()]
    async with World(
        placement(scope, *selectors, policy=policy), namespace, *maps, scope=scope
    ) as w:
        await w.place()
        w.client.writes_left = 0
        await w.place()


def _namespaces(scope: str) -> dict[str, Any]:
    kind = {"group": "", "version": "v1", "kind": "Namespace", "name": "demo"}
    return kind | {"selectionScope": scope}


@pytest.mark.parametrize("writes", range(4))
async def test_a_crash_between_any_two_writes_ends_in_the_same_state(writes: int) -> None:
    async with World(placement(), config_map("a")) as world:
        world.client.writes_left = writes
        with pytest.raises(TransientError):
            await world.place()
        world.client.writes_left = 99
        await world.place()
        assert contents(world) == {"llama-0-snapshot": ["a"]}
        assert latest(world, NAMESPACED.policy) == ["llama-0"]
        assert world.current.metadata.finalizers == (names.RP_CLEANUP,)


@pytest.mark.parametrize("writes", range(3))
async def test_a_crash_while_an_object_changes_ends_in_the_same_state(writes: int) -> None:
    async with World(placement(), config_map("a", k="v")) as world:
        await world.place()
        world.client.put(config_map("a", k="w"))
        world.client.writes_left = writes
        with pytest.raises(TransientError):
            await world.place()
        world.client.writes_left = 99
        await world.place()
        assert latest(world, NAMESPACED.resources) == ["llama-1-snapshot"]
        assert len(contents(world)) == 2


async def test_history_is_kept_as_far_as_the_placement_says_and_bindings_need() -> None:
    old = binding("us", snapshot="llama-0-snapshot")
    async with World(placement(revisionHistoryLimit=2), config_map("a"), old) as world:
        for value in "vwxyz":
            world.client.put(config_map("a", k=value))
            await world.place()
        assert sorted(contents(world)) == [f"llama-{index}-snapshot" for index in (0, 3, 4)]


async def test_another_number_of_clusters_is_told_beside_the_policy() -> None:
    policy = {"placementType": "PickN", "numberOfClusters": 1}
    async with World(placement(policy=policy), config_map("a")) as world:
        await world.place()
        world.client.put(placement(policy=policy | {"numberOfClusters": 3}))
        await world.place()
        (snapshot,) = world.all(NAMESPACED.policy)
        assert snapshot.limit == 3
        assert snapshot.metadata.annotations[names.CRP_GENERATION] == "2"
        assert snapshot.spec.policy.number_of_clusters is None


async def test_another_policy_gets_the_next_index() -> None:
    async with World(placement(policy={"placementType": "PickAll"}), config_map("a")) as world:
        await world.place()
        fixed = {"placementType": "PickFixed", "clusterNames": ["us"]}
        world.client.put(placement(policy=fixed))
        await world.place()
        assert latest(world, NAMESPACED.policy) == ["llama-1"]


async def test_a_workload_s_demand_is_in_the_policy_and_its_generation_beside_the_resources() -> (
    None
):
    async with World(placement(NAMESPACED, PHI), workspace()) as world:
        await world.place()
        (policy,) = world.all(NAMESPACED.policy)
        (demand,) = policy.spec.demands
        assert (demand.kind, demand.namespace, demand.name) == ("Workspace", "demo", "phi")
        assert demand.model == "phi-4-mini-instruct"
        (resources,) = world.all(NAMESPACED.resources)
        annotations = resources.metadata.annotations
        assert annotations[names.HUB_GENERATIONS] == '{"Workspace/demo/phi": 1}'
        assert annotations[names.DEMANDS]


async def test_a_status_of_a_workload_makes_no_snapshot() -> None:
    async with World(placement(NAMESPACED, PHI), workspace()) as world:
        await world.place()
        (live,) = world.all(type(workspace()))
        world.client.put(live.manifest() | {"status": {"state": "Ready"}})
        await world.place()
        assert len(contents(world)) == 1


async def test_a_model_is_placed_only_where_what_it_needs_can_be_written_down() -> None:
    lack = Lack("resourcebindings.placement.kubernetes-fleet.io", "spec.allocations")
    async with World(placement(NAMESPACED, PHI), workspace()) as world:
        world.lacks.append(lack)
        await world.place()
        assert not contents(world)
        assert world.condition("Scheduled") == ("False", "CustomResourceDefinitionOutdated")
        told = world.current.status.conditions[0].message
        assert told.startswith(f"{lack.crd} has no field spec.allocations; install the CRDs")
        world.lacks.clear()
        await world.place()
        assert len(contents(world)) == 1


async def test_what_demands_nothing_is_placed_by_older_crds_too() -> None:
    async with World(placement(), config_map("a")) as world:
        world.lacks.append(
            Lack("resourcebindings.placement.kubernetes-fleet.io", "spec.allocations")
        )
        await world.place()
        assert len(contents(world)) == 1


async def test_what_goes_with_its_kind_stays_selected_until_it_had_time_to_come_back() -> None:
    async with World(placement(NAMESPACED, PHI), workspace()) as world:
        await world.place()
        (live,) = world.all(type(workspace()))
        world.client.removed.add("Workspace")
        await world.client.delete(live)
        await _waits(world)
        world.client.not_served.add("Workspace")
        world.seconds += 1000
        await world.placement.reconcile(world.key)
        assert world.condition("Scheduled") == ("False", "InvalidResourceSelectors")
        world.client.not_served.clear()
        world.client.removed.clear()
        world.seconds += 50
        await _waits(world)
        world.client.put(workspace())
        await world.place()
        assert [each.name for each in world.all(world.scope.resources)] == ["llama-0-snapshot"]
        (live,) = world.all(type(workspace()))
        await world.client.delete(live)
        world.seconds += 60
        await world.place()
        assert len(world.all(world.scope.resources)) == 2


async def _waits(world: World) -> None:
    await world.look()
    with pytest.raises(TransientError, match="Workspace demo/phi is there no more"):
        await world.placement.reconcile(world.key)


async def test_an_unknown_preset_is_said_and_what_runs_stays() -> None:
    async with World(placement(NAMESPACED, PHI), workspace()) as world:
        await world.place()
        world.client.put(workspace(preset="gpt-9"))
        await world.place()
        assert len(contents(world)) == 1
        assert world.condition("Scheduled") == ("False", "UnplaceableWorkload")


@pytest.mark.parametrize(
    ("scope", "selector", "words"),
    [
        (
            NAMESPACED,
            {"group": "", "version": "v1", "kind": "Namespace"},
            "namespaced objects only",
        ),
        (CLUSTER, CONFIG_MAPS, "select the Namespace"),
        (CLUSTER, {"group": "x.io", "version": "v1", "kind": "Unheard"}, "serves no such kind"),
    ],
)
async def test_a_wrong_selector_is_said(scope: Scope, selector: dict[str, Any], words: str) -> None:
    async with World(placement(scope, selector), scope=scope) as world:
        world.client.not_served.add("Unheard")
        await world.place()
        assert world.condition("Scheduled") == ("False", "InvalidResourceSelectors")
        assert words in world.current.status.conditions[0].message
        assert world.all(scope.policy) == []


async def test_a_selection_of_nothing_is_said() -> None:
    async with World(placement()) as world:
        await world.place()
        assert world.condition("ResourcesSelected") == ("False", "NothingSelected")
        world.client.put(config_map("a"))
        await world.place()
        assert world.condition("ResourcesSelected") == ("", "")


async def test_what_is_named_need_not_have_been_seen_yet() -> None:
    async with World(placement(NAMESPACED, CONFIG_MAPS | {"name": "a"})) as world:
        await world.place()
        assert contents(world) == {"llama-0-snapshot": []}
        world.client.put(config_map("a"))
        await world.place()
        assert contents(world)["llama-1-snapshot"] == ["a"]


async def test_much_is_split_and_a_lost_part_is_written_again() -> None:
    large = [config_map(name, data="x" * 500_000) for name in "abc"]
    async with World(placement(), *large) as world:
        await world.place()
        there = contents(world)
        assert there == {"llama-0-snapshot": ["a"], "llama-0-0": ["b"], "llama-0-1": ["c"]}
        lost = next(s for s in world.all(NAMESPACED.resources) if s.name == "llama-0-0")
        await world.client.delete(lost)
        await world.place()
        assert contents(world) == there


async def test_a_deleted_placement_waits_for_its_bindings_and_leaves_nothing() -> None:
    async with World(placement(), config_map("a"), binding("us")) as world:
        await world.place()
        await world.client.delete(world.current)
        await world.place()
        assert len(world.all(NAMESPACED.resources)) == 1
        await world.client.delete(world.all(NAMESPACED.binding)[0])
        await world.place()
        left = [
            world.all(m) for m in (NAMESPACED.placement, NAMESPACED.policy, NAMESPACED.resources)
        ]
        assert left == [[], [], []]


async def test_a_large_placement_is_not_looked_at_for_each_of_its_clusters() -> None:
    external = placement(strategy={"type": "External"})
    many = [binding(f"c{number:03}", BindingState.BOUND) for number in range(99)]
    async with World(external, config_map("a"), *many) as world:
        await world.place()
        queue = WorkQueue(lambda: 0.0)
        world.placement.wake(queue)
        world.client.feed(*world.caches)
        world.client.put(binding("c000", BindingState.BOUND, available=True))
        assert await queue.get() == world.key
        queue.done(world.key)
        world.client.put(binding("c001", BindingState.BOUND, available=True))
        await world.placement.reconcile(world.key)
        for cluster in ("c002", "c003"):
            world.client.put(binding(cluster, BindingState.BOUND, available=True))
        assert len(queue) == 0
        world.seconds += LONGEST_LOOK_SECONDS
        world.client.put(binding("c004", BindingState.BOUND, available=True))
        assert await queue.get() == world.key


async def test_snapshots_of_a_placement_that_is_gone_go() -> None:
    async with World(placement(), config_map("a")) as world:
        await world.look()
        await world.placement.reconcile(world.key)
        world.client.server.objects.pop(
            next(a for a in world.client.objects if "Placement" in a.kind)
        )
        await world.place()
        assert (world.all(NAMESPACED.policy), world.all(NAMESPACED.resources)) == ([], [])
