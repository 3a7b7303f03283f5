"""A member gets a namespace of its own on the hub, and an agent that may do nothing elsewhere."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.api import names
from fleet.api.cluster import InternalMemberCluster, MemberCluster
from fleet.api.core import Namespace, Role, RoleBinding, ServiceAccount
from fleet.api.objects import Key
from fleet.kube.errors import ConflictError, TransientError
from fleet.kube.queue import WorkQueue
from tests.unit.hub.controllers.membership.gate import (
    MIDNIGHT,
    NAMESPACE,
    US,
    Gate,
    cluster,
    condition,
)

PLACEMENT, CLUSTER = "placement.kubernetes-fleet.io", "cluster.kubernetes-fleet.io"
RIGHTS = {
    (PLACEMENT, "works"): {"get", "list", "watch", "patch"},
    (PLACEMENT, "works/status"): {"patch"},
    (CLUSTER, "internalmemberclusters"): {"get", "list", "watch"},
    (CLUSTER, "internalmemberclusters/status"): {"patch"},
    ("", "events"): {"create", "patch"},
}
OURS = {names.FLEET_RESOURCE: "true"}
KINDS = (Namespace, ServiceAccount, Role, RoleBinding, InternalMemberCluster)


async def test_a_member_gets_what_it_needs_on_the_hub() -> None:
    gate = Gate(cluster())
    await gate.reconcile()
    found = [one for kind in KINDS for one in gate.client.all(kind)]
    assert [one.name for one in found] == [
        NAMESPACE,
        "member-agent",
        "fleet-role-us",
        "fleet-rolebinding-us",
        US,
    ]
    assert [one.namespace for one in found] == ["", *[NAMESPACE] * 4]
    assert all(one.metadata.labels == OURS for one in found)
    assert gate.cluster.metadata.labels == {names.MEMBER_NAME: US}
    assert gate.cluster.metadata.finalizers == (names.MEMBER_CLUSTER_FINALIZER,)


def rights(gate: Gate) -> dict[tuple[str, str], set[str]]:
    (role,) = gate.client.all(Role)
    found: dict[tuple[str, str], set[str]] = {}
    for rule in role.rules:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                found.setdefault((group, resource), set()).update(rule["verbs"])
    return found


async def test_an_agent_may_read_its_works_and_report_and_nothing_else() -> None:
    gate = Gate(cluster())
    await gate.reconcile()
    assert rights(gate) == RIGHTS | {("", "serviceaccounts/token"): {"create"}}
    (role,) = gate.client.all(Role)
    named = {
        rule["resources"][0]: rule["resourceNames"]
        for rule in role.rules
        if rule.get("resourceNames")
    }
    assert named == {"serviceaccounts/token": ["member-agent"]}


@pytest.mark.parametrize(
    ("identity", "subject"),
    [
        (
            {"kind": "User", "name": "agent"},
            {"kind": "User", "name": "agent", "apiGroup": "rbac.authorization.k8s.io"},
        ),
        (
            {"kind": "Group", "name": "agents", "apiGroup": "x.io"},
            {"kind": "Group", "name": "agents", "apiGroup": "x.io"},
        ),
        (
            {"kind": "ServiceAccount", "name": "agent", "namespace": "fleet-system"},
            {"kind": "ServiceAccount", "name": "agent", "namespace": "fleet-system"},
        ),
    ],
    ids=["a user", "a group", "an account that is somebody else's"],
)
async def test_an_identity_that_is_not_ours_is_bound_and_gets_no_tokens(
    identity: dict[str, str], subject: dict[str, str]
) -> None:
    gate = Gate(cluster(identity))
    await gate.reconcile()
    (binding,) = gate.client.all(RoleBinding)
    assert binding.subjects == (subject,)
    assert binding.role_ref["name"] == "fleet-role-us"
    assert rights(gate) == RIGHTS
    assert gate.client.all(ServiceAccount) == []


async def test_another_identity_takes_the_rights_of_the_one_before() -> None:
    gate = Gate(cluster())
    await gate.join()
    gate.client.put(cluster({"kind": "User", "name": "agent"}))
    await gate.reconcile()
    (binding,) = gate.client.all(RoleBinding)
    assert [subject["name"] for subject in binding.subjects] == ["agent"]
    assert rights(gate) == RIGHTS


def _widen(gate: Gate) -> None:
    (role,) = gate.client.bodies(Role)
    every = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
    gate.client.put(role | {"rules": [*role["rules"], every]})


def _unlabel(gate: Gate) -> None:
    (namespace,) = gate.client.bodies(Namespace)
    gate.client.put(namespace | {"metadata": {"name": NAMESPACE, "labels": {}}})


def _expel(gate: Gate) -> None:
    (internal,) = gate.client.bodies(InternalMemberCluster)
    gate.client.put(internal | {"spec": internal["spec"] | {"state": "Leave"}})


def _slow_down(gate: Gate) -> None:
    (internal,) = gate.client.bodies(InternalMemberCluster)
    gate.client.put(internal | {"spec": internal["spec"] | {"heartbeatPeriodSeconds": 600}})


@pytest.mark.parametrize("tamper", [_widen, _unlabel, _expel, _slow_down])
async def test_what_somebody_changed_is_put_right(tamper: Any) -> None:
    gate = Gate(cluster())
    await gate.join()
    before = _facts(gate)
    tamper(gate)
    assert _facts(gate) != before
    await gate.reconcile()
    assert _facts(gate) == before


@pytest.mark.parametrize("kind", KINDS)
async def test_what_somebody_deleted_is_made_again(kind: Any) -> None:
    gate = Gate(cluster())
    await gate.reconcile(2)
    (gone,) = gate.client.all(kind)
    await gate.client.delete(gone)
    await gate.reconcile()
    assert [one.name for one in gate.client.all(kind)] == [gone.name]


async def test_a_namespace_that_still_goes_is_waited_for() -> None:
    going = {"name": NAMESPACE, "labels": OURS, "finalizers": ["kubernetes"]}
    gate = Gate(cluster(), Namespace.model_validate({"metadata": going}))
    await gate.client.delete(gate.client.all(Namespace)[0])
    await gate.reconcile()
    assert gate.client.all(Role) == []
    assert gate.said("ReadyToJoin") == ("False", "MemberClusterNotReadyToJoin")
    gate.control_namespaces()
    await gate.reconcile(2)
    assert gate.said("ReadyToJoin") == ("True", "MemberClusterReadyToJoin")


@pytest.mark.parametrize(
    ("joined", "said"),
    [
        (None, ("Unknown", "MemberClusterJoinStateUnknown")),
        ("Unknown", ("Unknown", "MemberClusterJoinStateUnknown")),
        ("True", ("True", "MemberClusterJoined")),
        ("False", ("False", "MemberClusterLeft")),
    ],
)
async def test_a_member_has_joined_when_its_agent_says_so(
    joined: str | None, said: tuple[str, str]
) -> None:
    gate = Gate(cluster())
    await gate.reconcile(2)
    assert gate.said("ReadyToJoin") == ("True", "MemberClusterReadyToJoin")
    assert gate.said("Joined") == ("Unknown", "MemberClusterJoinStateUnknown")
    gate.say(joined)
    await gate.reconcile()
    assert gate.said("Joined") == said


async def test_what_the_agent_reports_is_on_the_member() -> None:
    gate = Gate(cluster())
    await gate.reconcile(2)
    report: dict[str, Any] = {
        "conditions": [condition("ClusterPropertyCollectionSucceeded", "True")],
        "properties": {
            "kubernetes-fleet.io/node-count": {
                "value": "3",
                "observationTime": "2026-01-01T00:00:00Z",
            }
        },
        "resourceUsage": {"capacity": {"cpu": "8"}},
        "namespaces": {"demo": "llama-work"},
        "region": "centralus",
        "inventory": {"pools": [{"instanceType": "A10", "gpusPerNode": 1, "gpusFree": 2}]},
        "gateway": {"url": "http://us.example/v1", "ready": True},
    }
    gate.say("True", **report)
    await gate.reconcile()
    (body,) = gate.client.bodies(MemberCluster)
    told = body["status"]
    assert {key: told[key] for key in report if key != "conditions"} == {
        key: value for key, value in report.items() if key != "conditions"
    }
    assert told["agentStatus"][0]["conditions"][0]["type"] == "Joined"
    types = [each["type"] for each in told["conditions"]]
    assert types == ["ReadyToJoin", "Joined", "ClusterPropertyCollectionSucceeded"]


async def test_a_heartbeat_reaches_the_member_and_a_gateway_that_is_gone_leaves_it() -> None:
    gate = Gate(cluster())
    await gate.reconcile(2)
    gate.say("True", gateway={"url": "http://us.example/v1", "ready": True})
    await gate.reconcile()
    beat = {"type": "MemberAgent", "lastReceivedHeartbeat": "2026-01-01T00:01:00Z"}
    gate.client.put(gate.internal.manifest() | {"status": {"agentStatus": [beat]}})
    await gate.reconcile()
    assert gate.cluster.heartbeat == MIDNIGHT + timedelta(minutes=1)
    assert gate.cluster.status.gateway is None


async def test_a_state_that_stays_keeps_its_time() -> None:
    gate = Gate(cluster())
    await gate.join()
    gate.now += timedelta(hours=1)
    gate.say("True", region="centralus")
    await gate.reconcile()
    assert gate.cluster.status.region == "centralus"
    assert {c.last_transition_time for c in gate.cluster.status.conditions} == {MIDNIGHT}


async def test_another_heartbeat_period_reaches_the_agent() -> None:
    gate = Gate(cluster(heartbeatPeriodSeconds=5))
    await gate.reconcile()
    assert gate.internal.spec.heartbeat_period_seconds == 5
    gate.client.put(cluster(heartbeatPeriodSeconds=30))
    await gate.reconcile()
    assert gate.internal.spec.heartbeat_period_seconds == 30


async def test_a_member_deleted_meanwhile_does_not_come_back() -> None:
    gate = Gate(cluster())
    for cache in gate.reads:
        await gate.client.relist(cache)
    await gate.client.delete(gate.cluster)
    with pytest.raises(ConflictError):
        await gate.membership.reconcile(Key("", US))
    assert gate.client.all(MemberCluster) == []


@given(
    identity=st.sampled_from(
        [
            {"kind": "ServiceAccount", "name": "member-agent", "namespace": NAMESPACE},
            {"kind": "ServiceAccount", "name": "a", "namespace": "elsewhere"},
            {"kind": "User", "name": "a"},
            {"kind": "Group", "name": "a"},
        ]
    ),
    joined=st.sampled_from([None, "True", "False", "Unknown"]),
    region=st.sampled_from(["", "centralus"]),
)
async def test_reconciling_again_writes_nothing(
    identity: dict[str, str], joined: str | None, region: str
) -> None:
    gate = Gate(cluster(identity))
    await gate.reconcile(2)
    gate.say(joined, region=region)
    await gate.reconcile()
    gate.client.writes_left = 0
    gate.now += timedelta(hours=1)
    await gate.reconcile()


@given(writes=st.integers(0, 7))
async def test_a_crash_between_any_two_writes_ends_in_the_same_state(writes: int) -> None:
    calm, shaken = Gate(cluster()), Gate(cluster())
    await calm.reconcile(2)
    shaken.client.writes_left = writes
    for _ in range(2):
        with suppress(TransientError):
            await shaken.reconcile()
    shaken.client.writes_left = 99
    await shaken.reconcile(2)
    assert _facts(shaken) == _facts(calm)


def _facts(gate: Gate) -> object:
    """Everything there is, but for what a server counts."""
    counted = ("uid", "resourceVersion", "generation")
    return [
        body | {"metadata": {key: v for key, v in body["metadata"].items() if key not in counted}}
        for kind in (MemberCluster, *KINDS)
        for body in gate.client.bodies(kind)
    ]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_member_is_looked_at_when_something_of_its_own_changes(kind: Any) -> None:
    gate = Gate(cluster())
    await gate.reconcile()
    queue = WorkQueue(lambda: 0.0)
    gate.membership.wake(queue)
    gate.client.feed(*gate.reads)
    (body,) = gate.client.bodies(kind)
    gate.client.put(body | {"metadata": body["metadata"] | {"labels": {**OURS, "x": "y"}}})
    assert await queue.get() == Key("", US)
    assert len(queue) == 0


async def test_a_fleet_namespace_that_belongs_to_no_member_wakes_nobody() -> None:
    gate = Gate()
    queue = WorkQueue(lambda: 0.0)
    gate.membership.wake(queue)
    gate.client.feed(*gate.reads)
    system = {"metadata": {"name": "fleet-system", "labels": OURS}}
    gate.client.put(Namespace.model_validate(system))
    assert len(queue) == 0
