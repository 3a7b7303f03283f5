"""What a demand takes and costs in a cluster, and what keeps it out."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from fleet.api.snapshot import Demand
from fleet.catalog.prices import Prices
from fleet.engine.decide import Decision, decide
from fleet.engine.fleet import Fleet
from fleet.engine.ledger import Pending
from fleet.engine.rows import Slot
from fleet.engine.verdicts import Ranked, Rejected
from tests.unit.fleet.engine.fleets import (
    A10,
    A100,
    A100X4,
    CATALOGUE,
    NOON,
    V100,
    allocation,
    ask,
    fleet,
    holding,
    member,
    phi,
    pool,
    qwen,
)

LATER = NOON + timedelta(hours=1)
MIXED = phi(name="large", weights_gib="60")


def chosen(found: Decision) -> Ranked:
    (choice,) = found.chosen
    return choice


def parts(found: Decision) -> dict[str, int]:
    score = chosen(found).score
    assert score is not None
    return dict(score.parts)


def scoring(**more: Any) -> dict[str, Any]:
    return {"scoring": more}


def holds(demand: Demand, gpus: int) -> list[dict[str, Any]]:
    return [{"kind": demand.kind, "namespace": "demo", "name": demand.name, "gpus": gpus}]


def test_a_node_that_must_be_made_costs_its_price_and_one_that_is_there_nothing() -> None:
    made = decide(ask(1, phi()), fleet(member("eu", pool(A10, 1))))
    there = decide(ask(1, phi()), fleet(member("eu", pool(A10, 1, gpusFree=1))))
    assert parts(made) == {"price": -384, "headroom": 0}
    assert parts(there) == {"price": 0, "headroom": 1}
    assert chosen(made).usd_per_hour == chosen(there).usd_per_hour == Decimal("3.84")


def test_only_the_nodes_that_are_not_there_are_paid_for() -> None:
    three = phi(replicas=3)
    found = decide(ask(1, three), fleet(member("eu", pool(A10, 4, gpusFree=1))))
    assert parts(found) == {"price": -768, "headroom": 2}
    assert chosen(found).usd_per_hour == Decimal("11.52")


def test_a_free_node_abroad_beats_a_cheaper_one_that_must_be_made() -> None:
    found = decide(
        ask(1, phi()), fleet(member("eu", pool(A10)), member("apac", pool(A10, 0, gpusFree=1)))
    )
    assert chosen(found).cluster == "apac"


def test_room_left_over_earns_by_the_gpu_and_no_more_than_twenty() -> None:
    found = decide(
        ask(1, phi()), fleet(member("eu", pool(A100X4, 3)), member("us", pool(A100X4, 9)))
    )
    verdicts = {each.cluster: each for each in (*found.chosen, *found.others())}
    scores = {name: each.score for name, each in verdicts.items() if isinstance(each, Ranked)}
    assert {name: score.parts["headroom"] for name, score in scores.items() if score} == {
        "eu": 8,
        "us": 20,
    }


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ({"price": 1, "headroom": 0}, {"price": -4, "headroom": 0}),
        ({"price": 0, "headroom": 10}, {"price": 0, "headroom": 30}),
        ({"price": 10}, {"price": -38, "headroom": 3}),
    ],
)
def test_points_are_weighted_and_rounded(weights: dict[str, int], expected: dict[str, int]) -> None:
    found = decide(ask(1, phi(), policy=scoring(weights=weights)), fleet(member("eu", pool(A10))))
    assert parts(found) == expected


@pytest.mark.parametrize(
    ("pools", "taken"),
    [
        ([pool(A100), pool(A10)], A10),
        ([pool(A100, gpusFree=1), pool(A10)], A100),
        ([pool(A100), pool(A10, 0)], A100),
        ([pool(A100), pool(V100)], A100),
        ([pool("unheard.of"), pool(A100)], A100),
        ([pool(A10, 4, gpusFree=1), pool(A100, 4, gpusFree=1)], A10),
        ([pool(A100), pool(A10, soldOutUntil=LATER)], A100),
        ([pool(A100), pool(A10, soldOutUntil=NOON)], A10),
        ([pool(A100), pool(A10, gpusFree=1, soldOutUntil=LATER)], A10),
    ],
)
def test_the_best_kind_of_instance_in_a_cluster_is_taken(
    pools: list[dict[str, Any]], taken: str
) -> None:
    found = decide(ask(1, phi()), fleet(member("eu", *pools)))
    assert [given.instance_type for given in chosen(found).allocations] == [taken]


def test_of_kinds_with_equal_points_the_cheaper_is_taken() -> None:
    free = {"weights": {"price": 0, "headroom": 0}}
    found = decide(
        ask(1, phi(), policy=scoring(**free)), fleet(member("eu", pool(A100), pool(A10)))
    )
    assert [given.instance_type for given in chosen(found).allocations] == [A10]


@pytest.mark.parametrize(
    ("wanted", "has", "found"),
    [
        ("", "spot", False),
        ("", "reserved", True),
        ("spot", "spot", True),
        ("spot", "on-demand", False),
        ("on-demand", "reserved", False),
    ],
)
def test_spot_is_taken_only_where_it_is_named(wanted: str, has: str, *, found: bool) -> None:
    demand = phi(capacity_type=wanted)
    decided = decide(ask(1, demand), fleet(member("eu", pool(A10, capacityType=has))))
    if found:
        assert [given.capacity_type for given in chosen(decided).allocations] == [has]
    else:
        assert list(decided.others()) == [
            Rejected("eu", "gpu-fit", f"phi-4-mini-instruct: {A10} is {has}")
        ]


@pytest.mark.parametrize(
    ("demand", "pools", "why"),
    [
        (phi(), [], "has no GPU nodes"),
        (phi(A100), [pool(A10)], f"has no {A100}"),
        (
            phi(A100).model_copy(update={"gpu_models": ("H100",)}),
            [pool(A10)],
            f"has no {A100} or H100",
        ),
        (phi(A100), [pool(A10), pool(A100, 0)], f"{A100} has 0 of 1 nodes"),
        (phi(replicas=5), [pool(A10)], f"{A10} has 4 of 5 nodes"),
        (phi(), [pool("unheard.of")], "unheard.of is not in the catalogue"),
        (phi(), [pool(A10, soldOutUntil=LATER)], f"{A10} is sold out"),
        (
            phi(),
            [pool(V100), pool(A10, 0)],
            f"{V100} compute capability 7.0, 8.0 is needed; {A10} has 0 of 1 nodes",
        ),
    ],
)
def test_what_keeps_a_demand_out_is_said_of_each_kind(
    demand: Demand, pools: list[dict[str, Any]], why: str
) -> None:
    found = decide(ask(1, demand), fleet(member("eu", *pools), member("us", pool(V100))))
    reasons = {each.cluster: each for each in found.others()}
    assert reasons["eu"] == Rejected("eu", "gpu-fit", f"phi-4-mini-instruct: {why}")


def test_in_a_fleet_without_gpus_nothing_fits() -> None:
    for demand in (phi(), qwen(2)):
        found = decide(ask(1, demand), fleet(member("eu")))
        assert found.short_by == 1
        assert list(found.others()) == [
            Rejected("eu", "gpu-fit", f"{demand.model}: has no GPU nodes")
        ]


def test_without_any_price_nothing_is_taken() -> None:
    unpriced = Fleet(CATALOGUE.with_prices(Prices()), [member("eu", pool(A10))])
    assert list(decide(ask(1, phi()), unpriced).others()) == [
        Rejected("eu", "gpu-fit", f"phi-4-mini-instruct: {A10} has no price")
    ]


def test_a_template_is_named_by_its_workload() -> None:
    own = Demand(kind="Workspace", namespace="demo", name="own", gpus_per_replica=2)
    found = decide(ask(1, own), fleet(member("eu", pool(A10))))
    assert list(found.others()) == [
        Rejected("eu", "gpu-fit", f"own: {A10} has 1 of the 2 GPUs that are asked for")
    ]


def test_a_cluster_where_a_workload_costs_more_than_the_limit_is_filtered_out() -> None:
    asked = ask(1, phi(), policy=scoring(limits={"usdPerHour": "3.84"}))
    found = decide(asked, fleet(member("eu", pool(A10)), member("us", pool(A10))))
    assert chosen(found).cluster == "eu"
    assert list(found.others()) == [
        Rejected("us", "gpu-fit", f"phi-4-mini-instruct: {A10} costs $3.94/h, 3.84 is the limit")
    ]


def test_what_others_were_promised_is_not_there() -> None:
    pending = [Pending("eu", Slot(A10, "on-demand"), 2), Pending("gone", Slot(A10, "on-demand"), 1)]
    one_free = fleet(member("eu", pool(A10, 2, gpusFree=1)))
    assert parts(decide(ask(1, phi()), one_free, pending)) == {"price": -384, "headroom": 0}
    full = decide(ask(1, phi(replicas=2)), one_free, pending)
    assert list(full.others()) == [
        Rejected("eu", "gpu-fit", f"phi-4-mini-instruct: {A10} has 1 of 2 nodes")
    ]


def test_what_a_placement_holds_itself_is_its_own_to_use() -> None:
    demand = phi()
    mine = holding("eu", allocation(demand), current=False)
    found = decide(
        ask(1, demand, holdings=(mine,)),
        fleet(member("eu", pool(A10, 0, holds=holds(demand, 1))), member("us", pool(A10))),
    )
    assert chosen(found).cluster == "eu"
    assert parts(found) == {"price": 0, "headroom": 0}


def test_of_several_workloads_the_largest_is_placed_first() -> None:
    small = phi()
    found = decide(ask(1, small, MIXED), fleet(member("eu", pool(A100, 1), pool(A10, 1))))
    taken = {given.name: given.instance_type for given in chosen(found).allocations}
    assert taken == {"large": A100, "phi": A10}
    assert chosen(found).usd_per_hour == Decimal("8.248")


def test_several_workloads_never_share_a_node() -> None:
    found = decide(ask(1, phi(), MIXED), fleet(member("eu", pool(A100, 1))))
    assert list(found.others()) == [
        Rejected("eu", "gpu-fit", f"phi-4-mini-instruct: {A100} has 0 of 1 nodes")
    ]
    both = decide(ask(1, phi(), MIXED), fleet(member("eu", pool(A100, 1, gpusFree=1))))
    assert parts(both) == {"price": -441, "headroom": 1}


def test_a_reason_says_what_is_taken_and_the_parts_of_the_score() -> None:
    found = decide(ask(1, phi()), fleet(member("eu", pool(A10))))
    assert chosen(found).reason == f"1 x {A10} at $3.84/h; price -384, headroom +3"
    spot = decide(
        ask(1, phi(capacity_type="spot")), fleet(member("eu", pool(A10, capacityType="spot")))
    )
    assert chosen(spot).reason == f"1 x {A10} spot at $3.84/h; price -384, headroom +3"
