"""Clusters are spread over domains by KubeFleet's rules."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.engine.decide import decide
from fleet.engine.rules import Even
from fleet.engine.topology import VIOLATION, spread
from fleet.engine.verdicts import Cause, Ranked, Rejected
from tests.unit.fleet.engine.fleets import ask, fleet, holding, member

ZONES = {"a1": "a", "a2": "a", "a3": "a", "b1": "b", "c1": "c"}


def zoned(**zones: str) -> Any:
    clusters = zones or ZONES
    members = [
        member(name, labels={"zone": zone} if zone else {}) for name, zone in clusters.items()
    ]
    return fleet(*members)


def constraint(skew: int = 1, *, hard: bool = True) -> Even:
    return Even("zone", skew, hard)


@pytest.mark.parametrize(
    ("taken", "change"),
    [
        ([], {"a2": -1, "b1": -1, "c1": -1}),
        (["a1"], {"a2": -1, "b1": 0, "c1": 0}),
        (["a1", "b1"], {"a2": -1, "c1": 1}),
        (["a1", "b1", "c1"], {"a2": -1}),
        (["a1", "a2"], {"a3": -1, "b1": 0, "c1": 0}),
        (["unheard-of"], {"a1": -1}),
    ],
)
def test_a_cluster_earns_by_what_it_does_to_the_balance(
    taken: list[str], change: dict[str, int]
) -> None:
    found = zoned()
    score = spread([constraint(9)], found, taken).score
    assert {name: int(score[found.order[name]]) for name in change} == change


@pytest.mark.parametrize("hard", [True, False])
def test_a_skew_beyond_the_limit_is_forbidden_or_costs_dear(*, hard: bool) -> None:
    found = zoned()
    judged = spread([constraint(hard=hard)], found, ["a1"])
    line = found.order["a2"]
    assert bool(judged.violates[line]) is hard
    assert judged.score[line] == (0 if hard else VIOLATION)
    assert not judged.violates[found.order["b1"]]


def test_a_cluster_without_the_label_is_no_part_of_the_spread() -> None:
    found = zoned(a1="a", b1="b", none="")
    judged = spread([constraint()], found, ["a1", "none"])
    line = found.order["none"]
    assert (judged.score[line], bool(judged.violates[line])) == (0, False)
    assert judged.score[found.order["b1"]] == 1


def test_no_label_anywhere_leaves_everything_as_it_is() -> None:
    judged = spread([constraint()], zoned(a="", b=""), ["a"])
    assert (judged.score.tolist(), judged.violates.tolist()) == ([0, 0], [False, False])


def test_one_domain_alone_is_judged_as_the_largest_of_several() -> None:
    judged = spread([constraint()], zoned(a1="a", a2="a"), ["a1"])
    assert (judged.score.tolist(), judged.violates.tolist()) == ([-1, -1], [False, False])


def topology(skew: int = 1, *, hard: bool = True) -> dict[str, Any]:
    mode = "DoNotSchedule" if hard else "ScheduleAnyway"
    given = {"maxSkew": skew, "topologyKey": "zone", "whenUnsatisfiable": mode}
    return {"topologySpreadConstraints": [given]}


def test_each_choice_is_judged_beside_those_before_it() -> None:
    found = decide(ask(3, policy=topology()), zoned())
    assert [choice.cluster for choice in found.chosen] == ["c1", "b1", "a3"]
    assert [choice.score.topology for choice in found.chosen if choice.score] == [-1, 0, 1]


def test_what_is_in_use_counts_for_the_balance() -> None:
    found = decide(ask(2, policy=topology(), holdings=(holding("c1"),)), zoned())
    assert [choice.cluster for choice in found.chosen] == ["c1", "b1"]


def test_of_an_older_policy_only_the_first_pick_under_a_spread_is_preferred() -> None:
    old = tuple(holding(name, current=False) for name in ("a1", "b1"))
    found = decide(ask(2, policy=topology(), holdings=old), zoned(a1="a", a2="a", b1="b", b2="b"))
    assert [choice.cluster for choice in found.chosen] == ["b1", "a2"]
    assert found.leaving == {"a1": Cause.UNFIT}


def test_others_are_judged_as_the_last_was_when_it_was_picked() -> None:
    found = decide(ask(2, policy=topology()), zoned(a1="a", a2="a", b1="b"))
    assert [choice.cluster for choice in found.chosen] == ["b1", "a2"]
    (other,) = found.others()
    assert isinstance(other, Ranked)
    assert (other.cluster, other.score and other.score.topology) == ("a1", 1)


def test_a_spread_that_forbids_all_others_leaves_a_placement_short_and_says_why() -> None:
    found = decide(ask(4, policy=topology()), zoned(a1="a", a2="a", a3="a", b1="b"))
    assert [choice.cluster for choice in found.chosen] == ["b1", "a3", "a2"]
    assert (found.short_by, found.fulfilled) == (1, False)
    (verdict,) = found.others()
    assert isinstance(verdict, Rejected)
    assert (verdict.cluster, verdict.by) == ("a1", "topology-spread")
    assert verdict.reason == "would skew the spread over zone by more than 1"


def test_a_spread_that_is_only_liked_fills_up_all_the_same() -> None:
    found = decide(ask(4, policy=topology(hard=False)), zoned(a1="a", a2="a", a3="a", b1="b"))
    assert (len(found.chosen), found.short_by) == (4, 0)
    last = found.chosen[-1].score
    assert last is not None
    assert last.topology == VIOLATION


@given(
    zones=st.lists(st.sampled_from("abc"), min_size=1, max_size=7),
    number=st.integers(0, 8),
    skew=st.integers(1, 3),
)
def test_a_spread_is_never_more_uneven_than_is_allowed(
    zones: list[str], number: int, skew: int
) -> None:
    clusters = {f"c{place}": zone for place, zone in enumerate(zones)}
    found = decide(ask(number, policy=topology(skew)), zoned(**clusters))
    counts = dict.fromkeys(zones, 0)
    for choice in found.chosen:
        counts[clusters[choice.cluster]] += 1
    assert max(counts.values()) - min(counts.values()) <= skew
    assert len(found.chosen) + found.short_by == number
