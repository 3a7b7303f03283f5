"""What clusters match and earn by a user's terms: KubeFleet's rules and numbers."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.api.placement import Policy
from fleet.engine.affinity import matches, points
from fleet.engine.fleet import Fleet
from fleet.engine.rules import rules_of
from tests.unit.fleet.engine.fleets import fleet, member

CPU, PREFIX = "resources.kubernetes-fleet.io/available-cpu", "resources.kubernetes-fleet.io/"


def sized(**cpus: str | None) -> Fleet:
    """Build clusters with so much CPU; None reports nothing."""
    return fleet(
        *(
            member(name, resourceUsage={"available": {"cpu": cpu}} if cpu else {})
            for name, cpu in cpus.items()
        )
    )


def policy(*terms: dict[str, Any], preferred: list[dict[str, Any]] | None = None) -> Policy:
    affinity: dict[str, Any] = {}
    if terms:
        affinity["requiredDuringSchedulingIgnoredDuringExecution"] = {
            "clusterSelectorTerms": list(terms)
        }
    affinity["preferredDuringSchedulingIgnoredDuringExecution"] = preferred or []
    return Policy.model_validate(
        {"placementType": "PickN", "affinity": {"clusterAffinity": affinity}}
    )


def compare(operator: str, *values: str, name: str = CPU) -> dict[str, Any]:
    expression = {"name": name, "operator": operator, "values": list(values)}
    return {"propertySelector": {"matchExpressions": [expression]}}


def labelled(operator: str, *values: str) -> dict[str, Any]:
    expression = {"key": "side", "operator": operator, "values": list(values)}
    return {"labelSelector": {"matchExpressions": [expression]}}


def matched(terms: Policy, found: Fleet) -> list[str]:
    flags = matches(rules_of(terms).required, found)
    return [name for name, flag in zip(found.names, flags, strict=True) if flag]


def earns(found: Fleet, preferred: list[dict[str, Any]]) -> Any:
    return points(rules_of(policy(preferred=preferred)).liked, found)


@pytest.mark.parametrize(
    ("operator", "names"),
    [
        ("Gt", ["large"]),
        ("Ge", ["large", "middle"]),
        ("Eq", ["middle"]),
        ("Ne", ["large", "small"]),
        ("Lt", ["small"]),
        ("Like", []),
        ("Le", ["middle", "small"]),
    ],
)
def test_a_property_is_compared_as_a_quantity_and_none_matches_nothing(
    operator: str, names: list[str]
) -> None:
    found = sized(small="1500m", middle="2", large="10", unknown=None)
    assert matched(policy(compare(operator, "2000m")), found) == names


@pytest.mark.parametrize("term", [compare("Ge", "many"), compare("Ge"), compare("Lt", "many")])
def test_a_comparison_with_what_is_no_quantity_matches_nothing(term: dict[str, Any]) -> None:
    assert matched(policy(term), sized(a="1", b="2")) == []


@pytest.mark.parametrize(
    ("term", "names"),
    [
        (labelled("In", "west", "east"), ["east", "west"]),
        (labelled("NotIn", "west"), ["east", "none"]),
        (labelled("Exists"), ["east", "west"]),
        (labelled("DoesNotExist"), ["none"]),
        (labelled("Nonsense"), []),
        ({"labelSelector": {"matchLabels": {"side": "west"}}}, ["west"]),
        ({"labelSelector": {}}, ["east", "none", "west"]),
        ({}, ["east", "none", "west"]),
    ],
)
def test_labels_are_selected_as_kubernetes_does(term: dict[str, Any], names: list[str]) -> None:
    found = fleet(
        member("east", labels={"side": "east"}),
        member("west", labels={"side": "west"}),
        member("none"),
    )
    assert matched(policy(term), found) == names


def test_one_term_must_hold_and_all_of_it() -> None:
    found = fleet(
        member("a", labels={"side": "west"}, resourceUsage={"available": {"cpu": "1"}}),
        member("b", labels={"side": "west"}, resourceUsage={"available": {"cpu": "9"}}),
        member("c", labels={"side": "east"}, resourceUsage={"available": {"cpu": "1"}}),
    )
    both = {**labelled("In", "west"), **compare("Ge", "5")}
    assert matched(policy(both), found) == ["b"]
    assert matched(policy(both, labelled("In", "east")), found) == ["b", "c"]


def test_without_terms_everything_matches() -> None:
    nothing = Policy.model_validate(
        {
            "affinity": {
                "clusterAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": {"clusterSelectorTerms": []}
                }
            }
        }
    )
    assert matched(nothing, sized(a="1")) == ["a"]
    assert rules_of(Policy()).required == ()


def sorted_by(order: str, weight: int) -> dict[str, Any]:
    return {
        "weight": weight,
        "preference": {"propertySorter": {"name": CPU, "sortOrder": order}},
    }


@pytest.mark.parametrize(
    ("order", "weight", "earned"),
    [
        ("Descending", 20, {"least": 0, "most": 20, "near": 5, "none": 0}),
        ("Ascending", 20, {"least": 20, "most": 0, "near": 15, "none": 0}),
        ("Descending", -20, {"least": 0, "most": -20, "near": -5, "none": 0}),
        ("Descending", 10, {"least": 0, "most": 10, "near": 3, "none": 0}),
        ("Descending", -10, {"least": 0, "most": -10, "near": -3, "none": 0}),
    ],
)
def test_a_sorted_property_earns_its_place_between_the_least_and_the_most(
    order: str, weight: int, earned: dict[str, int]
) -> None:
    found = sized(least="4", near="5", most="8", none=None)
    given_points = earns(found, [sorted_by(order, weight)])
    assert dict(zip(found.names, given_points.tolist(), strict=True)) == earned


@pytest.mark.parametrize(
    "cpus", [{"a": "4", "b": "4"}, {"a": None, "b": None}, {"a": "4", "b": None}]
)
def test_where_nothing_differs_a_sorter_gives_nothing(cpus: dict[str, str | None]) -> None:
    found = sized(**cpus)
    assert earns(found, [sorted_by("Ascending", 50)]).tolist() == [0, 0]


def test_preferences_add_up_and_the_term_must_hold() -> None:
    found = fleet(
        member("a", labels={"side": "west"}, resourceUsage={"available": {"cpu": "1"}}),
        member("b", labels={"side": "west"}, resourceUsage={"available": {"cpu": "3"}}),
        member("c", labels={"side": "east"}, resourceUsage={"available": {"cpu": "5"}}),
    )
    west = {"labelSelector": {"matchLabels": {"side": "west"}}}
    sorter = sorted_by("Descending", 10)["preference"]
    terms = [
        {"weight": 7, "preference": west},
        {"weight": -3, "preference": west},
        {"weight": 10, "preference": {**west, **sorter}},
    ]
    assert earns(found, terms).tolist() == [4, 9, 0]


@given(cpus=st.lists(st.integers(0, 1000), min_size=2, max_size=6), weight=st.integers(-100, 100))
def test_points_lie_between_nothing_and_the_weight(cpus: list[int], weight: int) -> None:
    found = sized(**{f"c{place}": str(cpu) for place, cpu in enumerate(cpus)})
    for order in ("Ascending", "Descending"):
        earned = earns(found, [sorted_by(order, weight)]).tolist()
        assert all(min(0, weight) <= each <= max(0, weight) for each in earned)
        if len(set(cpus)) > 1:
            best = max(cpus) if order == "Descending" else min(cpus)
            assert earned[cpus.index(best)] == weight


@pytest.mark.parametrize(
    ("operator", "names"), [("Eq", ["same"]), ("Gt", ["more"]), ("Ne", ["more"])]
)
def test_quantities_that_differ_in_the_last_digit_alone_are_told_apart(
    operator: str, names: list[str]
) -> None:
    found = sized(same="9007199254740992", more="9007199254740993")
    assert matched(policy(compare(operator, "9007199254740992")), found) == names


def test_a_bound_that_is_no_quantity_and_an_operator_that_is_none_match_nothing() -> None:
    found = sized(a="1", b=None)
    for wrong in (compare("Ne", "many"), compare("Ne", "1", "2"), compare("About", "1")):
        assert matched(policy(wrong), found) == []


def test_what_a_preference_says_of_properties_is_left_out_of_account() -> None:
    term = {"weight": 5, "preference": compare("Gt", "8")}
    assert earns(sized(a="1"), [term]).tolist() == [5]
