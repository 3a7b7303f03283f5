"""The whole reconcile of a Work, against a hub and a member that keep their state."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.api.cluster import ClusterState
from fleet.api.names import ALLOCATION, ENSURE_NAMESPACE, WORK_BINDING_CLEANUP
from fleet.api.objects import Key
from fleet.api.work import AppliedWork, Work
from fleet.api.workspace import Workspace
from fleet.kube.errors import TransientError
from fleet.kube.removals import Removals
from member_agent.inputs import content, inputs
from tests.unit.member_agent.controllers.work.world import (
    KEY,
    Body,
    World,
    config,
    manifest,
    membership,
    work,
)

MakeWorld = Callable[..., World]


@pytest.fixture
async def make() -> AsyncIterator[MakeWorld]:
    worlds: list[World] = []

    def made(*works: Work) -> World:
        worlds.append(World(*works))
        return worlds[-1]

    yield made
    for world in worlds:
        await world.watches.close()


async def test_a_work_becomes_objects_that_its_record_owns(make: MakeWorld) -> None:
    world = make(work(config(size="2")))
    assert await world.reconcile() is None
    (record,) = world.member.all(AppliedWork)
    (made,) = world.bodies("ConfigMap")
    assert made["data"] == {"size": "2"}
    assert made["metadata"]["ownerReferences"][0]["uid"] == record.metadata.uid
    assert record.status.applied_resources[0].uid == made["metadata"]["uid"]
    assert world.work().metadata.finalizers == (WORK_BINDING_CLEANUP,)
    assert world.said("Applied") == ("True", "AllManifestsApplied")
    assert world.said("Available") == ("True", "AllManifestsAvailable")


KINDS = ["ConfigMap", "Deployment", "Widget"]


@given(
    names=st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from("abc")), max_size=4),
    strategy=st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["ClientSideApply", "ServerSideApply", "ReportDiff"]),
            "when_to_take_over": st.sampled_from(["Always", "IfNoDiff", "Never"]),
            "when_to_apply": st.sampled_from(["Always", "IfNotDrifted"]),
        },
    ),
    there=st.sampled_from([None, "a"]),
)
async def test_reconciling_again_writes_nothing(
    names: list[tuple[str, str]], strategy: dict[str, Any], there: str | None
) -> None:
    world = World(work(*(manifest("v1", kind, name) for kind, name in names), **strategy))
    if there:
        world.member.put(config(there, size="1"))
    await world.settle()
    before = world.versions
    await world.reconcile()
    await world.watches.close()
    assert world.versions == before


@pytest.mark.parametrize("on_hub", [True, False], ids=["hub", "member"])
@pytest.mark.parametrize("writes", range(6))
async def test_a_crash_between_any_two_writes_ends_in_the_same_state(
    make: MakeWorld, writes: int, on_hub: bool
) -> None:
    world = make(work(config("a"), config("b"), annotations={ENSURE_NAMESPACE: "true"}))
    side = world.hub if on_hub else world.member
    side.writes_left = writes
    try:
        await world.reconcile()
    except TransientError:
        await world.watches.close()
        world.start()
    side.writes_left = 99
    await world.settle()
    assert world.names("ConfigMap") == ["a", "b"]
    assert world.said("Applied") == ("True", "AllManifestsApplied")
    assert len(world.member.all(AppliedWork)[0].status.applied_resources) == 2


async def test_what_changed_on_the_member_is_put_back(make: MakeWorld) -> None:
    world = make(work(config(size="2")))
    await world.settle()
    world.member.put(config(size="3"))
    await world.settle()
    assert world.bodies("ConfigMap")[0]["data"] == {"size": "2"}


async def test_what_changed_on_the_member_is_told_where_it_is_not_to_be_put_back(
    make: MakeWorld,
) -> None:
    world = make(work(config(size="2"), when_to_apply="IfNotDrifted"))
    await world.settle()
    world.member.put(config(size="3"))
    await world.settle()
    assert world.bodies("ConfigMap")[0]["data"] == {"size": "3"}
    assert world.said_of(0) == ("False", "FoundDrifts", "changed on the member: /data/size")


SECRETS: Mapping[str, Mapping[str, Any]] = {
    "encoded": {"data": {"key": "aHVudGVyMg=="}},
    "plain": {"stringData": {"key": "hunter2"}},
    "both": {"data": {"key": "b2xk"}, "stringData": {"key": "hunter2"}},
}


@pytest.mark.parametrize("how", SECRETS)
async def test_of_a_secret_that_changed_on_the_member_the_field_is_told_and_no_value(
    make: MakeWorld, how: str
) -> None:
    secret = manifest("v1", "Secret", "settings", **SECRETS[how])
    kept = manifest("v1", "Secret", "settings", data={"key": "aHVudGVyMg=="})
    world = make(work(secret, when_to_take_over="IfNoDiff", when_to_apply="IfNotDrifted"))
    world.member.put(kept)
    await world.settle()
    assert world.said_of(0)[:2] == ("True", "Applied")
    owners = world.bodies("Secret")[0]["metadata"]["ownerReferences"]
    kept["metadata"]["ownerReferences"] = owners
    world.member.put(kept | {"data": {"key": "b3RoZXI="}})
    await world.settle()
    assert world.said_of(0) == ("False", "FoundDrifts", "changed on the member: /data/key")
    assert not any(value in str(world.work().status) for value in ("hunter2", "aHVud", "b3RoZXI"))


async def test_of_a_secret_that_cannot_be_one_no_value_is_taken_for_a_field(
    make: MakeWorld,
) -> None:
    broken = manifest("v1", "Secret", "settings", data={"key": {"hunter2": "hunter2"}})
    world = make(work(broken, when_to_take_over="IfNoDiff"))
    world.member.put(manifest("v1", "Secret", "settings", data={"key": "b3RoZXI="}))
    await world.settle()
    assert world.said_of(0)[1] == "FailedToTakeOver"
    assert "hunter2" not in str(world.work().status)


async def test_what_left_the_work_goes(make: MakeWorld) -> None:
    world = make(work(config("a"), config("b")))
    await world.settle()
    world.hub.put(work(config("b")))
    await world.settle()
    assert world.names("ConfigMap") == ["b"]
    assert [r.name for r in world.member.all(AppliedWork)[0].status.applied_resources] == ["b"]


async def test_what_left_the_work_stays_where_somebody_else_owns_it_too(make: MakeWorld) -> None:
    world = make(work(config("a")))
    await world.settle()
    other = {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "x"}
    owners = world.bodies("ConfigMap")[0]["metadata"]["ownerReferences"]
    body = config("a")
    body["metadata"]["ownerReferences"] = [*owners, other]
    world.member.put(body)
    world.hub.put(work())
    await world.settle()
    assert world.names("ConfigMap") == ["a"]


async def test_a_deleted_work_goes_after_its_record(make: MakeWorld) -> None:
    world = make(work(config()))
    await world.settle()
    (record,) = world.member.all(AppliedWork)
    world.member.put(record.model_copy(update={"metadata": _held(record)}))
    await world.hub.delete(world.work())
    await world.settle()
    assert world.work().metadata.finalizers
    (record,) = world.member.all(AppliedWork)
    assert record.deleting
    await world.member.json_patch(record, [{"op": "remove", "path": "/metadata/finalizers"}])
    await world.settle()
    assert world.hub.all(Work) == []


async def test_what_a_work_holds_that_goes_with_its_kind_stays_and_is_taken_up_again(
    make: MakeWorld,
) -> None:
    world = make(work(config()))
    await world.settle()
    before = _kept(world)
    world.hub.removed.add("Work")
    await world.hub.delete(world.work())
    await world.settle()
    assert world.hub.all(Work) == []
    world.hub.removed.clear()
    await world.settle()
    assert _kept(world) == before
    world.hub.put(work(config()))
    await world.settle()
    assert _kept(world) == before
    assert world.work().status.conditions


async def test_a_deletion_is_looked_at_again_before_it_is_believed(make: MakeWorld) -> None:
    world = make(work(config()))
    await world.settle()
    seconds = [0.0]
    removals = Removals(world.hub, elapsed=lambda: seconds[0])
    world.works = replace(world.works, removals=removals)
    await world.hub.delete(world.work())
    assert await world.reconcile() == 1.0
    assert world.member.all(AppliedWork)
    seconds[0] = 1.0
    await world.settle()
    assert not world.member.all(AppliedWork)


def _kept(world: World) -> list[Any]:
    """What owns the member's objects, and these."""
    records = [(item.metadata.uid, item.deleting) for item in world.member.all(AppliedWork)]
    return [*records, *world.bodies("ConfigMap")]


