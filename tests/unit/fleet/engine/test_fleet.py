"""The fleet as columns says what its members said, however it came to know it."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.api.cluster import MemberCluster
from fleet.catalog.prices import Prices
from fleet.engine.decide import decide
from fleet.engine.fleet import MICRO, Fleet, price_of
from fleet.engine.rows import Owner, Slot, row_of
from tests.unit.fleet.engine.fleets import A10, A100, CATALOGUE, NOON, ask, fleet, member, phi, pool

A10S = Slot(A10, "on-demand")


def zone(name: str, **more: Any) -> dict[str, Any]:
    return pool(A10, zone=name, **more)


def hold(name: str, gpus: int) -> dict[str, Any]:
    return {"kind": "Workspace", "namespace": "demo", "name": name, "gpus": gpus}


def test_a_row_adds_up_the_zones_of_a_kind() -> None:
    later = NOON + timedelta(hours=1)
    row = row_of(
        member(
            "eu",
            zone("1", provisionable=2, gpusFree=3, holds=[hold("phi", 1)]),
            zone("2", provisionable=4, gpusFree=1, holds=[hold("phi", 2), hold("b", 1)]),
            zone("3", provisionable=8, soldOutUntil=later),
        )
    )
    stock = row.stocks[A10S]
    assert (stock.free, stock.provisionable, stock.sold_out_until) == (4, 6, None)
    assert row.held(A10S, Owner("Workspace", "demo", "phi")) == 3
    assert row.held(Slot(A100, "on-demand"), Owner("Workspace", "demo", "phi")) == 0


def test_a_kind_is_sold_out_where_every_zone_is_until_the_first_may_have_some() -> None:
    early, late = NOON + timedelta(minutes=3), NOON + timedelta(hours=1)
    row = row_of(member("eu", zone("1", soldOutUntil=late), zone("2", soldOutUntil=early)))
    assert (row.stocks[A10S].provisionable, row.stocks[A10S].sold_out_until) == (8, early)


def test_gpus_that_are_left_of_a_node_are_no_node() -> None:
    free = row_of(member("eu", pool("Standard_NC96ads_A100_v4", gpusFree=7))).stocks
    assert [stock.free for stock in free.values()] == [1]


def test_resources_are_properties_with_kubefleets_names() -> None:
    usage = {"capacity": {"cpu": "8"}, "allocatable": {"cpu": "7"}, "available": {"cpu": "1500m"}}
    cost = {"kubernetes.azure.com/per-cpu-core-cost": {"value": "0.1", "observationTime": NOON}}
    row = row_of(member("eu", resourceUsage=usage, properties=cost))
    assert row.properties == {
        "resources.kubernetes-fleet.io/total-cpu": "8",
        "resources.kubernetes-fleet.io/allocatable-cpu": "7",
        "resources.kubernetes-fleet.io/available-cpu": "1500m",
        "kubernetes.azure.com/per-cpu-core-cost": "0.1",
    }
    columns = fleet(member("eu", resourceUsage=usage), member("us"))
    cpu = columns.property("resources.kubernetes-fleet.io/available-cpu")
    assert (cpu.near[0], cpu.known.tolist()) == (1.5, [True, False])


@pytest.mark.parametrize(
    ("slot", "region", "price"),
    [
        (A10S, "northeurope", "3.84"),
        (A10S, "centralus", "3.936"),
        (Slot(A10, "spot"), "northeurope", "3.84"),
        (Slot("unheard.of", "on-demand"), "northeurope", None),
    ],
)
def test_a_price_is_the_regions_and_spot_without_one_costs_what_on_demand_does(
    slot: Slot, region: str, price: str | None
) -> None:
    found = price_of(CATALOGUE, slot, region)
    assert (None if found is None else str(found)) == price


def test_an_unknown_price_is_the_dearest_elsewhere() -> None:
    known = CATALOGUE.prices.by_capacity["on-demand"][A10]
    assert price_of(CATALOGUE, A10S, "nowhere") == max(known.values())
    assert price_of(CATALOGUE.with_prices(Prices()), A10S, "nowhere") is None


def test_a_clusters_price_is_counted_in_millionths() -> None:
    stocks = fleet(member("eu", pool(A10)), member("us", pool(A100))).stocks
    assert [slot.instance_type for slot in stocks.slots] == [A100, A10]
    assert stocks.price.tolist() == [[-1, 3_840_000], [int(4.15 * MICRO), -1]]


def test_what_did_not_change_is_not_told_of() -> None:
    kept = fleet(member("eu", pool(A10)))
    assert kept.put(member("eu", pool(A10))) is None
    changed = kept.put(member("eu", pool(A10, 2)))
    assert changed is not None
    assert (changed[0], changed[1]) == (
        row_of(member("eu", pool(A10))),
        row_of(member("eu", pool(A10, 2))),
    )
    assert kept.remove("eu") == changed[1]
    assert (kept.remove("eu"), len(kept), kept.row("eu")) == (None, 0, None)


MEMBERS = st.builds(
    lambda name, pools, zone, region, cpu: member(
        name,
        *pools,
        labels={"zone": zone, "topology.kubernetes.io/region": region},
        resourceUsage={"available": {"cpu": str(cpu)}},
    ),
    st.sampled_from(["us", "eu", "apac", "af"]),
    st.lists(
        st.builds(pool, st.sampled_from([A10, A100]), st.integers(0, 3)), max_size=2, unique_by=str
    ),
    st.sampled_from("ab"),
    st.sampled_from(["centralus", "northeurope"]),
    st.integers(0, 3),
)


def _columns(found: Fleet) -> Any:
    cpu, zone = found.property("resources.kubernetes-fleet.io/available-cpu"), found.label("zone")
    zones = {value: zone.equal(value).tolist() for value in "ab"}
    picked = decide(ask(2, phi()), found)
    reasons = [str(verdict) for verdict in picked.others()]
    columns = zones, zone.equal(None).tolist(), str((cpu.near.tolist(), cpu.extremes))
    return found.names, columns, str(picked.chosen), reasons


@given(news=st.lists(MEMBERS | st.sampled_from(["us", "eu", "apac", "af"]), max_size=12))
def test_a_fleet_kept_up_to_date_decides_as_one_made_anew(
    news: list[MemberCluster | str],
) -> None:
    kept, last = fleet(), dict[str, MemberCluster]()
    for each in news:
        if isinstance(each, str):
            kept.remove(each)
            last.pop(each, None)
        else:
            kept.put(each)
            last[each.name] = each
        assert _columns(kept) == _columns(fleet(*last.values()))
