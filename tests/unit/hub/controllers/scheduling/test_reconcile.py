"""The whole reconcile, against a server that keeps its state."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.api import names
from fleet.api.binding import BindingState, ClusterResourceBinding
from fleet.api.objects import Key, Resource
from fleet.kube.client import swap
from fleet.kube.errors import ConflictError, KubeError, TransientError
from tests.unit.fleet.engine.fleets import A10, A100, NOON, member, phi, pool, three
from tests.unit.hub.controllers.scheduling.desk import (
    KEY,
    LLAMA,
    SCORED,
    UID,
    Desk,
    binding,
    placement,
    snapshot,
)

BOUND, LEFT = BindingState.BOUND, BindingState.UNSCHEDULED


async def test_a_placement_gets_its_bindings_and_its_snapshot_says_why() -> None:
    desk = Desk(placement(held=False), snapshot(), member("eu"), member("us", taint="broken"))
    await desk.reconcile()
    assert desk.states() == {"eu": "Scheduled"}
    assert desk.placements()[0].metadata.finalizers == (names.SCHEDULER_CLEANUP,)
    status = desk.policy().status
    reasons = {decision.cluster_name: decision.reason for decision in status.target_clusters}
    assert reasons == {"eu": "eligible", "us": "taint-toleration: has broken="}
    assert [(c.type, c.reason) for c in status.conditions] == [
        ("Scheduled", "SchedulingPolicyFulfilled")
    ]
    assert status.observed_crp_generation == 1


async def test_a_binding_is_written_to_the_letter() -> None:
    desk = Desk(placement(), snapshot(), member("eu"))
    await desk.reconcile()
    (body,) = desk.client.bodies(ClusterResourceBinding)
    metadata = {key: body["metadata"][key] for key in ("name", "labels", "finalizers")}
    assert metadata == {
        "name": names.binding_name(LLAMA, UID, "eu"),
        "labels": {"kubernetes-fleet.io/parent-CRP": LLAMA},
        "finalizers": ["kubernetes-fleet.io/scheduler-crb-cleanup"],
    }
    assert body["spec"] == {
        "state": "Scheduled",
        "targetCluster": "eu",
        "resourceSnapshotName": "",
        "schedulingPolicySnapshotName": f"{LLAMA}-0",
        "clusterDecision": {
            "clusterName": "eu",
            "selected": True,
            "reason": "eligible",
            "clusterScore": {"affinityScore": 0, "priorityScore": 0},
        },
    }


async def test_a_named_cluster_has_no_score() -> None:
    fixed: dict[str, Any] = {"placementType": "PickFixed", "clusterNames": ["eu", "nowhere"]}
    desk = Desk(placement(), snapshot(**fixed), member("eu"), member("us"))
    await desk.reconcile()
    (body,) = desk.client.bodies(ClusterResourceBinding)
    assert "clusterScore" not in body["spec"]["clusterDecision"]
    (condition,) = desk.policy().status.conditions
    assert (condition.status, condition.reason) == ("False", "SchedulingPolicyUnfulfilled")
    assert "nowhere cannot be taken" in condition.message


async def test_an_inference_workload_gets_its_allocation() -> None:
    desk = Desk(placement(), snapshot(1, phi()), *three(pool(A100), pool(A10)))
    await desk.reconcile()
    (body,) = desk.client.bodies(ClusterResourceBinding)
    assert body["spec"]["allocations"] == [
        {
            "kind": "Workspace",
            "namespace": "demo",
            "name": "phi",
            "instanceType": A10,
            "capacityType": "on-demand",
            "replicas": 1,
            "nodesPerReplica": 1,
            "gpusPerReplica": 1,
            "usdPerHour": "3.84",
        }
    ]
    score = body["spec"]["clusterDecision"]["clusterScore"]
    assert score["parts"] == {"price": -384, "headroom": 3}


async def test_two_placements_at_once_never_get_the_same_gpu() -> None:
    one, two = phi(), phi(name="other")
    desk = Desk(
        placement(),
        snapshot(1, one),
        placement(name="b"),
        snapshot(1, two, name="b"),
        *three(pool(A10, 1)),
    )
    await desk.look()
    desk.client.server.watchers.clear()
    await desk.scheduling.reconcile(KEY)
    await desk.scheduling.reconcile(Key("", "b"))
    taken = [each.spec.target_cluster for each in desk.client.all(ClusterResourceBinding)]
    assert sorted(taken) == ["eu", "us"]


@given(
    fleet=st.sets(st.sampled_from(["asia", "eu", "us"])),
    bound=st.dictionaries(st.sampled_from(["eu", "us", "gone"]), st.sampled_from(BindingState)),
    number=st.none() | st.integers(0, 4),
    demanded=st.booleans(),
)
async def test_reconciling_again_writes_nothing(
    fleet: set[str], bound: dict[str, BindingState], number: int | None, demanded: bool
) -> None:
    bindings = [binding(cluster, state) for cluster, state in bound.items()]
    demands = [phi()] if demanded else []
    members = [member(name, pool(A10)) for name in fleet]
    desk = Desk(placement(held=False), snapshot(number, *demands), *members, *bindings)
    await desk.reconcile()
    desk.client.writes_left = 0
    await desk.reconcile()


@given(writes=st.integers(0, 6), deleted=st.booleans())
async def test_a_crash_between_any_two_writes_ends_in_the_same_state(
    writes: int, deleted: bool
) -> None:
    before = [placement(held=deleted), snapshot(2, phi()), *three(pool(A10)), binding("us")]
    calm, shaken = Desk(*before), Desk(*before)
    for desk in (calm, shaken):
        if deleted:
            await desk.client.delete(placement())
    shaken.client.writes_left = writes
    for _ in range(2):
        with suppress(TransientError):
            await shaken.reconcile()
    shaken.client.writes_left = 99
    for desk in (calm, shaken):
        for _ in range(3):
            await desk.reconcile()
    assert _facts(shaken) == _facts(calm)


@given(
    zones=st.lists(st.sampled_from("nes"), min_size=1, max_size=7),
    number=st.integers(1, 6),
    skew=st.integers(1, 2),
    anyway=st.booleans(),
)
async def test_a_crash_before_the_status_leaves_no_trace_in_it(
    zones: list[str], number: int, skew: int, anyway: bool
) -> None:
    when = "ScheduleAnyway" if anyway else "DoNotSchedule"
    even = {"topologyKey": "zone", "maxSkew": skew, "whenUnsatisfiable": when}
    members = [member(f"m{n}", labels={"zone": zone}) for n, zone in enumerate(zones)]
    asked = snapshot(number, topologySpreadConstraints=[even])
    desk = Desk(placement(), asked, *members)
    await desk.reconcile()
    told = desk.policy().status.target_clusters
    desk.client.put(asked)
    await desk.reconcile()
    assert desk.policy().status.target_clusters == told


async def test_a_crash_while_more_are_taken_leaves_no_trace_in_the_status() -> None:
    more = {names.NUMBER_OF_CLUSTERS: "2", names.CRP_GENERATION: "1"}
    calm, shaken = (Desk(placement(), snapshot(1), *three()) for _ in range(2))
    for desk, writes in ((calm, 2), (shaken, 1)):
        await desk.reconcile()
        desk.client.put(desk.policy().manifest() | _noted(desk.policy(), more))
        desk.client.writes_left = writes
        with suppress(TransientError):
            await desk.reconcile()
        desk.client.writes_left = 9
        await desk.reconcile()
    assert len(calm.policy().status.target_clusters) == 3
    assert _facts(shaken) == _facts(calm)


def _noted(resource: Resource, notes: dict[str, str]) -> dict[str, Any]:
    metadata = resource.metadata.model_copy(update={"annotations": notes})
    return {"metadata": metadata.dump()}


def _facts(desk: Desk) -> object:
    bindings = {name: each.spec for name, each in desk.bindings().items()}
    placements = [(each.name, each.metadata.finalizers) for each in desk.placements()]
    return bindings, placements, desk.policy().status


async def test_what_the_rollout_did_meanwhile_is_not_undone() -> None:
    desk = Desk(placement(), snapshot(0), binding("eu"))
    await desk.look()
    desk.client.server.watchers.clear()
    await desk.client.json_patch(binding("eu"), swap("/spec/state", "Scheduled", "Bound"))
    with pytest.raises(ConflictError):
        await desk.scheduling.reconcile(KEY)
    assert desk.states() == {"eu": "Bound"}


async def test_a_binding_taken_up_again_goes_on_where_it_was() -> None:
    desk = Desk(placement(), snapshot(0), member("eu"), binding("eu", BOUND))
    await desk.reconcile()
    assert desk.states() == {"eu": "Unscheduled"}
    annotations = desk.bindings()["eu"].metadata.annotations
    assert annotations == {"kubernetes-fleet.io/previous-binding-state": "Bound"}
    desk.client.put(snapshot(1))
    await desk.reconcile()
    assert desk.states() == {"eu": "Bound"}
    assert not desk.bindings()["eu"].metadata.annotations


async def test_a_placement_deleted_meanwhile_does_not_come_back() -> None:
    desk = Desk(placement(held=False), snapshot(), member("eu"))
    await desk.look()
    desk.client.server.watchers.clear()
    await desk.client.delete(placement())
    with pytest.raises(KubeError):
        await desk.scheduling.reconcile(KEY)
    assert desk.placements() == []


async def test_a_deleted_placement_goes_after_its_bindings() -> None:
    desk = Desk(placement(), snapshot(), binding("eu"))
    await desk.client.delete(placement())
    await desk.reconcile()
    assert len(desk.placements()) == 1
    await desk.reconcile()
    await desk.reconcile()
    assert (desk.states(), desk.placements()) == ({}, [])


async def test_a_binding_under_deletion_is_waited_for() -> None:
    going = binding("eu").manifest()
    going["metadata"] |= {"deletionTimestamp": NOON.isoformat(), "finalizers": ["someone/else"]}
    desk = Desk(placement(), snapshot(), member("eu"), ClusterResourceBinding(**going))
    await desk.reconcile()
    assert len(desk.client.all(ClusterResourceBinding)) == 1


async def test_the_newer_of_two_latest_policies_counts() -> None:
    desk = Desk(placement(), snapshot(2), snapshot(1, index=1), member("eu"), member("us"))
    await desk.reconcile()
    assert desk.states() == {"us": "Scheduled"}
    assert desk.bindings()["us"].spec.scheduling_policy_snapshot_name == f"{LLAMA}-1"


async def test_a_changed_demand_keeps_the_cluster_with_another_type_in_one_write() -> None:
    desk = Desk(placement(), snapshot(1, phi()), *three(pool(A100), pool(A10)))
    await desk.reconcile()
    desk.client.put(snapshot(1, phi(), latest=False))
    desk.client.put(snapshot(1, phi(A100), index=1))
    await desk.reconcile()
    spec = desk.bindings()["eu"].spec
    assert list(desk.states()) == ["eu"]
    assert [given.instance_type for given in spec.allocations] == [A100]
    assert spec.scheduling_policy_snapshot_name == f"{LLAMA}-1"


async def test_a_demand_that_fits_no_more_moves_and_the_old_stays_till_then() -> None:
    fleet = [member("eu", pool(A10)), member("us", pool(A100))]
    desk = Desk(placement(), snapshot(1, phi()), *fleet)
    await desk.reconcile()
    desk.client.put(snapshot(1, phi(), latest=False))
    desk.client.put(snapshot(1, phi(A100), index=1))
    await desk.reconcile()
    assert desk.states() == {"eu": "Unscheduled", "us": "Scheduled"}


async def test_a_sold_out_share_that_was_never_ready_is_decided_anew() -> None:
    desk = Desk(placement(), snapshot(1, phi()), *three(pool(A10)))
    await desk.reconcile()
    assert desk.states() == {"eu": "Scheduled"}
    later = NOON.replace(hour=13).isoformat()
    desk.client.put(member("eu", pool(A10, soldOutUntil=later)))
    await desk.reconcile()
    assert desk.states() == {"eu": "Unscheduled", "us": "Scheduled"}


async def test_a_sold_out_share_waits_where_there_is_nowhere_else() -> None:
    desk = Desk(placement(), snapshot(1, phi()), member("eu", pool(A10)))
    await desk.reconcile()
    later = NOON.replace(hour=13).isoformat()
    desk.client.put(member("eu", pool(A10, soldOutUntil=later)))
    assert await desk.reconcile() == 3601
    assert desk.states() == {"eu": "Scheduled"}


async def test_the_message_says_what_stands_against_the_clusters() -> None:
    fleet = [member("eu", pool("Standard_NC6s_v3")), member("us", taint="broken")]
    desk = Desk(placement(), snapshot(1, phi()), *fleet)
    await desk.reconcile()
    (condition,) = desk.policy().status.conditions
    assert condition.message == (
        "1 more cluster is needed; clusters rejected: gpu-fit 1, taint-toleration 1; eu: "
        "phi-4-mini-instruct: Standard_NC6s_v3 compute capability 7.0, 8.0 is needed"
    )


async def test_a_policy_that_scores_asks_for_the_toleration() -> None:
    desk = Desk(placement(), snapshot(1, phi(), scoring=SCORED), *three(pool(A10)))
    assert await desk.reconcile() is None
    assert desk.states() == {"eu": "Scheduled"}


async def test_an_earlier_choice_that_stands_keeps_what_was_said_of_the_others() -> None:
    desk = Desk(placement(), snapshot(1), member("eu"), member("us"))
    await desk.reconcile()
    before = desk.policy().status.target_clusters
    desk.client.put(member("apac"))
    await desk.reconcile()
    assert desk.policy().status.target_clusters == before
    assert [d.cluster_name for d in before] == ["us", "eu"]


async def test_of_fewer_clusters_than_before_the_others_are_not_judged_anew() -> None:
    desk = Desk(placement(), snapshot(2), member("eu"), member("us"))
    await desk.reconcile()
    fewer = {**desk.policy().metadata.annotations, names.NUMBER_OF_CLUSTERS: "1"}
    metadata = desk.policy().metadata.model_copy(update={"annotations": fewer})
    desk.client.put(desk.policy().model_copy(update={"metadata": metadata}))
    await desk.reconcile()
    assert desk.states() == {"us": "Scheduled", "eu": "Unscheduled"}
    assert [d.cluster_name for d in desk.policy().status.target_clusters] == ["us"]


async def test_a_fixed_choice_tells_of_the_clusters_that_it_names() -> None:
    policy: dict[str, Any] = {"placementType": "PickFixed", "clusterNames": ["eu", "us", "nowhere"]}
    desk = Desk(
        placement(), snapshot(**policy), member("eu"), member("us", joined=False), member("x")
    )
    await desk.reconcile()
    status = desk.policy().status
    assert [(d.cluster_name, d.selected, d.reason) for d in status.target_clusters] == [
        ("eu", True, "eligible"),
        ("us", False, "eligibility: has not joined the fleet"),
        ("nowhere", False, "membership: is no member of the fleet"),
    ]
    assert [c.status for c in status.conditions] == ["False"]


@pytest.mark.parametrize(
    "edited",
    [
        {"targetCluster": "us"},
        {"targetCluster": "nowhere"},
        {"clusterDecision": {"clusterName": "us", "selected": True, "reason": "by hand"}},
        {"state": "Unscheduled"},
        {"schedulingPolicySnapshotName": "another"},
    ],
    ids=str,
)
async def test_a_binding_edited_by_hand_leads_where_it_did(edited: dict[str, Any]) -> None:
    calm = Desk(placement(), snapshot(1), member("eu"), member("apac", taint="broken"))
    await calm.reconcile()
    (body,) = calm.client.bodies(ClusterResourceBinding)
    calm.client.put(member("us", taint="broken"))
    calm.client.put({**body, "spec": body["spec"] | edited})
    await calm.reconcile()
    (mended,) = calm.client.bodies(ClusterResourceBinding)
    names_of = mended["spec"]["targetCluster"], mended["spec"]["clusterDecision"]["clusterName"]
    assert (names_of, mended["spec"]["state"]) == (("eu", "eu"), "Scheduled")
    assert mended["spec"]["schedulingPolicySnapshotName"] == f"{LLAMA}-0"


@pytest.mark.parametrize(
    ("label", "edited"),
    [("", {}), ("other", {}), ("nobody", {}), ("", {"schedulingPolicySnapshotName": "x-7"})],
    ids=str,
)
async def test_a_binding_labelled_by_hand_is_of_whom_it_was_made_for(
    label: str, edited: dict[str, Any]
) -> None:
    other = placement(name="other"), snapshot(1, name="other")
    desk = Desk(placement(), snapshot(1), *other, member("eu"), member("us"))
    keys = KEY, Key("", "other")
    for key in keys:
        await desk.reconcile(key)
    before = owned(desk)
    (body,) = (b for b in before if b["metadata"]["labels"][names.PARENT] == LLAMA)
    metadata = {k: v for k, v in body["metadata"].items() if k not in {"labels", "finalizers"}}
    metadata |= {"labels": {names.PARENT: label}} if label else {}
    desk.client.put(body | {"metadata": metadata, "spec": body["spec"] | edited})
    for key in (Key("", label), *keys):
        await desk.reconcile(key)
    assert owned(desk) == before


def owned(desk: Desk) -> list[dict[str, Any]]:
    return [
        each
        | {"metadata": {k: each["metadata"][k] for k in ("name", "uid", "labels", "finalizers")}}
        for each in desk.client.bodies(ClusterResourceBinding)
    ]


async def test_finalizers_taken_away_by_hand_are_put_back() -> None:
    desk = Desk(placement(), snapshot(), member("eu"))
    await desk.reconcile()
    (body,) = desk.client.bodies(ClusterResourceBinding)
    finalizers = body["metadata"].pop("finalizers")
    desk.client.put(body)
    desk.client.put(placement(held=False))
    await desk.reconcile()
    assert list(desk.bindings()["eu"].metadata.finalizers) == finalizers
    assert desk.placements()[0].metadata.finalizers == (names.SCHEDULER_CLEANUP,)


async def test_a_namesake_gets_bindings_of_its_own_and_those_of_the_first_go() -> None:
    early, late = (NOON + timedelta(minutes=n) for n in (0, 1))
    old = born(binding("us"), early)
    stale = born(snapshot(1, index=7), early)
    desk = Desk(born(placement(), late), stale, old, member("eu"), member("us"))
    for _ in range(2):
        await desk.reconcile()
    assert desk.states() == {}
    desk.client.put(born(snapshot(1), late))
    await desk.reconcile()
    assert desk.bindings()["us"].name == names.binding_name(LLAMA, UID, "us")


def born(resource: Any, when: datetime) -> Any:
    metadata = resource.metadata.model_copy(update={"creation_timestamp": when})
    return resource.model_copy(update={"metadata": metadata})
