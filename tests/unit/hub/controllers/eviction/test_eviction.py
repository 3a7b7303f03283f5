"""An eviction is answered once, by KubeFleet's rules, and leaves a budget its due."""

import asyncio
from typing import Any

import pytest

from fleet.api import names
from fleet.api.binding import ClusterResourceBinding
from fleet.api.eviction import (
    ClusterResourcePlacementDisruptionBudget,
    ClusterResourcePlacementEviction,
)
from fleet.api.objects import Key
from fleet.api.placement import ClusterResourcePlacement
from fleet.engine.portions import portion
from fleet.kube.cache import Cache
from fleet.testing.client import FakeClient
from fleet.testing.heard import Heard
from fleet.testing.workloads import NOON
from hub.controllers.eviction.handlers import Evictions

BUDGET = "by specified ClusterResourcePlacementDisruptionBudget, availablePlacements: {}"
AVAILABLE = [("Applied", "True", "AllWorkHaveBeenApplied"), ("Available", "True", "Ok")]
FAILED = [("Applied", "False", "NotAllWorkHaveBeenApplied")]
COMING = [("Applied", "True", "Ok"), ("Available", "False", "ResourceNotAvailableYet")]
ALLOWED = ("True", "ClusterResourcePlacementEvictionExecuted")
BLOCKED = ("False", "ClusterResourcePlacementEvictionNotExecuted")
PICK_N = {"placementType": "PickN", "numberOfClusters": 3}
PICK_ALL = {"placementType": "PickAll"}


def placement(policy: dict[str, Any] | None = None, **metadata: Any) -> ClusterResourcePlacement:
    spec: dict[str, Any] = {"resourceSelectors": []}
    if policy:
        spec["policy"] = policy
    return ClusterResourcePlacement.model_validate(
        {"metadata": {"name": "web", "uid": "uid-web", **metadata}, "spec": spec}
    )


def binding(
    cluster: str,
    conditions: list[tuple[str, str, str]] = AVAILABLE,
    *,
    state: str = "Bound",
    suffix: str = "",
    seen: int = 1,
    **metadata: Any,
) -> ClusterResourceBinding:
    said = [
        {"type": kind, "status": status, "reason": reason, "message": ""}
        | {"observedGeneration": seen, "lastTransitionTime": NOON}
        for kind, status, reason in conditions
    ]
    named = {"name": f"web-{cluster}{suffix}", "uid": f"uid-{cluster}{suffix}"}
    spec = {
        "state": state,
        "targetCluster": cluster,
        "resourceSnapshotName": "web-0-snapshot",
        "clusterDecision": {"clusterName": cluster, "selected": True, "reason": "best"},
    }
    metadata = {"labels": {names.PARENT: "web"}, **named, **metadata}
    return ClusterResourceBinding.model_validate(
        {"metadata": metadata, "spec": spec, "status": {"conditions": said}}
    )


def budget(**spec: Any) -> ClusterResourcePlacementDisruptionBudget:
    return ClusterResourcePlacementDisruptionBudget.model_validate(
        {"metadata": {"name": "web"}, "spec": spec}
    )


def eviction(cluster: str = "us") -> ClusterResourcePlacementEviction:
    spec = {"placementName": "web", "clusterName": cluster}
    metadata = {"name": f"evict-{cluster}", "uid": f"uid-{cluster}"}
    return ClusterResourcePlacementEviction.model_validate({"metadata": metadata, "spec": spec})


