"""What is said of a member that leaves: before it is asked, and while it is waited for."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli.leave.farewell import Found, Left, outlook, waiting_for
from fleet.api.binding import ClusterResourceBinding, ResourceBinding
from fleet.api.cluster import MemberCluster
from fleet.api.core import Namespace
from fleet.api.work import Work

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOME = "fleet-member-us"
DELETED = {"deletionTimestamp": "2026-01-01T00:00:00Z"}


def member(beat: datetime | None = None) -> MemberCluster:
    agent = {"type": "MemberAgent", "lastReceivedHeartbeat": beat.isoformat()} if beat else None
    identity = {"kind": "User", "name": "us"}
    return MemberCluster.model_validate(
        {
            "metadata": {"name": "us"},
            "spec": {"identity": identity, "heartbeatPeriodSeconds": 60},
            "status": {"agentStatus": [agent] if agent else []},
        }
    )


def binding(kind: Any, parent: str, cluster: str, **metadata: Any) -> Any:
    labels = {"kubernetes-fleet.io/parent-CRP": parent}
    spec = {
        "state": "Bound",
        "targetCluster": cluster,
        "resourceSnapshotName": "",
        "schedulingPolicySnapshotName": "",
        "clusterDecision": {"clusterName": cluster, "selected": True, "reason": ""},
    }
    name = {"name": f"{parent}-{cluster}", "labels": labels, **metadata}
    return kind.model_validate({"metadata": name, "spec": spec})


def work(*finalizers: str) -> Work:
    metadata = {"name": "w", "namespace": HOME, "finalizers": finalizers}
    return Work.model_validate({"metadata": metadata})


def home(**metadata: Any) -> Namespace:
    return Namespace.model_validate({"metadata": {"name": HOME, **metadata}})


def test_a_user_reads_which_placements_have_work_there() -> None:
    bindings = (
        binding(ResourceBinding, "qwen", "us", namespace="models"),
        binding(ClusterResourceBinding, "shared", "us"),
        binding(ClusterResourceBinding, "elsewhere", "eu"),
        binding(ClusterResourceBinding, "going", "us", **DELETED),
    )
    said = outlook(Found(member=member(), bindings=bindings, works=(work(),)), NOON)
    assert said == [
        "us is to leave the fleet:",
        "- placements with work there, which go elsewhere where they may: models/qwen, shared",
        "- its workloads keep running as they are, but the fleet no longer changes or sees them",
        "- the hub removes MemberCluster us and namespace fleet-member-us, with 1 Work in it",
        "- its agent has never reported, and is not waited for",
    ]
    assert outlook(Found(member=member()), NOON)[1] == "- no placement has work there"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(179, "heard of just now"), (180, "last heard of at 2026-01-01 11:57:00 UTC: the hub waits")],
)
def test_an_agent_that_is_silent_is_named(seconds: int, said: str) -> None:
    found = Found(member=member(NOON - timedelta(seconds=seconds)))
    assert said in outlook(found, NOON)[-1]


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (
            Left(member=member(), namespace=home(), works=(work("x"), work())),
            "waits until the agent has let go of its Works: 1",
        ),
        (
            Left(member=member(), namespace=home(), works=(work(),)),
            "waits until the agent has said that it leaves",
        ),
        (
            Left(member=member(), namespace=home(**DELETED)),
            "waits until namespace fleet-member-us is empty",
        ),
        (
            Left(member=member()),
            "waits until the hub lets go of the MemberCluster: does the hub run?",
        ),
    ],
)
def test_what_is_waited_for_is_said(left: Left, said: str) -> None:
    assert waiting_for(left) == said
    assert not left.gone


def test_a_member_is_gone_when_its_namespace_is_too() -> None:
    assert Left(member=None).gone
    assert not Left(member=None, namespace=home()).gone
