"""What a placement has already is read out of its bindings."""

from typing import Any

import pytest

from fleet.api import names
from fleet.api.binding import BindingState, ClusterResourceBinding
from fleet.api.placement import ClusterResourcePlacement, ResourcePlacement
from fleet.api.snapshot import ClusterSchedulingPolicySnapshot
from fleet.engine.ask import Holding
from fleet.engine.holdings import holdings, namespace_needed
from tests.unit.fleet.engine.fleets import NOON


def snapshot(name: str, **policy: Any) -> ClusterSchedulingPolicySnapshot:
    return ClusterSchedulingPolicySnapshot.model_validate(
        {"metadata": {"name": name}, "spec": {"policy": {"placementType": "PickN", **policy}}}
    )


def binding(
    decided_for: str = "llama-1",
    *,
    state: BindingState = BindingState.BOUND,
    available: str = "",
    observed: int = 1,
    **metadata: Any,
) -> ClusterResourceBinding:
    condition = {
        "type": "Available",
        "status": available,
        "reason": "Said",
        "observedGeneration": observed,
        "lastTransitionTime": NOON,
    }
    return ClusterResourceBinding.model_validate(
        {
            "metadata": {"name": "llama-eu", "generation": 1, **metadata},
            "spec": {
                "state": state,
                "targetCluster": "eu",
                "resourceSnapshotName": "",
                "schedulingPolicySnapshotName": decided_for,
                "clusterDecision": {"clusterName": "eu", "selected": True, "reason": "best"},
            },
            "status": {"conditions": [condition] if available else []},
        }
    )


OLD, LATEST = snapshot("llama-0"), snapshot("llama-1", scoring={"profile": "none"})
STRICTER = snapshot("llama-0", tolerations=[{"operator": "Exists"}])


def read(
    found: ClusterResourceBinding, old: ClusterSchedulingPolicySnapshot = OLD
) -> Holding | None:
    return next(iter(holdings([found], [old], LATEST)), None)


@pytest.mark.parametrize(
    ("decided_for", "old", "current", "same_rules"),
    [
        ("llama-1", OLD, True, True),
        ("llama-0", OLD, False, True),
        ("llama-0", STRICTER, False, False),
        ("forgotten", OLD, False, False),
    ],
)
def test_what_was_decided_for_an_older_policy_is_told_from_what_only_scores_differently(
    decided_for: str,
    old: ClusterSchedulingPolicySnapshot,
    *,
    current: bool,
    same_rules: bool,
) -> None:
    found = read(binding(decided_for), old)
    assert found is not None
    assert (found.current, found.same_rules) == (current, same_rules)


@pytest.mark.parametrize(
    ("available", "observed", "ready"),
    [
        ("True", 1, True),
        ("True", 0, False),
        ("False", 1, False),
        ("Unknown", 1, False),
        ("", 1, False),
    ],
)
def test_a_workload_is_ready_when_it_is_said_to_be_available_as_it_is_now(
    available: str, observed: int, *, ready: bool
) -> None:
    found = read(binding(available=available, observed=observed))
    assert found is not None
    assert found.ready is ready


@pytest.mark.parametrize(
    ("state", "previous", "in_use", "bound"),
    [
        (BindingState.BOUND, "", True, True),
        (BindingState.SCHEDULED, "", True, False),
        (BindingState.UNSCHEDULED, "Bound", False, True),
        (BindingState.UNSCHEDULED, "", False, False),
    ],
)
def test_what_was_let_go_remembers_whether_it_was_rolled_out(
    state: BindingState, previous: str, *, in_use: bool, bound: bool
) -> None:
    annotations = {names.PREVIOUS_STATE: previous} if previous else {}
    found = read(binding(state=state, annotations=annotations))
    assert found is not None
    assert (found.in_use, found.bound, found.fell_silent) == (in_use, bound, False)


def test_what_fell_silent_is_known_and_what_is_deleted_is_left_out() -> None:
    silent = read(binding(annotations={names.SILENT_SINCE: "2026-01-01T12:00:00Z"}))
    assert silent is not None
    assert silent.fell_silent
    assert read(binding(deletionTimestamp=NOON)) is None


def test_a_namespace_must_be_there_unless_the_placement_brings_it() -> None:
    spec: dict[str, Any] = {"resourceSelectors": []}
    owned = {"name": "a", "namespace": "demo", "labels": {names.OWNED_BY_DEPLOYMENT: "a"}}
    own = ResourcePlacement.model_validate(
        {"metadata": {"name": "a", "namespace": "demo"}, "spec": spec}
    )
    deployments = ResourcePlacement.model_validate({"metadata": owned, "spec": spec})
    wide = ClusterResourcePlacement.model_validate({"metadata": {"name": "a"}, "spec": spec})
    assert [namespace_needed(each) for each in (own, deployments, wide)] == ["demo", "", ""]
