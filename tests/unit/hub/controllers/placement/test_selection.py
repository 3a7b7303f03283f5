"""What a placement selects: by name, by labels, a whole namespace, and what never comes along."""

from collections.abc import Mapping
from typing import Any

import pytest

from fleet.api.objects import Key
from fleet.api.scope import CLUSTER, NAMESPACED
from fleet.kube.queue import WorkQueue
from fleet.testing.workloads import workspace
from tests.unit.hub.world import (
    CONFIG_MAPS,
    NAMESPACE,
    PLACEMENT,
    World,
    config_map,
    placement,
)

SPACES = {"group": "", "version": "v1", "kind": "Namespace"}
DEMO = SPACES | {"name": NAMESPACE}


def thing(
    kind: str, name: str, api: str = "v1", namespace: str = NAMESPACE, **metadata: Any
) -> dict[str, Any]:
    place = {"namespace": namespace} if namespace else {}
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, **place, **metadata}}


def space(name: str = NAMESPACE, **labels: str) -> dict[str, Any]:
    return thing("Namespace", name, namespace="", labels=labels)


def owned(kind: str, *, controller: bool) -> dict[str, Any]:
    reference = {"apiVersion": "x/v1", "kind": kind, "name": "o", "uid": "u"}
    return {"ownerReferences": [reference | {"controller": controller}]}


def selected(world: World) -> list[str]:
    """Name what the newest snapshot holds."""
    found = world.all(world.scope.resources)
    newest = max(found, key=lambda one: int(one.name.split("-")[1]))
    manifests = newest.spec.selected_resources
    return [f"{m['kind']}/{m['metadata']['name']}" for m in manifests]


async def picked(*resources: Any, selectors: list[dict[str, Any]]) -> list[str]:
    start = placement(CLUSTER, *selectors)
    async with World(start, *resources, scope=CLUSTER) as world:
        await world.place()
        return selected(world)


@pytest.mark.parametrize(
    "left",
    [
        thing("ConfigMap", "kube-root-ca.crt"),
        thing("ServiceAccount", "default"),
        thing("Secret", "t", annotations={"kubernetes.io/service-account.name": "default"}),
        thing("Event", "e"),
        thing("Event", "e", "events.k8s.io/v1"),
        thing("Endpoints", "s"),
        thing("EndpointSlice", "s", "discovery.k8s.io/v1"),
        thing("Lease", "l", "coordination.k8s.io/v1"),
        thing("ControllerRevision", "r", "apps/v1"),
        thing("ModelDeployment", "qwen", "modelfleet.dev/v1alpha1"),
        thing("ModelService", "qwen", "modelfleet.dev/v1alpha1"),
        thing("ModelEndpoint", "qwen-us", "modelfleet.dev/v1alpha1"),
        thing("ModelDeployment", "qwen", "aitoolchain.io/v1"),
        thing("ResourcePlacement", "x", "placement.kubernetes-fleet.io/v1beta1"),
        thing("InternalMemberCluster", "x", "cluster.kubernetes-fleet.io/v1beta1"),
        thing("Pod", "p", **owned("ReplicaSet", controller=True)),
        thing("InferenceSet", "i", "kaito.sh/v1beta1", **owned("ModelDeployment", controller=True)),
        thing("Secret", "m", **owned("ModelDeployment", controller=False)),
    ],
    ids=lambda body: f"{body['apiVersion']} {body['kind']} {body['metadata']['name']}",
)
async def test_a_namespace_leaves_on_the_hub_what_is_the_hub_s(left: Any) -> None:
    assert await picked(space(), config_map("a"), left, selectors=[DEMO]) == [
        "Namespace/demo",
        "ConfigMap/a",
    ]


@pytest.mark.parametrize(
    "comes",
    [
        thing("ServiceAccount", "robot"),
        thing("Secret", "s"),
        thing("Workspace", "w", "kaito.sh/v1beta1"),
        thing("Gadget", "g", "example.com/v1"),
        thing("Job", "j", "batch/v1", **owned("Gadget", controller=False)),
    ],
    ids=lambda body: str(body["kind"]),
)
async def test_a_namespace_takes_along_what_users_wrote(comes: Any) -> None:
    comes = comes | {"inference": {"preset": {"name": "phi-4-mini-instruct"}}}
    found = await picked(space(), comes, selectors=[DEMO])
    assert found == ["Namespace/demo", f"{comes['kind']}/{comes['metadata']['name']}"]


