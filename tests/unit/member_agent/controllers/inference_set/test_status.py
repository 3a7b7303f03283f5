"""What an InferenceSet says of itself: every reason, and the worst of its replicas."""

from typing import Any

import pytest

from fleet.api.workspace import UPDATING, WorkspaceState
from tests.unit.member_agent.controllers.inference_set.replicas import Replicas, config, qwen
from tests.unit.member_agent.hardware import A100, condition

PENDING = condition("WorkspaceSucceeded", "False", reason="workspacePending", message="no node")
FAILED = condition("WorkspaceSucceeded", "False", reason="workspaceFailed", message="no such model")


async def test_replicas_that_serve_are_counted() -> None:
    member = Replicas(qwen(2))
    await member.settle()
    assert (member.ready().status, member.ready().reason) == ("False", "inferencesetNotReady")
    assert member.ready().message == "0 of 2 replicas are ready"
    member.serve()
    await member.settle()
    assert (member.ready().status, member.ready().reason) == ("True", "inferencesetReady")
    assert member.ready().message == "2 of 2 replicas are ready"
    status = member.owner().status
    assert (status.replicas, status.ready_replicas) == (2, 2)
    assert status.selector == "inferenceset.kaito.sh/created-by=qwen"
    assert member.ready().observed_generation == member.owner().metadata.generation


SAID: list[tuple[dict[str, Any], WorkspaceState, str, str]] = [
    (PENDING, WorkspaceState.PENDING, "inferencesetNotReady", "no node"),
    (FAILED, WorkspaceState.FAILED, "inferencesetFailed", "no such model"),
]


@pytest.mark.parametrize(("said", "state", "reason", "told"), SAID)
async def test_what_the_worst_replica_lacks_is_told(
    said: dict[str, Any], state: WorkspaceState, reason: str, told: str
) -> None:
    member = Replicas(qwen(2))
    await member.settle()
    first, second = member.children()
    member.serve(first)
    member.say(second, said, state=state)
    await member.settle()
    assert member.ready().reason == reason
    assert member.ready().message == f"1 of 2 replicas are ready: {second.name}: {told}"


async def test_one_that_failed_speaks_before_one_that_waits() -> None:
    member = Replicas(qwen(2))
    await member.settle()
    first, second = member.children()
    member.say(first, PENDING, state=WorkspaceState.PENDING)
    member.say(second, FAILED, state=WorkspaceState.FAILED)
    await member.settle()
    assert member.ready().message.endswith(f"{second.name}: no such model")


async def test_a_replica_that_has_not_seen_its_last_edit_does_not_count() -> None:
    member = Replicas(qwen(1))
    await member.settle()
    member.serve()
    await member.settle()
    assert member.ready().true
    member.client.put(qwen(1, inference={"config": "tuned"}))
    await member.settle()
    assert not member.ready().true
    member.serve()
    await member.settle()
    assert member.ready().true


async def test_a_replica_that_has_not_seen_the_last_edit_of_its_config_does_not_count() -> None:
    member = Replicas(qwen(1, inference={"config": "tuned"}), config(size="1"))
    await member.settle()
    member.serve()
    await member.settle()
    assert member.ready().true
    seen = member.owner().status.observed_inputs
    member.client.put(config(size="2"))
    await member.settle()
    assert not member.ready().true
    assert member.owner().status.observed_inputs != seen
    member.serve()
    await member.settle()
    assert member.ready().true


async def test_a_replica_that_is_just_being_written_does_not_count() -> None:
    member = Replicas(qwen(1))
    await member.settle()
    member.serve()
    await member.settle()
    member.client.put(qwen(1, inference={"config": "tuned"}))
    await member.reconcile()
    assert not member.ready().true


async def test_a_replica_that_answers_as_it_was_before_is_counted_with_those_that_serve() -> None:
    member = Replicas(qwen(1))
    await member.settle()
    updating = condition("InferenceReady", "False", reason=UPDATING)
    member.say(member.children()[0], PENDING, updating)
    await member.settle()
    assert member.owner().status.ready_replicas == 1
    assert member.ready().message == f"0 of 1 replicas are ready: {member.names()[0]}: no node"


async def test_outdated_replicas_that_serve_count_and_do_not_speak() -> None:
    member = Replicas(qwen(1))
    await member.settle()
    member.serve()
    await member.settle()
    member.client.put(qwen(1, resource={"instanceType": A100}))
    await member.settle()
    status = member.owner().status
    assert (status.replicas, status.ready_replicas) == (2, 1)
    assert member.ready().message == "0 of 1 replicas are ready"


async def test_a_condition_keeps_its_time_until_its_status_changes() -> None:
    member = Replicas(qwen(2))
    await member.settle()
    since = member.ready().last_transition_time
    member.later(minutes=1)
    member.serve(member.children()[0])
    await member.settle()
    assert member.ready().last_transition_time == since
    member.serve()
    await member.settle()
    assert member.ready().last_transition_time == member.now


async def test_the_status_of_others_is_left_alone() -> None:
    member = Replicas(qwen(1))
    await member.settle()
    body = member.owner().manifest()
    metrics = {"metrics": {"peak": {"value": "1"}}}
    member.client.put(body | {"status": {**body["status"], "performance": metrics}})
    member.serve()
    await member.settle()
    assert member.owner().status.performance
