"""The whole reconcile of an InferenceSet, against a member that keeps its state."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.api import names
from fleet.api.workspace import InferenceSet, Workspace
from fleet.kube.errors import ConflictError, TransientError
from fleet.kube.queue import WorkQueue
from member_agent.controllers.inference_set.plan import child_of
from tests.unit.member_agent.controllers.inference_set.replicas import KEY, Replicas, qwen
from tests.unit.member_agent.hardware import A10, A100, condition

SHORT = condition("NodeClaimReady", "False", reason="InsufficientCapacity")


async def test_an_inference_set_becomes_its_replicas() -> None:
    member = Replicas(qwen(3))
    await member.settle()
    assert len(member.names()) == 3
    assert member.owner().metadata.finalizers == (names.INFERENCE_SET_FINALIZER,)
    owner = member.owner().owner_reference()
    assert {child.metadata.owner_references for child in member.children()} == {(owner,)}


async def test_a_replica_is_written_to_the_letter() -> None:
    metadata = {"labels": {"team": "ml"}, "annotations": {"note": "mine"}}
    given = {"kind": "InferenceSet", "namespace": "demo", "name": "qwen", "instanceType": A100}
    given |= {"gpusPerReplica": "1", "replicas": "2", "usdPerHour": "7.34"}
    handed = {
        names.ALLOCATION: json.dumps(given),
        names.MODEL: "qwen",
        names.SERVICE: "qwen",
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
    }
    served = qwen(
        1,
        annotations=handed,
        selector={"apps": "qwen"},
        metadata=metadata,
        resource={"instanceType": A100},
        inference={"config": "tuned"},
    )
    member = Replicas(served)
    await member.settle()
    (body,) = member.client.bodies(Workspace)
    notes = body["metadata"]["annotations"]
    assert json.loads(notes.pop(names.ALLOCATION))["replicas"] == 1
    assert notes.pop(names.SPEC_HASH)
    assert notes == {"note": "mine", names.MODEL: "qwen", names.SERVICE: "qwen"}
    assert body["metadata"]["labels"] == {
        "team": "ml",
        "inferenceset.kaito.sh/created-by": "qwen",
    }
    assert body["resource"] == {
        "instanceType": A100,
        "labelSelector": {"matchLabels": {"apps": "qwen"}},
    }
    assert body["inference"] == {"preset": {"name": "qwen2-7b"}, "config": "tuned"}


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("replicas"), st.integers(0, 3)),
        st.tuples(st.just("type"), st.sampled_from([A10, A100])),
        st.tuples(st.just("note"), st.sampled_from(["a", "b"])),
        st.tuples(st.just("serve"), st.integers(0, 3)),
        st.tuples(st.just("short"), st.integers(0, 3)),
        st.tuples(st.just("hold"), st.integers(0, 3)),
        st.tuples(st.just("end"), st.integers(0, 3)),
        st.tuples(st.just("delete"), st.just(0)),
    ),
    max_size=8,
)


class Story:
    """An InferenceSet that is edited, and replicas that things happen to."""

    def __init__(self) -> None:
        self.member, self.facts = Replicas(qwen()), dict[str, Any](replicas=2, kind=A10, note="a")

    async def tell(self, what: str, value: Any) -> None:
        match what:
            case "replicas" | "note" | "type":
                self.edit(what, value)
            case "delete":
                with suppress(ValueError):
                    await self.member.client.delete(self.member.owner())
            case _:
                self.befall(what, value)

    def edit(self, what: str, value: Any) -> None:
        self.facts["kind" if what == "type" else what] = value
        edited = qwen(
            self.facts["replicas"],
            annotations={names.MODEL: self.facts["note"]},
            resource={"instanceType": self.facts["kind"]},
        )
        if self.member.client.all(InferenceSet):
            self.member.client.put(edited)

    def befall(self, what: str, index: int) -> None:
        children = self.member.children()
        if index >= len(children):
            return
        match what, children[index]:
            case "serve", child:
                self.member.serve(child)
            case "short", child:
                self.member.say(child, SHORT)
            case "hold", child if not child.deleting:
                self.member.hold(child)
            case "end", child if child.deleting:
                self.member.end(child)
            case _:
                pass


@settings(max_examples=60)
@given(STEPS)
async def test_reconciling_again_writes_nothing(steps: list[tuple[str, Any]]) -> None:
    story = Story()
    for step in steps:
        await story.member.settle()
        await story.tell(*step)
    await story.member.settle()
    story.member.client.writes_left = 0
    await story.member.reconcile()


@settings(max_examples=60)
@given(STEPS)
async def test_replicas_that_serve_are_not_given_up_before_others_do(
    steps: list[tuple[str, Any]],
) -> None:
    story = Story()
    for what, value in steps:
        await story.member.settle()
        before = _serving(story.member)
        if what in ("replicas", "type"):
            await story.tell(what, value)
            await story.member.settle()
            kept = min(before, story.facts["replicas"])
            assert _short(story.member) or _serving(story.member) >= kept
        elif what != "delete":
            await story.tell(what, value)


def _serving(member: Replicas) -> int:
    return sum(
        1
        for child in member.children()
        if not child.deleting
        and any(c.type == "WorkspaceSucceeded" for c in child.status.conditions)
    )


def _short(member: Replicas) -> bool:
    return any(c.type == "NodeClaimReady" for w in member.children() for c in w.status.conditions)


@pytest.mark.parametrize("deleted", [False, True], ids=["made", "deleted"])
@pytest.mark.parametrize("writes", range(6))
async def test_a_crash_between_any_two_writes_ends_in_the_same_state(
    writes: int, *, deleted: bool
) -> None:
    calm, shaken = Replicas(qwen()), Replicas(qwen())
    for member in (calm, shaken):
        if deleted:
            await member.settle()
            await member.client.delete(member.owner())
    shaken.client.writes_left = writes
    with suppress(TransientError):
        await shaken.settle()
    shaken.client.writes_left = 99
    for member in (calm, shaken):
        await member.settle()
    assert shaken.names() == calm.names()
    ends = [[each.status for each in m.client.all(InferenceSet)] for m in (calm, shaken)]
    assert ends[0] == ends[1]


async def test_more_replicas_leave_the_others_as_they_are() -> None:
    member = Replicas(qwen(1))
    await member.settle()
    member.serve()
    (before,) = member.children()
    member.client.put(qwen(3))
    await member.settle()
    assert len(member.names()) == 3
    assert before in member.children()


async def test_fewer_replicas_end_those_that_are_too_many() -> None:
    member = Replicas(qwen(3))
    await member.settle()
    member.serve()
    member.client.put(qwen(1))
    await member.settle()
    assert len(member.names()) == 1
    assert member.owner().status.ready_replicas == 1


async def test_fewer_replicas_keep_those_that_serve() -> None:
    member = Replicas(qwen(2))
    await member.settle()
    kept = child_of(member.owner(), 0).name
    first, second = sorted(member.children(), key=lambda child: child.name != kept)
    member.serve(second)
    member.client.put(qwen(1))
    await member.settle()
    assert second.name in member.names(), "it serves until the first one does"
    member.serve(first)
    await member.settle()
    assert member.names() == [first.name]


async def test_no_replicas_are_none() -> None:
    member = Replicas(qwen(2))
    await member.settle()
    member.client.put(qwen(0))
    await member.settle()
    assert member.names() == []
    assert member.ready().true


async def test_an_edit_that_a_workspace_may_take_reaches_the_replicas() -> None:
    member = Replicas(qwen(2))
    await member.settle()
    before = member.names()
    member.client.put(qwen(2, inference={"config": "tuned"}, metadata={"labels": {"a": "b"}}))
    await member.settle()
    assert member.names() == before
    for child in member.children():
        assert child.inference
        assert (child.inference.config, child.metadata.labels["a"]) == ("tuned", "b")


@pytest.mark.parametrize(
    "edited",
    [
        qwen(2, preset="phi-4-mini-instruct"),
        qwen(2, resource={"instanceType": A100}),
        qwen(2, selector={"apps": "qwen"}),
        qwen(2, resource={"partition": {"mode": "mig", "profile": "1g.10gb"}}),
    ],
    ids=["the model", "the type", "the selector", "the partition"],
)
async def test_an_edit_that_a_workspace_may_not_take_makes_others_first(
    edited: InferenceSet,
) -> None:
    member = Replicas(qwen(2))
    await member.settle()
    member.serve()
    old = set(member.names())
    member.client.put(edited)
    await member.settle()
    assert old < set(member.names())
    new = [child for child in member.children() if child.name not in old]
    member.serve(new[0])
    await member.settle()
    assert len(old & set(member.names())) == 1
    member.serve(new[1])
    await member.settle()
    assert set(member.names()) == {child.name for child in new}


async def test_outdated_replicas_make_room_one_at_a_time_where_there_is_none_for_both() -> None:
    member = Replicas(qwen(2))
    await member.settle()
    for child in member.children():
        member.hold(child)
        member.serve(child)
    old = set(member.names())
    member.client.put(qwen(2, resource={"instanceType": A100}))
    await member.settle()
    for child in member.children():
        if child.name not in old:
            member.say(child, SHORT)
    await member.settle()
    going = [child for child in member.children() if child.deleting]
    assert [child.name in old for child in going] == [True]
    member.end(going[0])
    await member.settle()
    assert len(old & set(member.names())) == 0


DECIDED = json.dumps(
    {
        "kind": "InferenceSet",
        "namespace": "demo",
        "name": "qwen",
        "instanceType": A100,
        "gpusPerReplica": 1,
        "usdPerHour": "1",
    }
)


@pytest.mark.parametrize(
    "given",
    [
        {"annotations": {names.ALLOCATION: DECIDED}},
        {"annotations": {names.MODEL: "mine"}},
        {"metadata": {"annotations": {names.ENABLE_LOAD_BALANCER: "True"}}},
        {"metadata": {"labels": {"team": "ml"}}},
    ],
    ids=["the allocation", "what is handed down", "the template's own", "a label"],
)
async def test_what_a_set_says_no_more_its_replicas_lose(given: dict[str, Any]) -> None:
    plain, member = Replicas(qwen(1)), Replicas(qwen(1, **given))
    for each in (plain, member):
        await each.settle()
    assert _said(member) != _said(plain)
    member.client.put(qwen(1))
    await member.settle()
    assert _said(member) == _said(plain)


def _said(member: Replicas) -> tuple[dict[str, str], dict[str, str]]:
    (child,) = member.children()
    return dict(child.metadata.labels), dict(child.metadata.annotations)


async def test_an_annotation_of_somebody_else_stays() -> None:
    member = Replicas(qwen(1))
    await member.settle()
    body = member.children()[0].manifest()
    body["metadata"]["annotations"] = {"theirs": "1"}
    member.client.put(body)
    member.client.put(qwen(1, annotations={names.MODEL: "mine"}))
    await member.settle()
    notes = member.children()[0].metadata.annotations
    assert (notes["theirs"], notes[names.MODEL]) == ("1", "mine")


async def test_an_allocation_that_cannot_be_read_is_not_handed_down() -> None:
    member = Replicas(qwen(1, annotations={names.ALLOCATION: "{}"}))
    await member.settle()
    assert names.ALLOCATION not in member.children()[0].metadata.annotations


async def test_a_deleted_set_goes_after_its_replicas() -> None:
    member = Replicas(qwen(2))
    await member.settle()
    for child in member.children():
        member.hold(child)
    await member.client.delete(member.owner())
    await member.settle()
    assert member.names() == []
    assert member.owner().metadata.finalizers
    for child in member.children():
        member.end(child)
    await member.settle()
    assert member.client.all(InferenceSet) == []


async def test_a_set_that_cannot_be_read_keeps_its_replicas() -> None:
    member = Replicas(qwen(2))
    await member.settle()
    body = member.owner().manifest()
    fresh = Replicas(*member.children())
    fresh.client.put(body | {"spec": {"replicas": "many"}})
    await fresh.settle()
    assert len(fresh.names()) == 2


async def test_a_set_deleted_meanwhile_does_not_come_back() -> None:
    member = Replicas(qwen(2))
    await member.look()
    member.client.server.watchers.clear()
    await member.client.delete(member.owner())
    with pytest.raises(ConflictError):
        await member.sets.reconcile(KEY)
    assert member.client.all(InferenceSet) == []


async def test_a_replica_under_deletion_is_made_again_once_it_is_gone() -> None:
    member = Replicas(qwen(1))
    await member.settle()
    (child,) = member.children()
    member.hold(child)
    await member.client.delete(child)
    await member.settle()
    assert member.names() == []
    member.end(member.children()[0])
    await member.settle()
    assert member.names() == [child.name]


async def test_a_replica_of_a_long_name_leaves_room_for_its_pods() -> None:
    long = qwen(1).manifest()
    long["metadata"]["name"] = "a" * 39 + ".b" + "c" * 22
    name = child_of(InferenceSet.model_validate(long), 0).name
    assert len(name) <= 49
    assert name.startswith("a" * 39 + "-")


async def test_what_happens_to_a_replica_wakes_its_set() -> None:
    member = Replicas(qwen(1))
    await member.settle()
    queue = WorkQueue(lambda: 0.0)
    member.sets.wake(queue)
    member.serve()
    assert await queue.get() == KEY
    queue.done(KEY)
    member.client.put(qwen(2))
    assert await queue.get() == KEY


async def test_replicas_that_kaito_made_serve_on_until_their_inference_set_changes() -> None:
    member = Replicas(qwen(1))
    await member.settle()
    (child,) = member.children()
    await member.client.delete(child)
    body, owner = child.manifest(), member.owner()
    named = {"name": "qwen-x7k2p", "annotations": {}, "uid": "theirs"}
    member.client.put(body | {"metadata": body["metadata"] | named})
    member.serve()
    await member.settle()
    assert member.names() == ["qwen-x7k2p"]
    assert (member.ready().true, member.owner().status.ready_replicas) == (True, 1)
    scaled = owner.manifest() | {"spec": owner.manifest()["spec"] | {"replicas": 2}}
    member.client.put(scaled | {"metadata": scaled["metadata"] | {"generation": 2}})
    await member.settle()
    assert len(member.names()) == 3