@pytest.mark.parametrize(
    ("selectors", "expected"),
    [
        ([DEMO | {"selectionScope": "NamespaceOnly"}], ["Namespace/demo"]),
        ([DEMO], ["Namespace/demo", "ConfigMap/a", "ConfigMap/b"]),
        (
            [
                DEMO | {"selectionScope": "NamespaceWithResourceSelectors"},
                CONFIG_MAPS | {"name": "b"},
            ],
            ["Namespace/demo", "ConfigMap/b"],
        ),
        (
            [SPACES | {"labelSelector": {"matchLabels": {"team": "x"}}}],
            ["Namespace/demo", "Namespace/other", "ConfigMap/a", "ConfigMap/b", "ConfigMap/c"],
        ),
        ([SPACES | {"name": "nowhere"}], []),
    ],
    ids=["alone", "with all", "with what is named", "by labels", "that is not there"],
)
async def test_a_namespace_comes_with_as_much_as_its_scope_says(
    selectors: list[dict[str, Any]], expected: list[str]
) -> None:
    elsewhere = thing("ConfigMap", "c", namespace="other")
    spaces = [space(team="x"), space("other", team="x"), space("third", team="y")]
    maps = [config_map("a"), config_map("b"), elsewhere]
    assert await picked(*spaces, *maps, selectors=selectors) == expected


async def test_the_fleet_s_own_namespaces_never_leave_the_hub() -> None:
    spaces = [space(name) for name in ("kube-system", "fleet-member-us", "mine")]
    assert await picked(*spaces, selectors=[SPACES]) == ["Namespace/mine"]


async def test_an_object_on_its_way_out_is_not_placed() -> None:
    going = {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["x"]}
    dying = config_map("b").manifest()
    dying["metadata"] |= going
    assert await picked(space(), config_map("a"), dying, selectors=[DEMO]) == [
        "Namespace/demo",
        "ConfigMap/a",
    ]
    async with World(placement(), config_map("a"), dying) as world:
        await world.place()
        assert selected(world) == ["ConfigMap/a"]


async def test_what_two_selectors_name_is_placed_once() -> None:
    by_name = CONFIG_MAPS | {"name": "a"}
    async with World(placement(NAMESPACED, by_name, CONFIG_MAPS), config_map("a")) as world:
        await world.place()
        assert selected(world) == ["ConfigMap/a"]


@pytest.mark.parametrize(
    "made_here",
    [
        thing("ConfigMap", "kube-root-ca.crt"),
        thing("Secret", "t", annotations={"kubernetes.io/service-account.name": "default"}),
        thing("ServiceAccount", "default"),
    ],
    ids=lambda body: str(body["kind"]),
)
async def test_all_of_a_kind_leaves_out_what_each_cluster_makes_for_itself(made_here: Any) -> None:
    mine = thing(made_here["kind"], "mine")
    selector = CONFIG_MAPS | {"kind": made_here["kind"]}
    async with World(placement(NAMESPACED, selector), made_here, mine) as world:
        await world.place()
        assert selected(world) == [f"{made_here['kind']}/mine"]


async def test_objects_go_in_the_order_in_which_a_cluster_wants_them() -> None:
    kinds = {
        "Deployment": "apps/v1",
        "Gadget": "example.com/v1",
        "Service": "v1",
        "Secret": "v1",
        "ServiceAccount": "v1",
        "Role": "rbac.authorization.k8s.io/v1",
    }
    things = [thing(kind, "x", api) for kind, api in kinds.items()]
    assert await picked(*things, space(), selectors=[DEMO]) == [
        "Namespace/demo",
        "ServiceAccount/x",
        "Secret/x",
        "Role/x",
        "Service/x",
        "Deployment/x",
        "Gadget/x",
    ]


async def test_a_kind_that_is_served_later_is_found_then() -> None:
    gadgets = {"group": "example.com", "version": "v1", "kind": "Gadget", "name": "g"}
    async with World(placement(NAMESPACED, gadgets), thing("Gadget", "g", "example.com/v1")) as w:
        w.client.not_served.add("Gadget")
        await w.look()
        assert await w.placement.reconcile(w.key) == 15
        assert w.condition("Scheduled") == ("False", "InvalidResourceSelectors")
        w.client.not_served.clear()
        await w.place()
        assert selected(w) == ["Gadget/g"]


async def test_a_kind_that_the_hub_may_not_read_is_said_with_the_way_out() -> None:
    async with World(placement(), config_map("a")) as world:
        world.client.not_permitted.add("ConfigMap")
        await world.look()
        assert await world.placement.reconcile(world.key) == 15
        assert world.condition("Scheduled") == ("False", "ResourcesNotPermitted")
        message = world.current.status.conditions[0].message
        assert 'cannot list resource "configmaps"' in message
        assert "rbac.placeable" in message