def _held(record: AppliedWork) -> Any:
    return record.metadata.model_copy(update={"finalizers": ("foregroundDeletion",)})


async def test_a_member_that_leaves_keeps_its_workloads(make: MakeWorld) -> None:
    world = make(work(config()))
    await world.settle()
    world.hub.put(membership(ClusterState.LEAVE))
    await world.settle()
    assert world.work().metadata.finalizers == ()
    assert world.names("ConfigMap") == ["settings"]


@pytest.mark.parametrize("gone", [True, False], ids=["membership first", "all at once"])
async def test_a_member_whose_namespace_is_deleted_keeps_its_workloads(
    make: MakeWorld, gone: bool
) -> None:
    world = make(work(config()))
    await world.settle()
    ours = membership()
    if not gone:
        held = ours.metadata.model_copy(update={"finalizers": ("somebody/waits",)})
        ours = ours.model_copy(update={"metadata": held})
    world.hub.put(ours)
    await world.hub.delete(ours)
    await world.hub.delete(world.work())
    await world.settle()
    assert world.hub.all(Work) == []
    assert world.names("ConfigMap") == ["settings"]
    assert len(world.member.all(AppliedWork)) == 1


async def test_a_record_without_a_work_keeps_what_it_owns(make: MakeWorld) -> None:
    world = make(work(config()))
    await world.settle()
    world.hub.put(membership(ClusterState.LEAVE))
    await world.settle()
    await world.hub.delete(world.work())
    await world.settle()
    assert len(world.member.all(AppliedWork)) == 1


