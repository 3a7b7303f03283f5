"""What the API server says to evictions and disruption budgets."""

from collections.abc import Iterator
from typing import Final

from tests.integration.api.rows import TAKEN, YOUNG, Case, Change, Row, changes, specs

EVICTION: Final = "ClusterResourcePlacementEviction"
BUDGET: Final = "ClusterResourcePlacementDisruptionBudget"
EVICTED: Final = {"placementName": "chat", "clusterName": "eu"}
SHARE: Final = (
    "If supplied value is String should match regex '^(100|[0-9]{1,2})%$'"
    " or If supplied value is Integer must be greater than or equal to 0"
)
EVICTIONS: Final[list[Case]] = [
    ("whole", {}, TAKEN),
    ("of empty names", dict.fromkeys(EVICTED, ""), TAKEN),
    ("of long names", dict.fromkeys(EVICTED, "a" * 255), TAKEN),
    *((f"without {field}", {field: None}, f"spec.{field}: Required value") for field in EVICTED),
    *(
        (
            f"with too long a {field}",
            {field: "a" * 256},
            f"spec.{field}: Too long: may not be more than 255 bytes",
        )
        for field in EVICTED
    ),
]
MOVES: Final[list[Change]] = [
    ("nothing", {}, EVICTED, TAKEN),
    (
        "another placement",
        {},
        {"placementName": "other"},
        "spec.placementName: Invalid value: The PlacementName field is immutable",
    ),
    (
        "another cluster",
        {},
        {"clusterName": "us"},
        "spec.clusterName: Invalid value: The ClusterName field is immutable",
    ),
]
LIMITS: Final = ("maxUnavailable", "minAvailable")
BUDGETS: Final[list[Case]] = [
    ("of nothing", {}, TAKEN),
    *(
        (f"of {limit} {value}", {limit: value}, TAKEN)
        for limit in LIMITS
        for value in (0, 1, 1000, "0%", "05%", "99%", "100%")
    ),
    *(
        (f"of {limit} {value!r}", {limit: value}, f"invalid: spec.{limit}: Invalid value: {SHARE}")
        for limit in LIMITS
        for value in (-1, "-1", "-1%", "101%", "1", "%", "")
    ),
    (
        "of both",
        {"maxUnavailable": 1, "minAvailable": 1},
        "spec: Invalid value: Both MaxUnavailable and MinAvailable cannot be specified",
    ),
    (
        "of text and number",
        {"maxUnavailable": True},
        "spec.maxUnavailable in body must be of type integer,string",
    ),
]
RELIEF: Final[list[Change]] = [
    ("another limit", {"minAvailable": 1}, {"minAvailable": "50%"}, TAKEN),
    ("the other limit", {"minAvailable": 1}, {"minAvailable": None, "maxUnavailable": 1}, TAKEN),
    (
        "one more limit",
        {"minAvailable": 1},
        {"maxUnavailable": 1},
        "Both MaxUnavailable and MinAvailable cannot be specified",
    ),
]


def rows() -> Iterator[Row]:
    for version in YOUNG:
        yield from specs(EVICTION, version, EVICTIONS, EVICTED)
        yield from changes(EVICTION, version, MOVES, EVICTED)
        yield from specs(BUDGET, version, BUDGETS, {})
        yield from changes(BUDGET, version, RELIEF, {})


ROWS: Final = tuple(rows())