class Court:
    """The controller over a server that keeps its state."""

    def __init__(self, *resources: Any) -> None:
        self.client, self.heard = FakeClient(*resources), Heard()
        self.controller = Evictions(
            client=self.client,
            evictions=Cache(ClusterResourcePlacementEviction),
            clock=lambda: NOON,
            tell=self.heard.tell,
        )
        self.client.feed(self.controller.evictions)

    async def ask(self, *clusters: str) -> None:
        for cluster in clusters:
            self.client.put(eviction(cluster))
        await self.client.relist(self.controller.evictions)
        asked = [Key("", f"evict-{cluster}") for cluster in clusters]
        await asyncio.gather(*map(self.controller.reconcile, asked))

    def said(self, cluster: str = "us") -> dict[str, tuple[str, str, str]]:
        found = {each.name: each for each in self.client.all(ClusterResourcePlacementEviction)}
        conditions = found[f"evict-{cluster}"].status.conditions
        return {c.type: (c.status, c.reason, c.message) for c in conditions}

    @property
    def places(self) -> set[str]:
        there = self.client.all(ClusterResourceBinding)
        return {each.spec.target_cluster for each in there if not each.deleting}


@pytest.mark.parametrize(
    ("world", "message"),
    [
        ((), "Failed to find ClusterResourcePlacement targeted by eviction"),
        (
            (placement(deletionTimestamp=NOON, finalizers=["x/y"]),),
            "Found deleting ClusterResourcePlacement targeted by eviction",
        ),
        (
            (placement({"placementType": "PickFixed", "clusterNames": ["us"]}), binding("us")),
            "Found ClusterResourcePlacement with PickFixed placement type targeted by eviction",
        ),
        (
            (placement(), binding("eu")),
            "Failed to find scheduler decision for placement in cluster targeted by eviction",
        ),
        (
            (placement(), binding("us"), binding("us", suffix="-2")),
            "Found more than one scheduler decision for placement in cluster targeted by eviction",
        ),
    ],
)
async def test_what_cannot_be_evicted_is_invalid(world: Any, message: str) -> None:
    court = Court(*world)
    before = court.places
    await court.ask("us")
    invalid = ("False", "ClusterResourcePlacementEvictionInvalid", message)
    assert court.said() == {"Valid": invalid}
    assert court.places == before
    assert court.heard.take() == ["ClusterResourcePlacementEvictionInvalid!"]


def three(**us: Any) -> tuple[Any, ...]:
    """Place on three clusters, of which us is as said."""
    return binding("us", **us), binding("eu"), binding("apac")


UNSCHEDULED = {"state": "Unscheduled"}
WAS_BOUND = {**UNSCHEDULED, "annotations": {names.PREVIOUS_STATE: "Bound"}}
GOING = {"deletionTimestamp": NOON, "finalizers": ["x/y"]}
NO_BUDGET = "Eviction is allowed, no ClusterResourcePlacementDisruptionBudget specified"
NOT_YET = "Eviction is blocked, placement has not propagated resources to target cluster yet"
GONE = (
    "Eviction is allowed, resources propagated by placement is currently being removed from"
    " cluster targeted by eviction"
)
HAS_FAILED = "Eviction is allowed, placement has failed"
WRONG = (
    "Eviction is blocked by misconfigured ClusterResourcePlacementDisruptionBudget, either"
    " MaxUnavailable is specified or MinAvailable is specified as a percentage for PickAll"
    " ClusterResourcePlacement"
)


def counted(available: int, *, allowed: bool, total: int = 3) -> str:
    verb = "allowed" if allowed else "blocked"
    return f"Eviction is {verb} {BUDGET.format(available)}, totalPlacements: {total}"


