"""Prometheus hears of placements, members, workloads and sold-out types as the caches have them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fleet.runtime.metrics import exposition
from hub.gauges import Gauges
from hub.heartbeats import Heartbeats
from hub.kinds import Kinds

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PLACEMENTS = "placement.kubernetes-fleet.io/v1beta1"


def condition(kind: str, status: str, reason: str) -> Mapping[str, Any]:
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "lastTransitionTime": "2026-01-01T12:00:00Z",
    }


def placement(name: str, *conditions: Mapping[str, Any], version: int = 1) -> Mapping[str, Any]:
    return {
        "apiVersion": PLACEMENTS,
        "kind": "ResourcePlacement",
        "metadata": {"name": name, "namespace": "demo", "resourceVersion": str(version)},
        "spec": {"resourceSelectors": [{"group": "", "version": "v1", "kind": "ConfigMap"}]},
        "status": {"conditions": conditions},
    }


def member(name: str, beat: datetime, **pools: datetime | None) -> Mapping[str, Any]:
    return {
        "apiVersion": "cluster.kubernetes-fleet.io/v1beta1",
        "kind": "MemberCluster",
        "metadata": {"name": name},
        "spec": {"identity": {"kind": "User", "name": name}, "heartbeatPeriodSeconds": 5},
        "status": {
            "agentStatus": [{"type": "MemberAgent", "lastReceivedHeartbeat": f"{beat:%FT%TZ}"}],
            "inventory": {
                "pools": [
                    {"instanceType": kind, "gpusPerNode": 1}
                    | ({"soldOutUntil": f"{until:%FT%TZ}"} if until else {})
                    for kind, until in pools.items()
                ]
            },
        },
    }


class Seen:
    """What the gauges say of the caches of a hub."""

    def __init__(self) -> None:
        self.kinds = Kinds()
        heartbeats = Heartbeats(lambda: 0.0, lambda: NOON)
        heartbeats.follow(self.kinds.clusters)
        self.gauges = Gauges(self.kinds, heartbeats, lambda: NOON)

    def lines(self, name: str) -> set[str]:
        with self.gauges.asked():
            lines = exposition().decode().splitlines()
        return {line.removeprefix(name) for line in lines if line.startswith(f"{name}{{")}


SCHEDULED = condition("ResourcePlacementScheduled", "True", "SchedulingPolicyFulfilled")
STARTED = condition("ResourcePlacementRolloutStarted", "True", "RolloutStarted")


@pytest.mark.parametrize(
    ("conditions", "reason"),
    [
        ((), "Pending"),
        ((SCHEDULED,), "Available"),
        ((condition("ResourcePlacementScheduled", "False", "NoRoom"),), "NoRoom"),
        (
            (
                condition("ResourcePlacementAvailable", "Unknown", "Later"),
                condition("ResourcePlacementApplied", "False", "ApplyFailed"),
                STARTED,
                SCHEDULED,
            ),
            "ApplyFailed",
        ),
        ((SCHEDULED, condition("Somebodys", "False", "Else")), "Available"),
    ],
)
def test_a_placement_counts_for_the_first_thing_that_it_waits_for(
    conditions: tuple[Mapping[str, Any], ...], reason: str
) -> None:
    seen = Seen()
    seen.kinds.scopes[next(s for s in seen.kinds.scopes if s.namespaced)].placements.put(
        placement("llama", *conditions)
    )
    said = f'{{reason="{reason}",scope="resourceplacements"}} 1.0'
    assert seen.lines("modelfleet_placements") == {said}


def test_a_placement_that_goes_on_counts_for_its_new_reason_alone() -> None:
    seen = Seen()
    cache = seen.kinds.scopes[next(s for s in seen.kinds.scopes if s.namespaced)].placements
    cache.put(placement("llama"))
    cache.put(placement("llama", SCHEDULED, version=2))
    assert seen.lines("modelfleet_placements") == {
        '{reason="Pending",scope="resourceplacements"} 0.0',
        '{reason="Available",scope="resourceplacements"} 1.0',
    }


def test_runs_count_for_what_is_last_said_of_them() -> None:
    seen = Seen()
    for scope, caches in seen.kinds.scopes.items():
        if scope.namespaced:
            body = {"apiVersion": scope.run.API, "kind": scope.run.kind()}
            metadata = {"name": "upgrade", "namespace": "demo", "resourceVersion": "1"}
            spec = {"placementName": "llama", "stagedRolloutStrategyName": "waves"}
            told = [
                condition("Initialized", "True", "Done"),
                condition("Progressing", "False", "Stuck"),
            ]
            caches.runs.put(
                body | {"metadata": metadata, "spec": spec, "status": {"conditions": told}}
            )
    assert seen.lines("modelfleet_update_runs") == {'{reason="Stuck",scope="stagedupdateruns"} 1.0'}


def test_members_are_silent_or_not_and_their_types_sold_out_or_not() -> None:
    seen = Seen()
    seen.kinds.clusters.put(member("eu", NOON, a100=NOON + timedelta(minutes=3), t4=None))
    seen.kinds.clusters.put(member("us", NOON - timedelta(hours=1), a100=NOON))
    assert seen.lines("modelfleet_member_silent") == {
        '{cluster="eu"} 0.0',
        '{cluster="us"} 1.0',
    }
    assert seen.lines("modelfleet_instance_type_sold_out") == {
        '{cluster="eu",instance_type="a100"} 1.0',
        '{cluster="eu",instance_type="t4"} 0.0',
        '{cluster="us",instance_type="a100"} 0.0',
    }


def test_a_workload_is_ready_as_its_own_condition_says_and_ends_with_it() -> None:
    seen = Seen()
    workspace = {
        "apiVersion": "kaito.sh/v1beta1",
        "kind": "Workspace",
        "metadata": {"name": "phi", "namespace": "demo"},
        "status": {"conditions": [condition("InferenceReady", "True", "Ready")]},
    }
    deployment = {
        "apiVersion": "modelfleet.dev/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": "qwen", "namespace": "demo"},
        "spec": {"model": "qwen2-7b"},
    }
    seen.kinds.workspaces.put(workspace)
    seen.kinds.deployments.put(deployment)
    name = "modelfleet_workload_ready"
    left = '{kind="ModelDeployment",name="qwen",namespace="demo"} 0.0'
    assert seen.lines(name) == {'{kind="Workspace",name="phi",namespace="demo"} 1.0', left}
    seen.kinds.workspaces.remove(seen.kinds.workspaces.keys()[0])
    assert seen.lines(name) == {left}
