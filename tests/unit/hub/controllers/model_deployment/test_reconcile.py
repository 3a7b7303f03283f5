"""A ModelDeployment of either group, on a server that keeps its state."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.api import names
from fleet.api.binding import BindingState, ResourceBinding
from fleet.api.deployment import AIToolchainModelDeployment, ModelDeployment
from fleet.api.keys import Key
from fleet.api.placement import ResourcePlacement
from fleet.api.scope import NAMESPACED
from fleet.api.workspace import InferenceSet
from fleet.kube.cache import Cache
from fleet.kube.errors import ConflictError, TransientError
from fleet.kube.queue import WorkQueue
from fleet.testing.client import FakeClient
from fleet.testing.heard import Heard
from fleet.testing.workloads import NOON, condition, inference_set
from hub.controllers.model_deployment.handlers import ModelDeployments
from hub.controllers.model_deployment.observe import Reads
from hub.scope_caches import caches

QWEN = Key("demo", "qwen")
OURS, TOOLCHAIN = ModelDeployment, AIToolchainModelDeployment
GROUPS = (OURS, TOOLCHAIN)


def deployment(kind: type[ModelDeployment] = OURS, hours: int = 0, **spec: Any) -> ModelDeployment:
    metadata = {
        "name": QWEN.name,
        "namespace": QWEN.namespace,
        "uid": f"uid-{kind.group()}",
        "creationTimestamp": NOON + timedelta(hours=hours),
    }
    return kind.model_validate({"metadata": metadata, "spec": {"model": "qwen2-7b", **spec}})


class Studio:
    """Both groups' reconcilers over one server."""

    def __init__(self, *resources: Any) -> None:
        self.client, self.heard = FakeClient(), Heard()
        for resource in resources:
            self.client.put(resource)
        both = Cache[ModelDeployment](OURS), Cache[ModelDeployment](TOOLCHAIN)
        sets, scope = Cache(InferenceSet), caches(NAMESPACED)
        self.each = [
            ModelDeployments(
                client=self.client.as_manager("model-deployment"),
                look=Reads(mine, other, sets, scope),
                clock=lambda: NOON,
                tell=self.heard.tell,
            )
            for mine, other in (both, both[::-1])
        ]

    async def reconcile(self, times: int = 1) -> None:
        for _ in range(times):
            for controller in self.each:
                for cache in controller.reads:
                    await self.client.relist(cache)
                await controller.reconcile(QWEN)

    def ready(self, kind: type[ModelDeployment] = OURS) -> tuple[str, str, str]:
        (found,) = self.client.all(kind)
        (told,) = found.status.conditions
        return told.status, told.reason, told.message

    def made(self) -> list[Any]:
        return [*self.client.all(InferenceSet), *self.client.all(ResourcePlacement)]


def binding(cluster: str, state: BindingState = BindingState.BOUND, dollars: str = "3.67") -> Any:
    allocation = {
        "kind": "InferenceSet",
        "namespace": QWEN.namespace,
        "name": QWEN.name,
        "instanceType": "Standard_NC24ads_A100_v4",
        "gpusPerReplica": 1,
        "usdPerHour": dollars,
    }
    return ResourceBinding.model_validate(
        {
            "metadata": {
                "name": f"qwen-{cluster}",
                "namespace": QWEN.namespace,
                "labels": {names.PARENT: QWEN.name},
            },
            "spec": {
                "state": state,
                "targetCluster": cluster,
                "resourceSnapshotName": "qwen-0-snapshot",
                "clusterDecision": {"clusterName": cluster, "selected": True, "reason": "best"},
                "allocations": [allocation],
            },
        }
    )


@pytest.mark.parametrize("kind", GROUPS)
async def test_a_deployment_owns_its_inference_set_and_its_placement(
    kind: type[ModelDeployment],
) -> None:
    studio = Studio(deployment(kind, replicas=3))
    await studio.reconcile()
    sets, placement = studio.made()
    for made in (sets, placement):
        (owner,) = made.metadata.owner_references
        assert (made.name, made.namespace) == (QWEN.name, QWEN.namespace)
        assert (owner.api_version, owner.kind) == (kind.API, "ModelDeployment")
        assert (owner.uid, owner.controller) == (f"uid-{kind.group()}", True)
        assert made.metadata.labels == {names.OWNED_BY_DEPLOYMENT: QWEN.name}
    assert sets.spec.replicas == 3
    assert sets.spec.template.inference.preset.name == "qwen2-7b"
    assert placement.policy.number_of_clusters == 1


