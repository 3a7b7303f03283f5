"""What a cluster lacks for a required term, and what it earns by each preferred one."""

from typing import Any

import pytest

from fleet.engine.affinity import matches
from fleet.engine.field import field_of
from fleet.engine.wishes import earned, unmatched
from tests.unit.fleet.engine.fleets import ask, fleet, member

AT = "2026-01-01T00:00:00Z"
NODES, MIG = "kubernetes-fleet.io/node-count", "available-nvidia.com/mig-1g.5gb"
USAGE = f"resources.kubernetes-fleet.io/{MIG}"
EU = member(
    "eu",
    labels={"tier": "prod"},
    properties={
        NODES: {"value": "3", "observationTime": AT},
        "odd": {"value": "many", "observationTime": AT},
    },
    resourceUsage={"available": {"nvidia.com/mig-1g.5gb": "5"}},
)
US = member("us", resourceUsage={"available": {"nvidia.com/mig-1g.5gb": "1"}})


def labelled(operator: str, *values: str, key: str = "tier") -> dict[str, Any]:
    expression = {"key": key, "operator": operator, "values": list(values)}
    return {"labelSelector": {"matchExpressions": [expression]}}


def compared(name: str, operator: str, *values: str) -> dict[str, Any]:
    expression = {"name": name, "operator": operator, "values": list(values)}
    return {"propertySelector": {"matchExpressions": [expression]}}


def required(*terms: dict[str, Any]) -> dict[str, Any]:
    affinity = {"requiredDuringSchedulingIgnoredDuringExecution": {"clusterSelectorTerms": terms}}
    return {"affinity": {"clusterAffinity": affinity}}


NO_X = "no x, not any value"
NO_WAY = "is compared by no known operator, or with no quantity"


@pytest.mark.parametrize(
    ("terms", "lacks"),
    [
        ([labelled("In", "prod")], ""),
        ([labelled("In", "test", "dev")], "tier is prod, not test or dev"),
        ([labelled("NotIn", "prod")], "tier is prod, not other than prod"),
        ([labelled("DoesNotExist")], "tier is prod, not absent"),
        ([labelled("Exists", key="gpu")], "no gpu, not any value"),
        ([labelled("Like", "prod")], "tier is prod, not by the unknown operator Like"),
        ([compared(NODES, "Ge", "3")], ""),
        ([compared(NODES, "Gt", "3")], f"{NODES} is 3, not more than 3"),
        ([compared(NODES, "Ge", "3001m")], f"{NODES} is 3, not at least 3001m"),
        ([compared(NODES, "Eq", "4")], f"{NODES} is 3, not equal to 4"),
        ([compared(NODES, "Ne", "3000m")], f"{NODES} is 3, not other than 3000m"),
        ([compared(NODES, "Lt", "3")], f"{NODES} is 3, not less than 3"),
        ([compared(NODES, "Le", "2")], f"{NODES} is 3, not at most 2"),
        ([compared(USAGE, "Gt", "5")], f"{USAGE} is 5, not more than 5"),
        ([compared("odd", "Gt", "1")], "odd is `many`, which is no quantity"),
        ([compared("none", "Gt", "1")], "has no property none"),
        ([compared(NODES, "Gt", "x")], f"{NODES} {NO_WAY}"),
        ([compared(NODES, "About", "3")], f"{NODES} {NO_WAY}"),
        (
            [{**labelled("In", "test"), **compared(NODES, "Lt", "3")}, labelled("Exists", key="x")],
            f"(1) tier is prod, not test and {NODES} is 3, not less than 3; (2) {NO_X}",
        ),
    ],
)
def test_what_is_lacking_is_said_of_just_those_that_match_no_term(
    terms: list[dict[str, Any]], lacks: str
) -> None:
    rules, world = ask(1, policy=required(*terms)).rules, fleet(EU)
    row = world.row("eu")
    assert row
    assert unmatched(rules.required, row) == lacks
    assert bool(matches(rules.required, world)[0]) is not bool(lacks)


def test_each_preference_says_what_it_gives() -> None:
    sorter = {"propertySorter": {"name": USAGE, "sortOrder": "Descending"}}
    preferred = [
        {"weight": 40, "preference": sorter},
        {"weight": -10, "preference": {"labelSelector": {"matchLabels": {"tier": "prod"}}}},
        {"weight": 5, "preference": {}},
    ]
    affinity = {"preferredDuringSchedulingIgnoredDuringExecution": preferred}
    found = field_of(ask(1, policy={"affinity": {"clusterAffinity": affinity}}), fleet(EU, US), ())
    terms = (f"{USAGE} Descending", "tier prod", "any cluster")
    assert earned(found, "eu") == tuple(zip(terms, (40, -10, 5), (40, -10, 5), strict=True))
    assert [each.points for each in earned(found, "us")] == [0, 0, 5]
    assert earned(found, "nobody") == ()