async def test_the_hub_sees_the_status_of_a_workspace(make: MakeWorld) -> None:
    world = make(work(manifest("kaito.sh/v1beta1", "Workspace", "phi", inference={})))
    await world.settle()
    assert world.said("Available") == ("False", "SomeManifestsAreNotAvailable")
    status = {"state": "Ready", "conditions": [_succeeded(generation=1)]}
    world.member.put(manifest("kaito.sh/v1beta1", "Workspace", "phi", status=status))
    await world.settle()
    assert world.said("Available") == ("True", "AllManifestsAvailable")
    back = world.work().status.manifest_conditions[0].back_reported_status
    assert back
    assert back.observed_status["status"]["state"] == "Ready"


def _succeeded(generation: int) -> Body:
    return {
        "type": "WorkspaceSucceeded",
        "status": "True",
        "reason": "workspaceSucceeded",
        "observedGeneration": generation,
        "lastTransitionTime": "2026-01-01T12:00:00Z",
    }


async def test_a_workspace_of_an_older_generation_is_not_available(make: MakeWorld) -> None:
    status = {"state": "Ready", "conditions": [_succeeded(generation=0)]}
    world = make(work(manifest("kaito.sh/v1beta1", "Workspace", "phi", inference={})))
    await world.settle()
    world.member.put(manifest("kaito.sh/v1beta1", "Workspace", "phi", status=status))
    await world.settle()
    assert world.said_of(0, "Available")[1] == "ManifestNotAvailableYet"


async def test_a_workspace_is_not_available_before_it_has_seen_its_config_as_it_was_applied(
    make: MakeWorld,
) -> None:
    """An edited ConfigMap moves no generation of the Workspace that names it."""
    tuned = manifest("kaito.sh/v1beta1", "Workspace", "phi", inference={"config": "settings"})
    world = make(work(config(size="1"), tuned))
    await world.settle()
    world.member.put(tuned | {"status": _ready(tuned, size="1")})
    await world.settle()
    assert world.said("Available") == ("True", "AllManifestsAvailable")
    world.hub.put(work(config(size="2"), tuned))
    await world.reconcile()
    assert world.bodies("ConfigMap")[0]["data"] == {"size": "2"}
    assert world.said_of(1, "Available")[:2] == ("False", "ManifestNotAvailableYet")
    await world.settle()
    assert not world.work().status.conditions[1].true
    world.member.put(tuned | {"status": _ready(tuned, size="2")})
    await world.settle()
    assert world.said("Available") == ("True", "AllManifestsAvailable")


@pytest.mark.parametrize("size", ["1", "2"])
async def test_of_a_config_that_another_writes_the_member_knows_the_content(
    make: MakeWorld, size: str
) -> None:
    tuned = manifest("kaito.sh/v1beta1", "Workspace", "phi", inference={"config": "settings"})
    world = make(work(tuned))
    world.member.put(config(size="1"))
    await world.settle()
    world.member.put(tuned | {"status": _ready(tuned, size=size)})
    await world.settle()
    assert (world.said("Available")[0] == "True") is (size == "1")


async def test_a_workspace_is_not_available_before_it_has_seen_what_was_decided_for_it(
    make: MakeWorld,
) -> None:
    """An annotation moves no generation either."""
    decided = manifest("kaito.sh/v1beta1", "Workspace", "phi", inference={})
    world = make(work(decided))
    await world.settle()
    world.member.put(decided | {"status": _ready(decided)})
    await world.settle()
    assert world.said("Available")[0] == "True"
    decided["metadata"]["annotations"] = {ALLOCATION: "{}"}
    world.hub.put(work(decided))
    await world.settle()
    assert world.said("Available")[0] == "False"


