"""A placement says what is selected, where it went, and how far each cluster is."""

from datetime import timedelta
from typing import Any

import pytest

from fleet.api import names
from fleet.api.binding import Binding, BindingState
from fleet.api.conditions import find
from fleet.api.placement import Placement, PlacementStatus
from fleet.api.scope import CLUSTER, NAMESPACED
from fleet.api.snapshot import PolicySnapshot
from hub.controllers.placement.plan.actions import Content, Invalid, Observed
from hub.controllers.placement.status import report, settled
from tests.unit.hub.world import NOON, PLACEMENT, binding, condition, config_map, placement

GENERATION = 3
STAGES = ("RolloutStarted", "Overridden", "WorkSynchronized", "Applied", "Available")
MAPS = Content(manifests=(config_map("a").manifest(),))


def start(**spec: Any) -> Placement:
    body = placement(NAMESPACED, **spec).manifest()
    body["metadata"]["generation"] = GENERATION
    return NAMESPACED.placement.model_validate(body)


def policy(
    *unfit: str, number: int = 1, status: str = "True", generation: int = GENERATION, **more: Any
) -> PolicySnapshot:
    """Build a policy as scheduling has decided it."""
    told = condition("Scheduled", status == "True", "SchedulingPolicyFulfilled", generation=1)
    decisions = [
        {"clusterName": name, "selected": False, "reason": "gpu-fit: none"} for name in unfit
    ]
    annotations = {names.CRP_GENERATION: str(generation), names.NUMBER_OF_CLUSTERS: str(number)}
    return NAMESPACED.policy.model_validate(
        {
            "metadata": {
                "name": f"{PLACEMENT}-0",
                "generation": 1,
                "labels": {names.LATEST: "true", names.POLICY_INDEX: "0"},
                "annotations": annotations,
            },
            "spec": {"policy": {"placementType": "PickN"}},
            "status": {
                "observedCRPGeneration": GENERATION,
                "conditions": [told],
                "targetClusters": decisions,
                **more,
            },
        }
    )


def at(cluster: str, *conditions: dict[str, Any], **more: Any) -> Binding:
    body = binding(cluster, BindingState.BOUND, **more).manifest()
    return NAMESPACED.binding.model_validate(body | {"status": {"conditions": conditions}})


def done(count: int = len(STAGES), *then: dict[str, Any]) -> list[dict[str, Any]]:
    """Say that a cluster has passed so many stages."""
    return [*(condition(stage, True) for stage in STAGES[:count]), *then]


def told(*bindings: Binding, **more: Any) -> PlacementStatus:
    given: dict[str, Any] = {
        "scope": NAMESPACED,
        "name": PLACEMENT,
        "placement": start(),
        "content": MAPS,
        "policies": (policy(),),
        "bindings": bindings,
        **more,
    }
    status = report(Observed(**given), now=NOON)
    assert status
    return status


def said(status: PlacementStatus) -> dict[str, tuple[str, str]]:
    prefix = NAMESPACED.prefix
    return {c.type.removeprefix(prefix): (c.status, c.reason) for c in status.conditions}


@pytest.mark.parametrize(
    ("bindings", "last"),
    [
        ([at("us")], ("RolloutStarted", "Unknown", "RolloutStartedUnknown")),
        (
            [at("us", condition("RolloutStarted", False))],
            ("RolloutStarted", "False", "RolloutNotStartedYet"),
        ),
        ([at("us", *done(1))], ("Overridden", "Unknown", "OverriddenPending")),
        (
            [at("us", *done(1, condition("Overridden", False)))],
            ("Overridden", "False", "OverriddenFailed"),
        ),
        ([at("us", *done(2))], ("WorkSynchronized", "Unknown", "WorkSynchronizedUnknown")),
        (
            [at("us", *done(2, condition("WorkSynchronized", False)))],
            ("WorkSynchronized", "False", "WorkNotSynchronizedYet"),
        ),
        ([at("us", *done(3))], ("Applied", "Unknown", "ApplyPending")),
        ([at("us", *done(3, condition("Applied", None)))], ("Applied", "Unknown", "ApplyPending")),
        ([at("us", *done(3, condition("Applied", False)))], ("Applied", "False", "ApplyFailed")),
        ([at("us", *done(4))], ("Available", "Unknown", "ResourceAvailableUnknown")),
        (
            [at("us", *done(4, condition("Available", False)))],
            ("Available", "False", "ResourceNotAvailableYet"),
        ),
        ([at("us", *done())], ("Available", "True", "ResourceAvailable")),
        ([at("us", *done()), at("eu", *done(3))], ("Applied", "Unknown", "ApplyPending")),
        (
            [at("us", *done(3)), at("eu", *done(3, condition("Applied", False)))],
            ("Applied", "False", "ApplyFailed"),
        ),
    ],
)
def test_the_stages_go_as_far_as_the_last_cluster(
    bindings: list[Binding], last: tuple[str, str, str]
) -> None:
    conditions = said(told(*bindings))
    stage, *verdict = last
    passed = STAGES[: STAGES.index(stage)]
    assert list(conditions) == ["Scheduled", *passed, stage]
    assert conditions[stage] == tuple(verdict)
    assert all(conditions[each][0] == "True" for each in passed)


