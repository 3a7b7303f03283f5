"""Whether what is in use stays in use: silence, failover, coming back, and what is sold out."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.api.cluster import MemberCluster
from fleet.engine.again import seconds_until_change
from fleet.engine.ask import Holding
from fleet.engine.decide import Decision, decide
from fleet.engine.verdicts import Cause
from tests.unit.fleet.engine.fleets import (
    A10,
    A100,
    NOON,
    V100,
    allocation,
    ask,
    fleet,
    holding,
    member,
    phi,
    pool,
    three,
)

LATER = NOON + timedelta(minutes=10)


def tolerating(seconds: int = 30) -> dict[str, Any]:
    return {"scoring": {"failover": {"tolerationSeconds": seconds}}}


def clusters(found: Decision) -> list[str]:
    return [choice.cluster for choice in found.chosen]


def without_news(
    number: int,
    silent: Mapping[str, float],
    *used: Holding,
    members: list[MemberCluster] | None = None,
    policy: dict[str, Any] | None = None,
) -> Decision:
    asked = ask(number, holdings=used, silent_seconds=silent, policy=policy or tolerating())
    return decide(asked, fleet(*(members or three())))


def going(name: str) -> MemberCluster:
    metadata = member(name).metadata.model_copy(update={"deletion_timestamp": NOON})
    return member(name).model_copy(update={"metadata": metadata})


@pytest.mark.parametrize(
    ("seconds", "where", "again"), [(20.0, "eu", 10.0), (29.9, "eu", 0.1), (30.0, "us", None)]
)
def test_a_share_moves_when_its_member_is_silent_for_longer_than_is_tolerated(
    seconds: float, where: str, again: float | None
) -> None:
    found = without_news(1, {"eu": seconds}, holding("eu"))
    assert clusters(found) == [where]
    assert found.leaving == ({} if where == "eu" else {"eu": Cause.SILENT})
    assert seconds_until_change(found) == (None if again is None else pytest.approx(again))


@pytest.mark.parametrize(
    "policy", [{}, {"scoring": {}}, {"placementType": "PickAll", **tolerating()}]
)
def test_without_a_toleration_a_silent_member_keeps_its_share(policy: dict[str, Any]) -> None:
    number = None if "placementType" in policy else 1
    asked = ask(number, holdings=(holding("eu"),), silent_seconds={"eu": 9e5}, policy=policy)
    found = decide(asked, fleet(member("eu"), member("a", taint="broken")))
    assert clusters(found) == ["eu"]
    assert (found.leaving, seconds_until_change(found)) == ({}, None)


def test_a_toleration_is_three_heartbeats_at_least() -> None:
    found = without_news(1, {"eu": 14.0}, holding("eu"), policy=tolerating(1))
    assert clusters(found) == ["eu"]
    assert seconds_until_change(found) == 1.0
    assert clusters(without_news(1, {"eu": 15.0}, holding("eu"), policy=tolerating(1))) == ["us"]


def test_what_a_silent_member_has_stays_for_the_whole_toleration_after_the_hubs_start() -> None:
    found = without_news(1, {"eu": 0.0}, holding("eu"), policy=tolerating(15))
    assert clusters(found) == ["eu"]
    assert seconds_until_change(found) == 15.0


def test_when_most_of_the_fleet_falls_silent_nothing_moves() -> None:
    found = without_news(1, {"eu": 45.0, "us": 60.0}, holding("eu"))
    assert clusters(found) == ["eu"]
    assert (found.leaving, found.held_back) == ({}, frozenset({"eu"}))


def test_the_first_of_a_crowd_to_be_silent_for_too_long_is_not_taken_for_one_alone() -> None:
    used, overdue = (holding("eu"),), {"us": 9.0}
    alone = ask(1, holdings=used, silent_seconds={"eu": 15.0}, policy=tolerating(15))
    assert clusters(decide(alone, fleet(*three()))) == ["us"]
    found = decide(replace(alone, overdue_seconds=overdue), fleet(*three()))
    assert (found.leaving, found.held_back) == ({}, frozenset({"eu"}))
    assert seconds_until_change(found) == 6.0


@pytest.mark.parametrize(("late", "again"), [(14.9, 0.5), (15.0, 0.5), (15.4, 0.5), (14.0, 1.0)])
def test_who_is_about_to_be_counted_as_silent_is_waited_for(late: float, again: float) -> None:
    found = without_news(1, {"eu": 15.0}, holding("eu"), policy=tolerating(15))
    asked = replace(found.field.ask, overdue_seconds={"us": late})
    assert seconds_until_change(decide(asked, fleet(*three()))) == again


def test_half_of_the_fleet_is_not_most_of_it() -> None:
    members = [*three(), member("b")]
    found = without_news(1, {"eu": 45.0, "us": 45.0}, holding("eu"), members=members)
    assert clusters(found) == ["b"]
    assert found.held_back == frozenset()


def test_members_lost_one_long_after_the_other_are_lost_each_for_itself() -> None:
    found = without_news(1, {"eu": 31.0, "us": 62.0}, holding("eu"))
    assert clusters(found) == ["apac"]
    assert (found.leaving, found.held_back) == ({"eu": Cause.SILENT}, frozenset())


def test_only_those_that_fell_silent_with_most_of_the_fleet_are_held_back() -> None:
    members = [*three(), member("b"), member("c")]
    silent = {"eu": 40.0, "us": 41.0, "apac": 42.0, "b": 900.0}
    found = without_news(2, silent, holding("eu"), holding("b"), members=members)
    assert clusters(found) == ["eu", "c"]
    assert (found.leaving, found.held_back) == ({"b": Cause.SILENT}, frozenset({"eu"}))


@pytest.mark.parametrize("other", [going("old"), member("old", joined=False)])
def test_who_is_not_in_the_fleet_is_no_part_of_a_crowd(other: MemberCluster) -> None:
    silent = {"us": 40.0, "old": 50.0}
    found = without_news(1, silent, holding("us"), members=[*three(), other])
    assert clusters(found) == ["eu"]
    assert (found.leaving, found.held_back) == ({"us": Cause.SILENT}, frozenset())


@given(
    silences=st.dictionaries(
        st.sampled_from(["us", "eu", "apac", "b", "c"]), st.floats(0, 1000), max_size=5
    ),
    toleration=st.integers(1, 300),
)
def test_no_more_than_half_of_a_fleet_that_fell_silent_together_ever_moves(
    silences: dict[str, float], toleration: int
) -> None:
    names = ["us", "eu", "apac", "b", "c"]
    members = [member(name) for name in names]
    used = [holding(name) for name in names]
    found = without_news(5, silences, *used, members=members, policy=tolerating(toleration))
    moved = sorted(silences[name] for name in found.leaving)
    for place, start in enumerate(moved):
        together = [each for each in moved[place:] if each <= start + toleration]
        assert 2 * len(together) <= len(names)
    assert all(silences[name] >= max(toleration, 15) for name in found.leaving)


def silent_before(cluster: str, **more: Any) -> Holding:
    return holding(cluster, in_use=False, fell_silent=True, **({"ready": True} | more))


def test_a_member_that_answers_first_takes_its_share_back() -> None:
    found = without_news(1, {}, silent_before("eu"), holding("us"))
    assert clusters(found) == ["eu"]
    assert found.leaving == {"us": Cause.REPLACED}


@pytest.mark.parametrize(
    ("former", "latter", "silent"),
    [
        (silent_before("eu"), holding("us", ready=True), {}),
        (silent_before("eu", ready=False), holding("us"), {}),
        (holding("eu", in_use=False, ready=True), holding("us"), {}),
        (silent_before("eu"), holding("us"), {"eu": 16.0}),
        (silent_before("eu"), holding("us"), {"eu": 0.0}),
        (silent_before("gone"), holding("us"), {}),
    ],
)
def test_a_member_that_answers_too_late_or_not_ready_is_left_alone(
    former: Holding, latter: Holding, silent: dict[str, float]
) -> None:
    found = without_news(1, silent, former, latter)
    assert clusters(found) == ["us"]
    assert found.leaving == {}


def test_a_member_that_may_not_be_chosen_any_more_does_not_come_back() -> None:
    members = [member("us"), member("eu", taint="broken")]
    found = without_news(1, {}, silent_before("eu"), holding("us"), members=members)
    assert clusters(found) == ["us"]


def test_a_member_comes_back_beside_the_others_where_there_is_a_place() -> None:
    found = without_news(2, {}, silent_before("eu"), holding("apac"))
    assert clusters(found) == ["apac", "eu"]
    assert found.leaving == {}


def test_of_several_that_are_not_ready_the_least_valuable_makes_room() -> None:
    used = (silent_before("eu"), holding("us", points=-9), holding("apac", points=-5))
    found = without_news(2, {}, *used)
    assert clusters(found) == ["apac", "eu"]
    assert found.leaving == {"us": Cause.REPLACED}


def test_under_pick_all_nobody_makes_room() -> None:
    used = (silent_before("us"), holding("eu"))
    found = decide(ask(None, holdings=used), fleet(member("eu", taint="later"), member("us")))
    assert clusters(found) == ["eu", "us"]
    assert found.leaving == {}


@pytest.mark.parametrize("member_there", [None, going("eu")])
def test_a_cluster_that_left_is_replaced(member_there: MemberCluster | None) -> None:
    members = [member("us"), *([member_there] if member_there else [])]
    found = without_news(1, {}, holding("eu"), members=members)
    assert clusters(found) == ["us"]
    assert found.leaving == {"eu": Cause.LEFT}


def test_what_is_beyond_the_number_goes_the_least_valuable_first() -> None:
    used = (
        holding("eu", points=9),
        holding("us", bound=True, points=-9),
        holding("apac", points=9),
    )
    found = decide(ask(2, holdings=used), fleet(*three()))
    assert clusters(found) == ["us", "eu"]
    assert found.leaving == {"apac": Cause.SURPLUS}


def test_what_is_in_use_stays_whatever_is_said_of_its_cluster_since() -> None:
    members = [member("eu", taint="broken", joined=False), member("us")]
    found = decide(ask(1, holdings=(holding("eu"),)), fleet(*members))
    (choice,) = found.chosen
    assert (choice.cluster, choice.reason, choice.kept) == ("eu", "best", True)


def test_a_changed_demand_keeps_its_cluster_with_what_it_takes_now() -> None:
    used = holding("us", allocation(phi(A100), A100), current=False)
    found = decide(ask(1, phi(A10), holdings=(used,)), fleet(*three(pool(A10))))
    (choice,) = found.chosen
    assert (choice.cluster, choice.kept) == ("us", False)
    assert [given.instance_type for given in choice.allocations] == [A10]


@pytest.mark.parametrize("same_rules", [True, False])
def test_a_changed_demand_that_fits_no_more_moves(*, same_rules: bool) -> None:
    used = holding("us", allocation(phi()), current=False, same_rules=same_rules)
    members = [member("us", pool(V100)), member("apac", pool(A10))]
    found = decide(ask(1, phi(), holdings=(used,)), fleet(*members))
    assert clusters(found) == ["apac"]
    assert found.leaving == {"us": Cause.UNFIT}


def test_under_a_changed_policy_a_cluster_must_be_chosen_anew() -> None:
    used = holding("us", current=False, same_rules=False)
    found = decide(ask(1, holdings=(used,)), fleet(member("us", taint="broken"), member("eu")))
    assert clusters(found) == ["eu"]
    assert found.leaving == {"us": Cause.UNFIT}


def sold_out(name: str = "eu", **more: Any) -> MemberCluster:
    return member(name, pool(A10, **({"soldOutUntil": LATER} | more)))


def mine(**more: Any) -> Holding:
    return holding("eu", allocation(phi()), **more)


def test_a_sold_out_share_goes_where_there_are_nodes() -> None:
    found = decide(ask(1, phi(), holdings=(mine(),)), fleet(sold_out(), member("us", pool(A10))))
    assert clusters(found) == ["us"]
    assert found.leaving == {"eu": Cause.SOLD_OUT}
    assert (found.settled, seconds_until_change(found)) == (True, None)


def test_a_sold_out_share_waits_where_there_is_nowhere_else() -> None:
    found = decide(ask(1, phi(), holdings=(mine(),)), fleet(sold_out()))
    assert clusters(found) == ["eu"]
    assert (found.leaving, found.waiting) == ({}, frozenset({"eu"}))
    assert (found.fulfilled, found.settled) == (True, False)
    assert seconds_until_change(found) == 601.0


def held() -> list[dict[str, Any]]:
    return [{"kind": "Workspace", "namespace": "demo", "name": "phi", "gpus": 1}]


@pytest.mark.parametrize(
    ("used", "cluster"),
    [
        (mine(ready=True), sold_out()),
        (mine(), sold_out(holds=held())),
        (mine(), sold_out(soldOutUntil=NOON)),
        (holding("eu"), sold_out()),
        (holding("eu", allocation(phi(), A100)), sold_out()),
    ],
)
def test_a_share_that_lacks_nothing_does_not_mind_what_is_sold_out(
    used: Holding, cluster: MemberCluster
) -> None:
    found = decide(ask(1, phi(), holdings=(used,)), fleet(cluster, member("us", pool(A10))))
    assert clusters(found) == ["eu"]
    assert (found.leaving, found.waiting) == ({}, frozenset())


def test_pick_all_waits_in_every_cluster() -> None:
    asked = ask(None, phi(), policy={"scoring": {}}, holdings=(mine(),))
    found = decide(asked, fleet(sold_out(), member("us", pool(A10))))
    assert clusters(found) == ["eu", "us"]


def test_what_lacks_room_is_looked_at_again_when_the_first_kind_is_sold_again() -> None:
    later = {"soldOutUntil": NOON + timedelta(hours=1)}
    members = [sold_out("eu"), sold_out("us", **later), sold_out("apac", soldOutUntil=NOON)]
    short = decide(ask(2, phi(), policy={"scoring": {}}), fleet(*members))
    assert (clusters(short), short.short_by) == (["apac"], 1)
    assert seconds_until_change(short) == 601.0
    unscored = decide(ask(4), fleet(*members))
    assert (unscored.short_by, seconds_until_change(unscored)) == (1, None)
