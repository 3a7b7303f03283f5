"""The engine decides as a plain loop does, whatever the fleet and the policy are."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer import Typer
from typer.testing import CliRunner

from benchmarks import plain
from benchmarks.decision import fleet_of, main, policy, same_as_plain
from fleet.api.cluster import MemberCluster
from fleet.api.placement import Policy
from fleet.engine.ask import Ask
from fleet.engine.decide import decide
from fleet.engine.fleet import Fleet
from fleet.engine.rules import rules_of
from tests.unit.fleet.engine.fleets import CATALOGUE, NOON, holding, member

NODES, SIZE = "kubernetes-fleet.io/node-count", "example.com/size"
QUANTITIES = st.sampled_from(["0", "1", "2", "1500m", "1.5", "3", "1Ki", "1024", "1.2.3", "9" * 17])


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


@st.composite
def members(draw: st.DrawFn) -> list[MemberCluster]:
    return [draw(one(f"c{place}")) for place in range(draw(st.integers(0, 12)))]


@st.composite
def one(draw: st.DrawFn, name: str) -> MemberCluster:
    labels = {
        "zone": draw(maybe(st.sampled_from("ab"))),
        "rack": draw(maybe(st.sampled_from("xyz"))),
    }
    numbers = {NODES: draw(maybe(QUANTITIES)), SIZE: draw(maybe(QUANTITIES))}
    return member(
        name,
        labels={key: value for key, value in labels.items() if value},
        taint=draw(st.sampled_from(["", "", "spot", "broken"])),
        joined=draw(st.booleans() | st.just(True)),
        properties={
            key: {"value": value, "observationTime": NOON}
            for key, value in numbers.items()
            if value
        },
    )


LABELS = st.fixed_dictionaries(
    {
        "key": st.sampled_from(["zone", "rack"]),
        "operator": st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist", "Near"]),
        "values": st.lists(st.sampled_from("abxy"), max_size=2),
    }
)
PROPERTIES = st.fixed_dictionaries(
    {
        "name": st.sampled_from([NODES, SIZE]),
        "operator": st.sampled_from(["Gt", "Ge", "Eq", "Ne", "Lt", "Le", "About"]),
        "values": st.lists(QUANTITIES, min_size=1, max_size=1),
    }
)
REQUIRED = st.fixed_dictionaries(
    {
        "labelSelector": st.fixed_dictionaries({"matchExpressions": st.lists(LABELS, max_size=2)}),
        "propertySelector": st.fixed_dictionaries(
            {"matchExpressions": st.lists(PROPERTIES, max_size=2)}
        ),
    }
)
SORTED = st.fixed_dictionaries(
    {
        "name": st.sampled_from([NODES, SIZE]),
        "sortOrder": st.sampled_from(["Ascending", "Descending"]),
    }
)
LIKED = st.fixed_dictionaries(
    {
        "weight": st.integers(-100, 100),
        "preference": st.fixed_dictionaries(
            {
                "labelSelector": st.fixed_dictionaries(
                    {"matchExpressions": st.lists(LABELS, max_size=1)}
                )
            },
            optional={"propertySorter": SORTED},
        ),
    }
)
EVEN = st.fixed_dictionaries(
    {
        "topologyKey": st.sampled_from(["zone", "rack"]),
        "maxSkew": st.integers(1, 2),
        "whenUnsatisfiable": st.sampled_from(["DoNotSchedule", "ScheduleAnyway"]),
    }
)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    affinity = {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "clusterSelectorTerms": draw(st.lists(REQUIRED, max_size=2))
        },
        "preferredDuringSchedulingIgnoredDuringExecution": draw(st.lists(LIKED, max_size=2)),
    }
    return Policy.model_validate(
        {
            "placementType": "PickN",
            "affinity": {"clusterAffinity": affinity},
            "topologySpreadConstraints": draw(st.lists(EVEN, max_size=2)),
            "tolerations": draw(
                st.lists(st.just({"key": "spot", "operator": "Exists"}), max_size=1)
            ),
        }
    )


@given(clusters=members(), wanted=policies(), number=st.integers(1, 6))
def test_every_pick_and_every_verdict_is_the_plain_loop_s(
    clusters: list[MemberCluster], wanted: Policy, number: int
) -> None:
    fleet = Fleet(CATALOGUE, clusters)
    ask = Ask(rules=rules_of(wanted), now=NOON, limit=number)
    same_as_plain(decide(ask, fleet), ask.rules, fleet)


@pytest.mark.parametrize("kept", [1, 4, 9])
def test_what_is_in_use_is_counted_as_the_plain_loop_counts_it(kept: int) -> None:
    fleet, rules = Fleet(CATALOGUE, fleet_of(60)), rules_of(policy())
    expected = plain.decide(rules, fleet.rows(), 10).picks
    held = tuple(holding(pick.cluster) for pick in expected[:kept])
    found = decide(Ask(rules=rules, now=NOON, limit=10, holdings=held), fleet)
    assert [choice.cluster for choice in found.chosen[kept:]] == [
        p.cluster for p in expected[kept:]
    ]


def test_a_fleet_that_reports_is_decided_on_as_if_it_were_new() -> None:
    kept, rules = Fleet(CATALOGUE, fleet_of(60)), rules_of(policy())
    ask = Ask(rules=rules, now=NOON, limit=10)
    decide(ask, kept)
    for report in fleet_of(60, seed=2):
        kept.put(report)
    same_as_plain(decide(ask, kept), rules, kept)


def test_the_figures_have_the_shape_that_is_documented() -> None:
    app = Typer()
    app.command()(main)
    found = json.loads(CliRunner().invoke(app, ["-o", "json", "--clusters", "20"]).stdout)
    assert {"p50_us", "baseline_us"} <= found["pickn_20"].keys()