def _ready(body: Body, **data: str) -> Body:
    """Say that a Workspace is ready, made from what it says and from these settings."""
    made = inputs(Workspace.model_validate(body)).with_config(content(data) if data else "")
    conditions = [_succeeded(generation=1)]
    return {"state": "Ready", "conditions": conditions, "observedInputs": made}


async def test_a_missing_namespace_is_made_and_stays(make: MakeWorld) -> None:
    body = config()
    body["metadata"]["namespace"] = "team"
    world = make(work(body, annotations={ENSURE_NAMESPACE: "true"}))
    await world.settle()
    assert world.names("Namespace") == ["default", "team"]
    assert "ownerReferences" not in world.bodies("Namespace")[1]["metadata"]
    world.hub.put(work(annotations={ENSURE_NAMESPACE: "true"}))
    await world.settle()
    assert world.names("Namespace") == ["default", "team"]


async def test_two_works_of_one_object_leave_it_with_the_first(make: MakeWorld) -> None:
    second = Key(KEY.namespace, "second-work")
    world = make(work(config(size="1")))
    twin = work(config(size="2"))
    world.hub.put(twin.model_copy(update={"metadata": _named(twin, second.name)}))
    await world.reconcile()
    await world.reconcile(second)
    assert world.bodies("ConfigMap")[0]["data"] == {"size": "1"}
    (told,) = [w for w in world.hub.all(Work) if w.name == second.name]
    condition = told.status.manifest_conditions[0].conditions[0]
    assert condition.reason == "FailedToTakeOver"
    assert condition.message == "already owned by another Fleet AppliedWork, web-work"


def _named(item: Work, name: str) -> Any:
    return item.metadata.model_copy(update={"name": name})


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"kind": "ConfigMap", "metadata": {"name": "a"}}, "DecodingErred"),
        ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}}, "DecodingErred"),
        (
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "a-"}},
            "FoundGenerateName",
        ),
        (manifest("v1", "Unheard", "a"), "ManifestApplyFailed"),
    ],
    ids=["no version", "no name", "a generated name", "a kind that is not served"],
)
async def test_a_manifest_that_cannot_be_applied_says_why(
    make: MakeWorld, body: Body, reason: str
) -> None:
    world = make(work(config("good"), body))
    world.member.not_served.add("Unheard")
    assert await world.reconcile()
    assert world.names("ConfigMap") == ["good"]
    assert world.said_of(1)[:2] == ("False", reason)
    assert world.said("Applied") == ("False", "SomeManifestsAreNotApplied")


async def test_the_same_object_twice_is_told(make: MakeWorld) -> None:
    world = make(work(config(size="1"), config(size="2")))
    await world.settle()
    assert world.said_of(1)[:2] == ("False", "Duplicated")
    assert world.bodies("ConfigMap")[0]["data"] == {"size": "1"}


@pytest.mark.parametrize(
    ("how", "reason"),
    [("Always", "Applied"), ("IfNoDiff", "FailedToTakeOver"), ("Never", "NotTakenOver")],
)
async def test_an_object_that_was_there_is_taken_over_as_told(
    make: MakeWorld, how: str, reason: str
) -> None:
    world = make(work(config(size="1"), when_to_take_over=how))
    world.member.put(config(size="9", colour="red"))
    await world.settle()
    assert world.said_of(0)[1] == reason
    size = "1" if how == "Always" else "9"
    assert world.bodies("ConfigMap")[0]["data"] == {"size": size, "colour": "red"}


async def test_an_object_under_deletion_is_made_again_once_it_is_gone(make: MakeWorld) -> None:
    world = make(work(config(size="1")))
    body = config(size="9")
    body["metadata"] |= {"finalizers": ["slow"], "deletionTimestamp": "2026-01-01T00:00:00Z"}
    world.member.put(body)
    await world.settle()
    assert "waits until" in world.said_of(0)[2]
    body["metadata"]["finalizers"] = []
    world.member.put(body)
    await world.settle()
    assert world.bodies("ConfigMap")[0]["data"] == {"size": "1"}


async def test_kinds_are_watched_while_a_work_holds_them(make: MakeWorld) -> None:
    world = make(work(config(), manifest("kaito.sh/v1beta1", "Workspace", "phi")))
    await world.settle()
    assert {kind.kind for kind in world.watches.kinds} == {"ConfigMap"}
    world.hub.put(work())
    await world.settle()
    assert not world.watches.kinds