async def test_a_selector_that_went_wrong_leaves_what_runs() -> None:
    async with World(placement(), config_map("a")) as world:
        await world.place()
        wrong = {"group": "x.io", "version": "v1", "kind": "Unheard"}
        world.client.not_served.add("Unheard")
        world.client.put(placement(NAMESPACED, wrong))
        await world.place()
        assert world.condition("Scheduled") == ("False", "InvalidResourceSelectors")
        assert selected(world) == ["ConfigMap/a"]
        assert [r.name for r in world.current.status.selected_resources] == ["a"]


async def test_a_workload_that_cannot_be_read_is_said() -> None:
    phi = {"group": "kaito.sh", "version": "v1beta1", "kind": "Workspace", "name": "phi"}
    broken = workspace().manifest() | {"inference": "phi"}
    async with World(placement(NAMESPACED, phi), broken) as world:
        await world.place()
        assert world.condition("Scheduled") == ("False", "UnplaceableWorkload")
        told = world.current.status.conditions[0].message
        assert told.startswith("Workspace phi cannot be read")


async def test_what_no_snapshot_could_hold_is_said_and_what_runs_stays() -> None:
    async with World(placement(), config_map("a")) as world:
        await world.place()
        world.client.put(config_map("b", lines="\n" * 800_000))
        await world.place()
        assert world.condition("Scheduled") == ("False", "ResourceTooLarge")
        told = world.current.status.conditions[0].message
        assert told.startswith("ConfigMap b has 1600")
        assert selected(world) == ["ConfigMap/a"]
        world.client.put(config_map("b"))
        await world.place()
        assert selected(world) == ["ConfigMap/a", "ConfigMap/b"]


async def test_a_tuning_workspace_demands_nothing() -> None:
    phi = {"group": "kaito.sh", "version": "v1beta1", "kind": "Workspace", "name": "phi"}
    tuning = workspace().manifest()
    del tuning["inference"]
    async with World(placement(NAMESPACED, phi), tuning) as world:
        await world.place()
        assert selected(world) == ["Workspace/phi"]
        (policy,) = world.all(NAMESPACED.policy)
        assert policy.spec.demands == ()


async def woken(world: World, change: Mapping[str, Any]) -> set[Key]:
    queue = WorkQueue(lambda: 0.0)
    world.placement.wake(queue)
    world.client.feed(*world.caches)
    world.client.put(change)
    return {await queue.get() for _ in range(len(queue))}


@pytest.mark.parametrize(
    ("change", "wakes"),
    [
        (config_map("new").manifest(), True),
        (thing("ConfigMap", "unlabelled"), False),
        (thing("ConfigMap", "new", namespace="other", labels={"app": PLACEMENT}), False),
        (thing("ConfigMap", "a", labels={"app": "other"}), True),
    ],
    ids=["one more", "not selected", "of another namespace", "selected no more"],
)
async def test_a_placement_is_looked_at_when_its_selection_changes(
    change: Mapping[str, Any], *, wakes: bool
) -> None:
    async with World(placement(), config_map("a")) as world:
        await world.place()
        assert await woken(world, change) == ({world.key} if wakes else set())


@pytest.mark.parametrize(
    ("change", "wakes"),
    [
        (thing("ConfigMap", "new"), True),
        (thing("ConfigMap", "new", namespace="other"), False),
        (space("demo", a="b"), True),
        (space("third"), False),
    ],
    ids=["in it", "elsewhere", "itself", "another"],
)
async def test_a_placement_of_a_namespace_is_looked_at_when_something_in_it_changes(
    change: Mapping[str, Any], *, wakes: bool
) -> None:
    async with World(placement(CLUSTER, DEMO), space(), config_map("a"), scope=CLUSTER) as world:
        await world.place()
        assert await woken(world, change) == ({world.key} if wakes else set())


async def test_a_placement_hears_of_its_own_snapshots_and_bindings() -> None:
    async with World(placement(), config_map("a")) as world:
        await world.place()
        (snapshot,) = world.client.bodies(NAMESPACED.resources)
        labels = snapshot["metadata"]["labels"] | {"x": "y"}
        assert await woken(
            world, snapshot | {"metadata": snapshot["metadata"] | {"labels": labels}}
        )


async def test_a_placement_that_is_gone_is_not_woken_any_more() -> None:
    async with World(placement(), config_map("a")) as world:
        await world.place()
        await world.client.delete(world.current)
        await world.place()
        await world.place()
        assert world.all(NAMESPACED.placement) == []
        assert await woken(world, config_map("new").manifest()) == set()