async def test_the_status_says_where_how_many_and_at_what_price() -> None:
    studio = Studio(
        deployment(replicas=2, endpoint={"name": "chat"}),
        binding("us"),
        binding("eu", dollars="1.50"),
        binding("old", BindingState.UNSCHEDULED),
    )
    await studio.reconcile()
    (sets,) = studio.client.bodies(InferenceSet)
    studio.client.put(sets | {"status": {"readyReplicas": 1, "replicas": 2}})
    await studio.reconcile()
    (body,) = studio.client.bodies(ModelDeployment)
    status = body["status"]
    del status["conditions"]
    assert status == {
        "replicas": 2,
        "readyReplicas": 1,
        "clusters": ["eu", "us"],
        "usdPerHour": "5.17",
        "endpoint": "chat",
        "workload": {
            "group": "kaito.sh",
            "version": "v1beta1",
            "kind": "InferenceSet",
            "name": QWEN.name,
            "namespace": QWEN.namespace,
        },
    }
    assert studio.ready() == ("False", "SomeReplicasReady", "1 of 2 replicas are ready")


async def test_before_anything_is_known_nothing_is_ready_and_nothing_costs() -> None:
    studio = Studio(deployment())
    await studio.reconcile()
    (found,) = studio.client.all(ModelDeployment)
    assert studio.ready() == ("False", "ReplicasNotReady", "0 of 1 replicas are ready")
    assert (found.status.clusters, found.status.usd_per_hour) == ((), None)
    assert found.status.endpoint == "qwen2-7b"


@pytest.mark.parametrize(
    ("hours", "owner", "loser"),
    [(1, OURS, TOOLCHAIN), (-1, TOOLCHAIN, OURS), (0, TOOLCHAIN, OURS)],
    ids=["ours is older", "the other is older", "of equals the first group"],
)
async def test_of_two_groups_the_elder_has_the_name(
    hours: int, owner: type[ModelDeployment], loser: type[ModelDeployment]
) -> None:
    studio = Studio(deployment(), deployment(TOOLCHAIN, hours=hours))
    await studio.reconcile(3)
    owners = {one.metadata.owner_references[0].api_version for one in studio.made()}
    assert owners == {owner.API}
    state, reason, message = studio.ready(loser)
    assert (state, reason) == ("False", "NameConflict")
    assert message == f"{owner.API} ModelDeployment qwen has this name; choose another"
    assert studio.ready(owner)[1] == "ReplicasNotReady"


async def test_the_younger_takes_over_when_the_elder_and_what_it_made_are_gone() -> None:
    studio = Studio(deployment(hours=-1), deployment(TOOLCHAIN))
    await studio.reconcile(2)
    await studio.client.delete(deployment(hours=-1))
    await studio.reconcile()
    assert studio.ready(TOOLCHAIN)[1] == "NameConflict"
    for made in studio.made():
        await studio.client.delete(made)
    await studio.reconcile(2)
    assert studio.ready(TOOLCHAIN)[1] == "ReplicasNotReady"
    assert {one.metadata.owner_references[0].api_version for one in studio.made()} == {
        TOOLCHAIN.API
    }


async def test_a_user_s_own_object_under_the_name_is_untouched() -> None:
    own = inference_set(QWEN.name)
    studio = Studio(own, deployment())
    await studio.reconcile(2)
    assert [one.spec for one in studio.client.all(InferenceSet)] == [own.spec]
    assert studio.client.all(ResourcePlacement) == []
    assert studio.ready()[:2] == ("False", "NameConflict")
    assert studio.client.all(ModelDeployment)[0].status.ready_replicas == 0


async def test_an_edit_reaches_what_was_made_and_what_others_say_of_it_stays() -> None:
    studio = Studio(deployment(clusters={"regions": ["centralus"]}))
    await studio.reconcile()
    (placement,) = studio.client.bodies(ResourcePlacement)
    metadata = placement["metadata"] | {"finalizers": ["kubernetes-fleet.io/rp-cleanup"]}
    studio.client.put(placement | {"metadata": metadata})
    studio.client.put(deployment(replicas=4, clusters={"min": 2}))
    await studio.reconcile()
    sets, live = studio.made()
    assert sets.spec.replicas == 4
    assert (live.policy.number_of_clusters, live.policy.affinity) == (2, None)
    assert live.metadata.finalizers == ("kubernetes-fleet.io/rp-cleanup",)


async def test_what_somebody_changed_is_put_right() -> None:
    studio = Studio(deployment())
    await studio.reconcile()
    (body,) = studio.client.bodies(InferenceSet)
    metadata = body["metadata"] | {"labels": {names.OWNED_BY_DEPLOYMENT: "somebody"}}
    studio.client.put(body | {"metadata": metadata, "spec": body["spec"] | {"replicas": 9}})
    await studio.reconcile()
    (sets,) = studio.client.all(InferenceSet)
    assert sets.spec.replicas == 1
    assert sets.metadata.labels == {names.OWNED_BY_DEPLOYMENT: QWEN.name}


async def test_what_somebody_deleted_is_made_again() -> None:
    studio = Studio(deployment())
    await studio.reconcile()
    for made in studio.made():
        await studio.client.delete(made)
    await studio.reconcile()
    assert len(studio.made()) == 2


