"""A ModelDeployment stands for an InferenceSet and a placement, and says how they fare."""

from datetime import timedelta
from typing import Any

import pytest

from fleet.api import names
from fleet.api.deployment import AIToolchainModelDeployment, ModelDeployment
from fleet.api.placement import ResourcePlacement
from fleet.api.workspace import InferenceSet
from fleet.engine.deployment import inference_set, placement
from fleet.testing.client import FakeClient
from fleet.testing.workloads import NOON, condition
from hub.controllers.model_deployment.apply import apply
from hub.controllers.model_deployment.plan import Observed, plan
from hub.controllers.model_deployment.status import report

BODY = {
    "metadata": {
        "name": "qwen",
        "namespace": "demo",
        "uid": "uid-1",
        "generation": 3,
        "creationTimestamp": NOON,
    }
}


def deployment(**spec: Any) -> ModelDeployment:
    return ModelDeployment.model_validate({**BODY, "spec": {"model": "qwen2-7b", **spec}})


def observed(wanted: ModelDeployment, **more: Any) -> Observed:
    nothing: dict[str, Any] = {"namesake": None, "inference_set": None, "placement": None}
    return Observed(deployment=wanted, **{**nothing, **more})


async def carried_out(client: FakeClient, wanted: ModelDeployment) -> Observed:
    """Carry out the plan, and look at what is there then."""
    await apply(plan(observed(wanted)), client)
    (sets,), (places,) = client.all(InferenceSet), client.all(ResourcePlacement)
    return observed(wanted, inference_set=sets, placement=places)


async def test_planning_again_after_applying_does_nothing() -> None:
    seen = await carried_out(FakeClient(), deployment(replicas=3, resources={"gpu": 2}))
    assert plan(seen) == ()


async def test_a_field_that_is_no_longer_wanted_is_taken_away() -> None:
    before = await carried_out(FakeClient(), deployment(clusters={"regions": ["centralus"]}))
    after = Observed(
        deployment=deployment(),
        namesake=None,
        inference_set=before.inference_set,
        placement=before.placement,
    )
    (write,) = plan(after)
    assert isinstance(write.resource, ResourcePlacement)
    assert write.resource.policy.affinity is None


def test_what_the_user_said_reaches_the_demand() -> None:
    spec = {"resources": {"gpu": 2, "gpuTypes": ["A100", "H100"]}, "replicas": 4}
    made = inference_set(deployment(**spec))
    annotations = made.metadata.annotations
    assert annotations[names.GPUS_PER_REPLICA] == "2"
    assert annotations[names.GPU_TYPES] == "A100,H100"
    assert made.spec.replicas == 4


def test_the_placement_takes_along_what_the_pods_need() -> None:
    made = placement(deployment(config="tuned", modelAccessSecret="hf"))
    chosen = [(s.kind, s.name) for s in made.spec.resource_selectors]
    assert chosen == [("InferenceSet", "qwen"), ("ConfigMap", "tuned"), ("Secret", "hf")]


@pytest.mark.parametrize(
    ("hours", "writes"), [(-1, 0), (1, 2)], ids=["an elder namesake", "a younger namesake"]
)
def test_of_two_with_one_name_the_younger_writes_nothing(hours: int, writes: int) -> None:
    meta = {**BODY["metadata"], "creationTimestamp": NOON + timedelta(hours=hours)}
    other = AIToolchainModelDeployment.model_validate({"metadata": meta, "spec": {"model": "x"}})
    assert len(plan(observed(deployment(), namesake=other))) == writes


def test_somebody_elses_object_under_the_name_is_left_alone() -> None:
    seen = observed(deployment(), inference_set=inference_set(deployment()))
    assert plan(seen) == ()
    status = report(deployment(), seen, now=NOON)
    assert status
    assert status.conditions[0].reason == "NameConflict"


@pytest.mark.parametrize(
    ("ready", "scheduled", "said"),
    [
        (2, "True", ("True", "AllReplicasReady", "")),
        (1, "True", ("False", "SomeReplicasReady", "1 of 2 replicas are ready")),
        (0, "True", ("False", "ReplicasNotReady", "0 of 2 replicas are ready")),
        (0, "False", ("False", "NotScheduled", "needs 8 GPUs")),
    ],
)
def test_ready_says_why_not(ready: int, scheduled: str, said: tuple[str, str, str]) -> None:
    wanted = deployment(replicas=2)
    sets, place = (write.resource for write in plan(observed(wanted)))
    fate = condition("ResourcePlacementScheduled", scheduled, message="needs 8 GPUs")
    seen = observed(
        wanted,
        inference_set=InferenceSet.model_validate(
            {**sets.dump(), "status": {"readyReplicas": ready}}
        ),
        placement=ResourcePlacement.model_validate(
            {**place.dump(), "status": {"conditions": [fate]}}
        ),
    )
    status = report(wanted, seen, now=NOON)
    assert status
    (told,) = status.conditions
    assert (told.status, told.reason, told.message) == said