@pytest.mark.parametrize(
    ("policy", "us", "limit", "executed", "message"),
    [
        (PICK_N, {}, None, ALLOWED, NO_BUDGET),
        (None, {}, None, ALLOWED, NO_BUDGET),
        (PICK_N, {"state": "Scheduled"}, None, BLOCKED, NOT_YET),
        (PICK_N, UNSCHEDULED, None, BLOCKED, NOT_YET),
        (PICK_N, WAS_BOUND, None, ALLOWED, NO_BUDGET),
        (PICK_N, GOING, {"maxUnavailable": 0}, ALLOWED, GONE),
        (PICK_N, {"conditions": FAILED}, {"maxUnavailable": 0}, ALLOWED, HAS_FAILED),
        (
            PICK_N,
            {"conditions": [("DiffReported", "True", "Ok")]},
            {"minAvailable": 3},
            ALLOWED,
            HAS_FAILED,
        ),
        (
            PICK_N,
            {"conditions": FAILED, "seen": 7},
            {"maxUnavailable": 1},
            BLOCKED,
            counted(2, allowed=False),
        ),
        (
            PICK_N,
            {"conditions": COMING},
            {"maxUnavailable": 1},
            BLOCKED,
            counted(2, allowed=False),
        ),
        (PICK_N, {}, {"maxUnavailable": 1}, ALLOWED, counted(3, allowed=True)),
        (PICK_N, {}, {"maxUnavailable": 0}, BLOCKED, counted(3, allowed=False)),
        (PICK_N, {}, {"maxUnavailable": "1%"}, ALLOWED, counted(3, allowed=True)),
        (PICK_N, {}, {"maxUnavailable": "0%"}, BLOCKED, counted(3, allowed=False)),
        (PICK_N, {}, {"minAvailable": 2}, ALLOWED, counted(3, allowed=True)),
        (PICK_N, {}, {"minAvailable": 3}, BLOCKED, counted(3, allowed=False)),
        (PICK_N, {}, {"minAvailable": "67%"}, BLOCKED, counted(3, allowed=False)),
        (PICK_N, {}, {"minAvailable": "66%"}, ALLOWED, counted(3, allowed=True)),
        (PICK_N, {}, {}, BLOCKED, counted(3, allowed=False)),
        (PICK_ALL, {}, {"minAvailable": 2}, ALLOWED, counted(3, allowed=True)),
        (None, {}, {"minAvailable": 3}, BLOCKED, counted(3, allowed=False)),
        (PICK_ALL, {}, {"minAvailable": "10%"}, BLOCKED, WRONG),
        (None, {}, {"maxUnavailable": 3}, BLOCKED, WRONG),
    ],
)
async def test_a_valid_one_is_carried_out_as_far_as_the_budget_lets_it(
    policy: Any, us: Any, limit: Any, executed: tuple[str, str], message: str
) -> None:
    budgets = [] if limit is None else [budget(**limit)]
    court = Court(placement(policy), *three(**us), *budgets)
    await court.ask("us")
    valid = ("True", "ClusterResourcePlacementEvictionValid", "Eviction is valid")
    assert court.said() == {"Valid": valid, "Executed": (*executed, message)}
    goes = executed == ALLOWED
    assert court.places == ({"eu", "apac"} if goes else {"us", "eu", "apac"})


async def test_of_two_at_once_the_second_finds_what_the_first_has_left_of_the_budget() -> None:
    court = Court(placement(PICK_N), *three(), budget(minAvailable=2))
    await court.ask("us", "eu")
    assert [court.said(name)["Executed"][:2] for name in ("us", "eu")] == [ALLOWED, BLOCKED]
    assert court.places == {"eu", "apac"}


async def test_an_answer_is_given_once() -> None:
    court = Court(placement(PICK_N), *three(), budget(maxUnavailable=0))
    await court.ask("us")
    (blocked,) = court.client.all(ClusterResourcePlacementEviction)
    await court.client.delete(court.client.all(ClusterResourcePlacementDisruptionBudget)[0])
    await court.controller.reconcile(blocked.key)
    assert court.said()["Executed"][:2] == BLOCKED
    assert court.places == {"us", "eu", "apac"}
    assert court.heard.take() == ["ClusterResourcePlacementEvictionNotExecuted!"]


@pytest.mark.parametrize(
    ("value", "total", "clusters"),
    [(3, 10, 3), ("25%", 10, 3), ("0%", 10, 0), ("100%", 7, 7), ("1%", 1, 1), ("29%", 100, 29)],
)
def test_a_percentage_is_rounded_up(value: int | str, total: int, clusters: int) -> None:
    assert portion(value, total) == clusters