async def test_an_object_that_a_user_made_meanwhile_is_not_overwritten() -> None:
    studio = Studio(deployment())
    mine = studio.each[0]
    for cache in mine.reads:
        await studio.client.relist(cache)
    own = inference_set(QWEN.name)
    studio.client.put(own)
    with pytest.raises(ConflictError):
        await mine.reconcile(QWEN)
    assert [one.spec for one in studio.client.all(InferenceSet)] == [own.spec]


async def test_a_deployment_on_its_way_out_makes_nothing() -> None:
    going = deployment().manifest()
    going["metadata"] |= {"finalizers": ["x"], "deletionTimestamp": NOON.isoformat()}
    studio = Studio(going)
    await studio.reconcile()
    assert studio.made() == []


async def test_what_is_still_being_deleted_is_waited_for() -> None:
    studio = Studio(deployment())
    await studio.reconcile()
    (placement,) = studio.client.bodies(ResourcePlacement)
    studio.client.put(placement | {"metadata": placement["metadata"] | {"finalizers": ["x"]}})
    await studio.client.delete(studio.client.all(ResourcePlacement)[0])
    studio.client.put(deployment(clusters={"min": 2}, replicas=2))
    await studio.reconcile()
    (live,) = studio.client.all(ResourcePlacement)
    assert live.policy.number_of_clusters == 1


async def test_why_there_is_no_place_is_said() -> None:
    studio = Studio(deployment())
    await studio.reconcile()
    (placement,) = studio.client.bodies(ResourcePlacement)
    told = condition("ResourcePlacementScheduled", "False", message="needs 8 GPUs")
    told["lastTransitionTime"] = NOON.isoformat()
    studio.client.put(placement | {"status": {"conditions": [told]}})
    await studio.reconcile()
    assert studio.ready() == ("False", "NotScheduled", "needs 8 GPUs")


@given(
    kinds=st.sets(st.sampled_from(GROUPS)),
    replicas=st.integers(2, 4),
    more=st.fixed_dictionaries(
        {},
        optional={
            "resources": st.sampled_from([{"gpu": 2}, {"gpuTypes": ["A100"]}]),
            "clusters": st.sampled_from([{"min": 2}, {"max": 3}, {"regions": ["centralus"]}]),
            "endpoint": st.sampled_from([{"name": "chat"}, {"aliases": ["a", "b"]}]),
            "config": st.just("tuned"),
            "usdPerHour": st.just("3.50"),
        },
    ),
)
async def test_reconciling_again_writes_nothing(
    kinds: set[type[ModelDeployment]], replicas: int, more: dict[str, Any]
) -> None:
    studio = Studio(*(deployment(kind, replicas=replicas, **more) for kind in kinds))
    await studio.reconcile(2)
    studio.client.writes_left = 0
    await studio.reconcile()


@pytest.mark.parametrize("writes", range(3))
async def test_a_crash_between_any_two_writes_ends_in_the_same_state(writes: int) -> None:
    calm, shaken = Studio(deployment()), Studio(deployment())
    await calm.reconcile(2)
    shaken.client.writes_left = writes
    with pytest.raises(TransientError):
        await shaken.reconcile()
    shaken.client.writes_left = 99
    await shaken.reconcile(2)
    specs = [[one.spec for one in studio.made()] for studio in (calm, shaken)]
    assert specs[0] == specs[1]
    assert shaken.ready() == calm.ready()


@pytest.mark.parametrize(
    "change",
    [
        deployment(replicas=9),
        deployment(TOOLCHAIN),
        inference_set(QWEN.name),
        binding("us"),
    ],
    ids=["itself", "its namesake", "its InferenceSet", "a binding"],
)
async def test_a_deployment_is_looked_at_when_something_of_its_own_changes(change: Any) -> None:
    studio = Studio(deployment())
    mine = studio.each[0]
    for cache in mine.reads:
        await studio.client.relist(cache)
    queue = WorkQueue(lambda: 0.0)
    mine.wake(queue)
    studio.client.feed(*mine.reads)
    studio.client.put(change)
    assert await queue.get() == QWEN
    assert len(queue) == 0
    assert mine.name == "model-deployment-modelfleet.dev"


async def test_users_hear_of_replicas_that_answer_and_that_do_not_any_more() -> None:
    studio = Studio(deployment(replicas=2))
    await studio.reconcile(2)
    assert studio.heard.take() == []
    for ready, told in ((2, "AllReplicasReady"), (1, "SomeReplicasReady!"), (1, "")):
        (sets,) = studio.client.bodies(InferenceSet)
        studio.client.put(sets | {"status": {"readyReplicas": ready, "replicas": 2}})
        await studio.reconcile(2)
        assert studio.heard.take() == ([told] if told else [])
    studio.client.put(deployment(TOOLCHAIN, hours=1))
    await studio.reconcile(2)
    assert studio.heard.take() == ["NameConflict!"]
