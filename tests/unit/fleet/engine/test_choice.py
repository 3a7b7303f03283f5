"""How many clusters are chosen and which: PickAll, PickN, PickFixed, and the order among equals."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.api.snapshot import Demand
from fleet.engine.ask import Holding
from fleet.engine.decide import Decision, decide
from fleet.engine.verdicts import Cause, Ranked, Rejected
from tests.unit.fleet.engine.fleets import (
    A10,
    A100,
    NOON,
    V100,
    ask,
    fleet,
    holding,
    member,
    phi,
    pool,
    qwen,
    three,
)


def clusters(found: Decision) -> list[str]:
    return [choice.cluster for choice in found.chosen]


def preferred(weight: int, **labels: str) -> dict[str, Any]:
    term = {"weight": weight, "preference": {"labelSelector": {"matchLabels": labels}}}
    affinity = {"preferredDuringSchedulingIgnoredDuringExecution": [term]}
    return {"affinity": {"clusterAffinity": affinity}}


def fixed(*names: str, **more: Any) -> dict[str, Any]:
    return {"placementType": "PickFixed", "clusterNames": list(names), **more}


def test_of_equals_the_largest_name_is_picked_as_kubefleet_does() -> None:
    found = decide(ask(2), fleet(*three()))
    assert clusters(found) == ["us", "eu"]
    assert [choice.reason for choice in found.chosen] == ["eligible", "eligible"]
    assert found.settled


@pytest.mark.parametrize(("number", "short"), [(0, 0), (3, 0), (5, 2)])
def test_a_placement_gets_as_many_clusters_as_there_are(number: int, short: int) -> None:
    found = decide(ask(number), fleet(*three()))
    assert len(found.chosen) == number - short
    assert (found.short_by, found.fulfilled) == (short, short == 0)


def test_pick_all_takes_every_cluster_that_may_be_and_is_always_content() -> None:
    found = decide(ask(None), fleet(*three(), member("x", taint="broken")))
    assert clusters(found) == ["us", "eu", "apac"]
    assert found.fulfilled
    assert [verdict.cluster for verdict in found.others()] == ["x"]


def test_pick_all_gives_no_points_for_what_is_liked() -> None:
    found = decide(
        ask(None, policy=preferred(50, side="west")), fleet(member("eu", labels={"side": "west"}))
    )
    (choice,) = found.chosen
    assert choice.score is not None
    assert (choice.score.affinity, choice.score.topology) == (0, 0)


def test_pick_fixed_takes_those_named_and_names_those_that_cannot_be() -> None:
    found = decide(
        ask(None, policy=fixed("eu", "gone", "new")), fleet(*three(), member("new", joined=False))
    )
    assert clusters(found) == ["eu"]
    assert [choice.score for choice in found.chosen] == [None]
    assert (found.absent, found.fulfilled) == (("gone", "new"), False)


def test_pick_fixed_leaves_what_is_in_use_whatever_became_of_it() -> None:
    policy = fixed("eu", "us")
    broken = [member("eu", joined=False), member("us", taint="broken")]
    found = decide(ask(None, policy=policy, holdings=(holding("eu"),)), fleet(*broken))
    assert clusters(found) == ["eu", "us"]
    assert found.leaving == {}
    assert (found.fulfilled, found.absent) == (False, ("eu",))
    assert list(found.reported()) == [Rejected("eu", "eligibility", "has not joined the fleet")]


def test_pick_fixed_lets_go_of_what_is_named_no_more() -> None:
    used = (holding("apac"), holding("us", in_use=False))
    found = decide(ask(None, policy=fixed("eu"), holdings=used), fleet(*three()))
    assert clusters(found) == ["eu"]
    assert found.leaving == {"apac": Cause.SURPLUS}


@pytest.mark.parametrize("kind", ["PickAll", "PickFixed"])
def test_pick_all_and_pick_fixed_look_at_demands_only_where_they_are_told_to(kind: str) -> None:
    members = [member("eu", pool(A10)), member("us", pool(V100))]
    policy: dict[str, Any] = {"placementType": kind, "clusterNames": ["eu", "us"]}
    silent = decide(ask(None, phi(), policy=policy), fleet(*members))
    assert clusters(silent) == ["us", "eu"]
    assert [choice.allocations for choice in silent.chosen] == [(), ()]
    told = decide(ask(None, phi(), policy={**policy, "scoring": {}}), fleet(*members))
    assert clusters(told) == ["eu"]
    assert [len(choice.allocations) for choice in told.chosen] == [1]


def test_what_a_user_likes_comes_before_price() -> None:
    policy = preferred(1, **{"topology.kubernetes.io/region": "japaneast"})
    found = decide(ask(3, phi(), policy=policy), fleet(*three(pool(A10))))
    assert clusters(found) == ["apac", "eu", "us"]


def test_the_balance_comes_before_what_a_user_likes() -> None:
    policy = preferred(100, zone="a") | {
        "topologySpreadConstraints": [{"topologyKey": "zone", "maxSkew": 2}]
    }
    zones = {"a1": "a", "a2": "a", "b1": "b"}
    members = [member(name, labels={"zone": zone}) for name, zone in zones.items()]
    assert clusters(decide(ask(2, policy=policy), fleet(*members))) == ["a2", "b1"]


def test_of_equal_points_the_cheaper_whole_wins_and_then_what_is_in_use() -> None:
    free = {"scoring": {"weights": {"price": 0, "headroom": 0}}}
    found = decide(ask(3, phi(), policy=free), fleet(*three(pool(A10))))
    assert clusters(found) == ["eu", "us", "apac"]
    old = holding("apac", current=False, same_rules=False)
    again = decide(ask(2, holdings=(old,)), fleet(*three()))
    assert clusters(again) == ["apac", "us"]
    assert [choice.score.kept for choice in again.chosen if choice.score] == [1, 0]


def test_without_scoring_the_result_is_kubefleets() -> None:
    policy = {**preferred(7, side="west"), "scoring": {"profile": "none"}}
    members = [
        member("eu", pool(A10), labels={"side": "west"}),
        member("us", pool(V100)),
        member("apac"),
    ]
    scored_no_more = decide(ask(2, phi(), policy=policy), fleet(*members))
    kubefleets = decide(ask(2, policy=preferred(7, side="west")), fleet(*members))
    assert clusters(scored_no_more) == ["eu", "us"]
    assert scored_no_more.chosen == kubefleets.chosen
    assert list(scored_no_more.others()) == list(kubefleets.others())


def test_the_nearest_runner_up_is_named_first() -> None:
    members = [*three(pool(A10)), member("a", taint="broken"), member("z", pool(V100))]
    found = decide(ask(1, phi()), fleet(*members))
    assert clusters(found) == ["eu"]
    assert [(type(each), each.cluster) for each in found.others()] == [
        (Ranked, "us"),
        (Ranked, "apac"),
        (Rejected, "a"),
        (Rejected, "z"),
    ]


POOLS = st.lists(
    st.builds(
        pool,
        st.sampled_from([A10, A100, V100]),
        st.integers(0, 5),
        gpusFree=st.integers(0, 3),
        soldOutUntil=st.sampled_from([None, NOON + timedelta(hours=1)]),
    ),
    max_size=3,
)
MEMBERS = st.lists(
    st.builds(
        lambda name, pools, taint, joined, zone: member(
            name, *pools, taint=taint, joined=joined, labels={"zone": zone}
        ),
        st.sampled_from(["us", "eu", "apac", "b", "c"]),
        POOLS,
        st.sampled_from(["", "", "broken"]),
        st.booleans(),
        st.sampled_from("ab"),
    ),
    unique_by=lambda each: each.name,
)
DEMANDS = st.lists(st.builds(phi, replicas=st.integers(1, 3)), max_size=1) | st.lists(
    st.builds(qwen, st.integers(4, 7)), max_size=1
)
POLICIES = st.sampled_from(
    [
        {},
        {"scoring": {"maxClusters": 3}},
        {"scoring": {"limits": {"usdPerHour": "8"}}},
        {"topologySpreadConstraints": [{"topologyKey": "zone"}]},
    ]
)


def _holdings(found: Decision) -> tuple[Holding, ...]:
    return tuple(
        Holding(
            cluster=choice.cluster,
            decision=holding(choice.cluster).decision,
            allocations=choice.allocations,
        )
        for choice in found.chosen
    )


@given(members=MEMBERS, demands=DEMANDS, policy=POLICIES, number=st.none() | st.integers(0, 4))
def test_the_same_snapshot_gives_the_same_decision_in_whatever_order_it_comes(
    members: list[Any], demands: list[Demand], policy: dict[str, Any], number: int | None
) -> None:
    once = decide(ask(number, *demands, policy=dict(policy)), fleet(*members))
    again = decide(ask(number, *demands, policy=dict(policy)), fleet(*reversed(members)))
    assert once.chosen == again.chosen
    assert list(once.others()) == list(again.others())
    named = [*clusters(once), *(each.cluster for each in once.others())]
    assert sorted(named) == sorted(each.name for each in members)


@given(members=MEMBERS, demands=DEMANDS, policy=POLICIES, number=st.integers(0, 4))
def test_deciding_again_keeps_what_was_decided(
    members: list[Any], demands: list[Demand], policy: dict[str, Any], number: int
) -> None:
    first = decide(ask(number, *demands, policy=dict(policy)), fleet(*members))
    used = _holdings(first)
    again = decide(ask(number, *demands, policy=dict(policy), holdings=used), fleet(*members))
    taken = {choice.cluster: choice.allocations for choice in first.chosen}
    assert {choice.cluster: choice.allocations for choice in again.chosen} == taken
    assert (again.leaving, again.short_by, again.unplaced) == ({}, first.short_by, first.unplaced)