def test_what_a_cluster_said_of_an_earlier_decision_is_not_repeated() -> None:
    old = at("us", *done())
    metadata = old.metadata.model_copy(update={"generation": 2})
    status = told(old.model_copy(update={"metadata": metadata}))
    assert said(status)["RolloutStarted"] == ("Unknown", "RolloutStartedUnknown")


@pytest.mark.parametrize(
    ("decided", "expected"),
    [
        ((), ("Unknown", "SchedulePending")),
        ((policy(),), ("True", "SchedulingPolicyFulfilled")),
        ((policy(status="False"),), ("False", "SchedulingPolicyFulfilled")),
        ((policy(generation=2),), ("Unknown", "SchedulePending")),
        ((policy(observedCRPGeneration=2),), ("Unknown", "SchedulePending")),
        ((policy(conditions=[]),), ("Unknown", "SchedulePending")),
    ],
    ids=["no policy", "fulfilled", "not", "another generation", "not seen yet", "nothing said"],
)
def test_the_schedule_is_repeated_once_it_is_for_this_generation(
    decided: tuple[PolicySnapshot, ...], expected: tuple[str, str]
) -> None:
    assert said(told(policies=decided))["Scheduled"] == expected


def test_each_cluster_has_its_own_stages() -> None:
    status = told(at("us", *done(3, condition("Applied", False, "NotAll"))), at("eu", *done()))
    eu, us = status.placement_statuses
    assert (eu.cluster_name, us.cluster_name) == ("eu", "us")
    assert [c.type for c in eu.conditions] == ["Scheduled", *STAGES]
    assert [c.type for c in us.conditions] == ["Scheduled", *STAGES[:4]]
    failed = find(us.conditions, "Applied")
    assert failed
    assert (failed.status, failed.reason) == ("False", "NotAll")


def test_a_cluster_that_is_being_left_does_not_count() -> None:
    left = binding("us", BindingState.UNSCHEDULED)
    status = told(left, at("eu", *done()))
    assert [one.cluster_name for one in status.placement_statuses] == ["eu"]


@pytest.mark.parametrize(
    ("number", "unfit"), [(1, 0), (2, 1), (3, 2), (9, 2)], ids=["none", "one", "two", "all"]
)
def test_for_each_cluster_that_lacks_one_that_was_not_chosen_says_why(
    number: int, unfit: int
) -> None:
    decided = policy("apac", "us", number=number)
    wanted = start(policy={"placementType": "PickN", "numberOfClusters": number})
    status = told(at("eu", *done()), policies=(decided,), placement=wanted)
    nameless = [one for one in status.placement_statuses if not one.cluster_name]
    assert len(nameless) == unfit
    for one in nameless:
        (why,) = one.conditions
        assert (why.type, why.status, why.reason) == ("Scheduled", "False", "ScheduleFailed")
        assert "is not selected: gpu-fit: none" in why.message


def given(cluster: str, index: int | None, *conditions: dict[str, Any], **more: Any) -> Binding:
    name = "" if index is None else f"{PLACEMENT}-{index}-snapshot"
    return at(cluster, *conditions, snapshot=name, **more)


