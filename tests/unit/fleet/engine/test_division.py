"""The replicas of a ModelDeployment are divided over its clusters, and stay where they serve."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.engine.ask import Holding
from fleet.engine.decide import Decision, decide
from fleet.engine.verdicts import Cause
from tests.unit.fleet.engine.fleets import (
    A10,
    A100,
    V100,
    allocation,
    ask,
    fleet,
    holding,
    member,
    phi,
    pool,
    qwen,
    three,
)

UP_TO = {"scoring": {"maxClusters": 3}}
HELD = {"kind": "InferenceSet", "namespace": "demo", "name": "qwen"}


def shares(found: Decision) -> dict[str, int]:
    return {
        choice.cluster: sum(given.replicas for given in choice.allocations)
        for choice in found.chosen
    }


def serving(cluster: str, replicas: int, total: int, **more: Any) -> Holding:
    usd = str(Decimal("3.84") * replicas)
    share = allocation(qwen(total), replicas=replicas, usdPerHour=usd)
    return holding(cluster, share, **({"ready": True, "bound": True} | more))


def served(replicas: int, spare: int = 0, **more: Any) -> dict[str, Any]:
    """Build a pool whose nodes the deployment holds, but for some."""
    return pool(A10, spare, holds=[{**HELD, "gpus": replicas}], **more)


def test_an_even_share_goes_to_each_and_the_rest_to_the_cheaper() -> None:
    found = decide(ask(3, qwen(7)), fleet(*three(pool(A10, 20))))
    assert shares(found) == {"eu": 3, "us": 2, "apac": 2}
    assert [str(choice.usd_per_hour) for choice in found.chosen] == ["11.52", "7.872", "9.28"]
    assert found.fulfilled


def test_a_cluster_with_little_room_gets_what_it_can_hold() -> None:
    members = [member("eu", pool(A10, 1)), member("us", pool(A10, 9))]
    found = decide(ask(2, qwen(6)), fleet(*members))
    assert shares(found) == {"eu": 1, "us": 5}


def test_what_can_hold_an_even_share_is_chosen_before_what_is_cheaper() -> None:
    members = [member("eu", pool(A10, 1)), member("us", pool(A10, 9))]
    assert shares(decide(ask(1, qwen(4)), fleet(*members))) == {"us": 4}


def test_further_clusters_are_taken_only_where_room_asks_for_them() -> None:
    roomy = decide(ask(1, qwen(4), policy=UP_TO), fleet(*three(pool(A10, 4))))
    assert shares(roomy) == {"eu": 4}
    tight = decide(ask(1, qwen(4), policy=UP_TO), fleet(*three(pool(A10, 3))))
    assert shares(tight) == {"eu": 2, "us": 2}
    assert tight.settled


@pytest.mark.parametrize(
    ("policy", "placed"), [({}, {"eu": 2}), (UP_TO, {"eu": 2, "us": 2, "apac": 2})]
)
def test_what_finds_no_room_is_said(policy: dict[str, Any], placed: dict[str, int]) -> None:
    found = decide(ask(1, qwen(9), policy=dict(policy)), fleet(*three(pool(A10, 2))))
    assert shares(found) == placed
    assert (found.unplaced, found.fulfilled) == (9 - sum(placed.values()), False)


def test_a_limit_of_money_limits_a_clusters_share() -> None:
    policy = {"scoring": {"limits": {"usdPerHour": "8"}, "maxClusters": 2}}
    found = decide(ask(1, qwen(4), policy=policy), fleet(*three(pool(A10, 9))))
    assert shares(found) == {"eu": 2, "us": 2}


def test_replicas_are_divided_only_where_they_are_all_there_is_to_place() -> None:
    found = decide(ask(2, qwen(2), phi()), fleet(*three(pool(A10, 9))))
    assert shares(found) == {"eu": 3, "us": 3}


def test_a_lost_share_moves_and_the_others_stay_as_they_are() -> None:
    used = (serving("eu", 2, 6), serving("us", 2, 6), serving("gone", 2, 6))
    members = [member("eu", served(2)), member("us", served(2)), member("apac", pool(A10))]
    found = decide(ask(3, qwen(6), holdings=used), fleet(*members))
    assert shares(found) == {"eu": 2, "us": 2, "apac": 2}
    assert [choice.kept for choice in found.chosen if choice.cluster != "apac"] == [True, True]
    assert found.leaving == {"gone": Cause.LEFT}


def test_a_lost_share_goes_to_the_others_where_there_is_no_further_cluster() -> None:
    used = (serving("eu", 2, 4), serving("gone", 2, 4))
    found = decide(ask(2, qwen(4), holdings=used), fleet(member("eu", served(2, 3))))
    assert shares(found) == {"eu": 4}
    assert (found.short_by, found.unplaced) == (1, 0)


def test_a_share_beyond_the_least_number_does_not_move_to_what_is_cheaper_now() -> None:
    used = (serving("eu", 2, 4), serving("us", 2, 4))
    members = [
        member("eu", served(2)),
        member("us", served(2)),
        member("apac", pool(A10, 0, gpusFree=30)),
    ]
    found = decide(ask(1, qwen(4), policy=UP_TO, holdings=used), fleet(*members))
    assert shares(found) == {"us": 2, "eu": 2}
    assert found.leaving == {}


def test_under_a_changed_demand_fewer_clusters_may_do() -> None:
    used = (serving("eu", 2, 4, current=False), serving("us", 2, 4, current=False))
    members = [member("eu", served(2, 4)), member("us", served(2, 4))]
    found = decide(ask(1, qwen(2), policy=UP_TO, holdings=used), fleet(*members))
    assert shares(found) == {"us": 2}
    assert found.leaving == {"eu": Cause.SURPLUS}


def test_fewer_clusters_are_left_when_the_policy_says_so() -> None:
    used = (serving("eu", 2, 4), serving("us", 2, 4))
    members = [member("eu", served(2, 4)), member("us", served(2, 4))]
    found = decide(ask(1, qwen(4), holdings=used), fleet(*members))
    assert shares(found) == {"us": 4}
    assert found.leaving == {"eu": Cause.SURPLUS}


def test_a_share_shrinks_on_its_own_type_though_the_member_offers_it_no_more() -> None:
    used = serving("eu", 4, 4)
    members = [member("eu"), member("us", pool(V100), pool(A10))]
    found = decide(ask(2, qwen(4), holdings=(used,)), fleet(*members))
    assert shares(found) == {"eu": 2, "us": 2}
    shrunk = next(choice for choice in found.chosen if choice.cluster == "eu")
    assert [given.instance_type for given in shrunk.allocations] == [A10]
    assert shrunk.usd_per_hour == Decimal("7.68")


@given(
    rooms=st.lists(st.integers(0, 6), min_size=1, max_size=4),
    replicas=st.integers(1, 12),
    least=st.integers(1, 3),
    most=st.none() | st.integers(1, 4),
)
def test_shares_keep_to_the_room_and_to_the_numbers_of_clusters(
    rooms: list[int], replicas: int, least: int, most: int | None
) -> None:
    members = [member(f"c{place}", pool(A10, room)) for place, room in enumerate(rooms)]
    policy = {"scoring": {"maxClusters": most}} if most else {}
    replicas = max(replicas, least)
    found = decide(ask(least, qwen(replicas), policy=policy), fleet(*members))
    placed = shares(found)
    assert sum(placed.values()) + found.unplaced == replicas
    assert all(0 < share <= rooms[int(name[1:])] for name, share in placed.items())
    assert len(placed) <= max(least, most or 0)
    assert found.short_by == max(0, least - len(placed))
    with_room = sum(room > 0 for room in rooms)
    assert len(placed) >= min(least, with_room)


@given(
    rooms=st.lists(st.integers(1, 6), min_size=2, max_size=4),
    replicas=st.integers(2, 9),
    lost=st.integers(0, 3),
)
def test_when_a_cluster_is_lost_no_other_serves_less(
    rooms: list[int], replicas: int, lost: int
) -> None:
    policy = {"scoring": {"maxClusters": 4}}
    members = [member(f"c{place}", pool(A10, room)) for place, room in enumerate(rooms)]
    first = decide(ask(1, qwen(replicas), policy=dict(policy)), fleet(*members))
    used = tuple(serving(name, share, replicas) for name, share in shares(first).items())
    gone = sorted(shares(first))[lost % len(first.chosen)]
    left = [
        member(each.name, served(share, rooms[int(each.name[1:])] - share))
        for each in members
        if each.name != gone
        for share in [shares(first).get(each.name, 0)]
    ]
    again = decide(ask(1, qwen(replicas), policy=dict(policy), holdings=used), fleet(*left))
    before = {name: share for name, share in shares(first).items() if name != gone}
    assert all(shares(again)[name] >= share for name, share in before.items())
    assert sum(shares(again).values()) == min(replicas, sum(rooms) - rooms[int(gone[1:])])


def test_another_type_may_hold_a_larger_share() -> None:
    found = decide(ask(1, qwen(3)), fleet(member("eu", pool(A10, 2), pool(A100, 3))))
    (choice,) = found.chosen
    assert [given.instance_type for given in choice.allocations] == [A100]
