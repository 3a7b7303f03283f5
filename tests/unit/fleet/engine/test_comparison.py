"""Why the last that is chosen stands before the next best: by what comes first in the order."""

from collections.abc import Mapping
from typing import Any

import pytest

from fleet.api.binding import ClusterDecision, ClusterScore
from fleet.engine.ask import Holding
from fleet.engine.comparison import EQUAL, STAYS, Advantage, advantage
from fleet.engine.decide import decide
from tests.unit.fleet.engine.fleets import A10, A100, ask, fleet, holding, member, phi, pool

ZONES = {"a": "east", "b": "east", "c": "west", "d": "west"}
SPREAD = {"topologySpreadConstraints": [{"topologyKey": "zone", "maxSkew": 2}]}
STRICT = {"topologySpreadConstraints": [{"topologyKey": "zone", "maxSkew": 1}]}
PREFERS = {
    "affinity": {
        "clusterAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 7, "preference": {"labelSelector": {"matchLabels": {"zone": "east"}}}}
            ]
        }
    }
}


def why(
    number: int | None,
    policy: dict[str, Any],
    *held: Holding,
    zones: Mapping[str, str] = ZONES,
) -> Advantage | None:
    members = [member(name, labels={"zone": zone}) for name, zone in zones.items()]
    return advantage(decide(ask(number, policy=policy, holdings=held), fleet(*members)))


@pytest.mark.parametrize(
    ("number", "policy", "found"),
    [
        (1, {}, Advantage("d", "c", EQUAL)),
        (2, PREFERS, Advantage("a", "d", "affinity 7 against 0")),
        (1, SPREAD, Advantage("d", "c", EQUAL)),
        (2, SPREAD, Advantage("b", "a", EQUAL)),
        (3, SPREAD | PREFERS, Advantage("a", "c", "affinity 7 against 0")),
        (2, STRICT, Advantage("b", "a", EQUAL)),
        (4, SPREAD, None),
        (None, {}, None),
        (0, {}, None),
        (2, {"placementType": "PickFixed", "clusterNames": ["a"]}, None),
    ],
)
def test_the_first_thing_in_which_two_differ_is_the_reason(
    number: int | None, policy: dict[str, Any], found: Advantage | None
) -> None:
    assert why(number, policy) == found


@pytest.mark.parametrize(
    ("constraint", "other"),
    [({"maxSkew": 2}, -1), ({"maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway"}, -1000)],
)
def test_the_balance_comes_first_and_is_that_which_the_last_pick_met(
    constraint: dict[str, Any], other: int
) -> None:
    zones = {"a": "north", "c": "east", "d": "east"}
    policy = PREFERS | {"topologySpreadConstraints": [{"topologyKey": "zone", **constraint}]}
    reason = f"topology spread 1 against {other}"
    assert why(2, policy, zones=zones) == Advantage("a", "c", reason)


@pytest.mark.parametrize(
    ("held", "policy", "found"),
    [
        (["d"], {}, Advantage("d", "c", EQUAL)),
        (["a"], {}, Advantage("a", "d", STAYS)),
        (["d"], PREFERS, Advantage("d", "b", STAYS)),
        (["a"], SPREAD, Advantage("a", "d", STAYS)),
    ],
)
def test_what_is_in_use_has_its_reason_from_then_or_stays_without_one(
    held: list[str], policy: dict[str, Any], found: Advantage
) -> None:
    assert why(len(held), policy, *map(holding, held)) == found


def test_of_what_is_in_use_the_last_pick_is_told_by_its_points() -> None:
    before = [picked("d", -1), picked("b", 1)]
    assert why(2, SPREAD, *before) == Advantage("b", "a", EQUAL)


def picked(cluster: str, topology: int) -> Holding:
    score = ClusterScore(affinity_score=0, priority_score=topology)
    decision = ClusterDecision(
        cluster_name=cluster, selected=True, reason="best", cluster_score=score
    )
    return Holding(cluster=cluster, decision=decision, allocations=())


def test_what_it_costs_is_a_reason_after_all_that_a_user_said() -> None:
    cheap, dear = member("a", pool(A10)), member("b", pool(A100))
    found = advantage(decide(ask(1, phi()), fleet(cheap, dear)))
    assert found is not None
    assert found[:2] == ("a", "b")
    assert found.reason.startswith("score ")