def snapshots(*indices: int) -> tuple[Any, ...]:
    """Build resource snapshots of which each has a ConfigMap named after its index."""
    return tuple(
        NAMESPACED.resources.model_validate(
            {
                "metadata": {
                    "name": f"{PLACEMENT}-{index}-snapshot",
                    "labels": {names.RESOURCE_INDEX: str(index)},
                },
                "spec": {"selectedResources": [config_map(f"v{index}").manifest()]},
            }
        )
        for index in indices
    )


@pytest.mark.parametrize(
    ("bindings", "index", "words"),
    [
        ([given("us", None), given("eu", None)], "", "no cluster has any yet"),
        ([given("us", 0, *done()), given("eu", 1, *done())], "", "the clusters have different"),
        ([given("us", 0, *done()), given("eu", 0)], "0", "not known yet whether eu was given"),
        ([given("us", 0, *done()), given("eu", 0, *done())], "0", ""),
    ],
    ids=["nobody", "some", "all but not told", "all"],
)
def test_with_update_runs_a_placement_tells_of_what_all_clusters_have(
    bindings: list[Binding], index: str, words: str
) -> None:
    external = start(strategy={"type": "External"})
    status = told(*bindings, placement=external, resources=snapshots(0, 1))
    assert status.observed_resource_index == index
    assert [r.name for r in status.selected_resources] == ([f"v{index}"] if index else [])
    conditions = said(status)
    if not words:
        assert conditions["Available"] == ("True", "ResourceAvailable")
        return
    assert list(conditions) == ["Scheduled", "RolloutStarted"]
    assert conditions["RolloutStarted"] == ("Unknown", "RolloutControlledByExternalController")
    assert words in status.conditions[1].message


def test_what_a_run_gave_stays_given_when_scheduling_decides_anew() -> None:
    later = [condition(kind, True, generation=2) for kind in STAGES[1:]]
    old = given("us", 0, condition("RolloutStarted", True), *later)
    metadata = old.metadata.model_copy(update={"generation": 2})
    decided = old.model_copy(update={"metadata": metadata})
    external = start(strategy={"type": "External"})
    for wanted, reason in ((external, "ResourceAvailable"), (start(), "")):
        status = told(decided, placement=wanted, resources=snapshots(0))
        assert said(status).get("Available", ("", ""))[1] == reason


def test_what_is_wrong_is_said_beside_what_was() -> None:
    before = told(at("us", *done()))
    live = start().model_copy(update={"status": before})
    wrong = Invalid("InvalidResourceSelectors", "no such kind")
    conditions = said(told(at("us", *done()), placement=live, content=wrong))
    assert conditions["Scheduled"] == ("False", "InvalidResourceSelectors")
    assert conditions["Available"] == ("True", "ResourceAvailable")


@pytest.mark.parametrize("content", [MAPS, Content(), Invalid("Wrong", "because")])
def test_a_status_is_not_said_twice(content: Any) -> None:
    bindings = (at("us", *done(3)), at("eu", *done()))
    decided = (policy("apac", number=3),)
    status = told(*bindings, content=content, policies=decided)
    stranger = condition("example.com/Seen", True)
    live = start().manifest() | {"status": status.dump()}
    live["status"]["conditions"].append(stranger)
    seen = Observed(
        scope=NAMESPACED,
        name=PLACEMENT,
        placement=NAMESPACED.placement.model_validate(live),
        content=content,
        policies=decided,
        bindings=bindings,
    )
    assert report(seen, now=NOON + timedelta(hours=1)) is None


def test_the_types_bear_the_kind_of_the_placement() -> None:
    body = placement(CLUSTER).manifest()
    seen = Observed(
        scope=CLUSTER,
        name=PLACEMENT,
        placement=CLUSTER.placement.model_validate(body),
        content=MAPS,
    )
    status = report(seen, now=NOON)
    assert status
    assert [c.type for c in status.conditions] == ["ClusterResourcePlacementScheduled"]


@pytest.mark.parametrize(
    ("bindings", "stands"),
    [([at("us")], False), ([at("us", *done(3))], False), ([at("us", *done(4))], True), ([], True)],
    ids=["begun", "being applied", "applied", "nowhere"],
)
def test_a_status_that_is_old_in_a_moment_is_told_apart(
    bindings: list[Binding], *, stands: bool
) -> None:
    assert settled(told(*bindings)) is stands
