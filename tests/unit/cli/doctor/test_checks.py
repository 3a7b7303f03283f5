"""A fleet's troubles as a table: what was found, and what is said of it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli.doctor.checks import findings
from cli.doctor.facts import Facts, GatewayFacts, HubFacts, Kinds, LeaderLease
from cli.doctor.findings import Finding, State, document, wrong
from fleet.api.cluster import MemberCluster

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
STAMP = "2026-01-01T00:00:00Z"


def condition(kind: str, status: str, message: str) -> dict[str, Any]:
    return {
        "type": kind,
        "status": status,
        "reason": "x",
        "message": message,
        "observedGeneration": 1,
        "lastTransitionTime": STAMP,
    }


NOTHING: Mapping[str, str] = {}


def member(
    *,
    joined: bool = True,
    healthy: bool = True,
    silent: float = 0,
    version: str = "v1.36.3",
    release: str = "0.1.0",
    claims: Mapping[str, str] = NOTHING,
    **metadata: Any,
) -> MemberCluster:
    beat = (NOON - timedelta(seconds=silent)).isoformat()
    health = condition("Healthy", str(healthy), "the member's API server does not answer")
    agent = {"type": "MemberAgent", "conditions": [health], "lastReceivedHeartbeat": beat}
    said = condition("Joined", "True" if joined else "Unknown", "nothing is said")
    refused = [condition(kind, "False", text) for kind, text in claims.items()]
    properties = {"k8s.io/k8s-version": version, "modelfleet.dev/agent-version": release}
    return MemberCluster.model_validate(
        {
            "metadata": {"name": "us", **metadata},
            "spec": {"identity": {"kind": "User", "name": "us"}, "heartbeatPeriodSeconds": 10},
            "status": {
                "conditions": [said, *refused],
                "agentStatus": [agent],
                "properties": {
                    name: {"value": value, "observationTime": STAMP}
                    for name, value in properties.items()
                },
            },
        }
    )


LEADER = LeaderLease(holder="hub-1", namespace="fleet", renewed=NOON, seconds=9)
HUB = HubFacts(
    where="https://hub",
    version="v1.36.3",
    kinds=Kinds(),
    denied=(),
    lease=LEADER,
    members=(member(),),
)
GATEWAY = GatewayFacts(url="https://models/v1", ready=200, listed=200, models=1)
TOOLS = {"kubectl": (1, 36, 3), "helm": (3, 19, 0)}
WELL = Facts(now=NOON, hub=HUB, release="0.1.0", gateway=GATEWAY, tools=TOOLS)


def judged(facts: Facts, check: str) -> list[Finding]:
    return [finding for finding in findings(facts) if finding.check == check]


def test_a_fleet_that_is_well_has_nothing_wrong() -> None:
    found = findings(WELL)
    assert [(finding.check, finding.state, finding.message) for finding in found] == [
        ("hub", State.OK, "Kubernetes v1.36.3"),
        ("hub kinds", State.OK, "all there, of this version"),
        ("your rights", State.OK, "your user may join members, and see what is placed"),
        ("hub program", State.OK, "hub-1 leads"),
        ("member us", State.OK, "joined, region us, Kubernetes v1.36.3"),
        ("gateway", State.OK, "https://models/v1 serves 1 model"),
        ("kubectl", State.OK, "1.36.3"),
        ("helm", State.OK, "3.19.0"),
    ]
    assert not wrong(found)
    assert document(found)["ok"] is True


STALE = replace(LEADER, renewed=NOON - timedelta(minutes=1))
HUB_TROUBLES: Mapping[str, tuple[Mapping[str, Any], str, State, str, str]] = {
    "away": ({"trouble": "no answer"}, "hub", State.FAILED, "no answer", "--kubeconfig"),
    "old": ({"version": "v1.32.9"}, "hub", State.FAILED, "v1.32.9 is too old", "1.33"),
    "unnamed": ({"version": "?"}, "hub", State.WARNING, "does not say", ""),
    "no kinds": (
        {"kinds": Kinds(missing=("a", "b"))},
        "hub kinds",
        State.FAILED,
        "not there: a, b",
        "modelfleet-crds",
    ),
    "other kinds": (
        {"kinds": Kinds(other=("a",))},
        "hub kinds",
        State.WARNING,
        "of another version than this command: a",
        "modelfleet-crds",
    ),
    "unseen kinds": ({"kinds": None}, "hub kinds", State.SKIPPED, "may not read", ""),
    "no rights": (
        {"denied": ("create memberclusters",)},
        "your rights",
        State.WARNING,
        "you may not create memberclusters",
        "admin",
    ),
    "unseen rights": ({"denied": None}, "your rights", State.SKIPPED, "does not say", ""),
    "no lease": ({"lease": None}, "hub program", State.WARNING, "no Lease", "modelfleet-hub"),
    "a stale lease": (
        {"lease": STALE},
        "hub program",
        State.FAILED,
        "nobody has led since 2026-01-01 11:59:00 UTC",
        "--namespace=fleet logs deployment/modelfleet-hub",
    ),
    "a clock that is late": (
        {"lease": replace(STALE, moving=True)},
        "hub program",
        State.OK,
        "hub-1 leads",
        "",
    ),
    "local": ({"program": True, "lease": None}, "hub program", State.OK, "on this machine", ""),
    "local and down": ({"program": False}, "hub program", State.FAILED, "not ready", "up"),
    "alone": ({"members": ()}, "members", State.WARNING, "there are none", "modelfleet join"),
}


@pytest.mark.parametrize("trouble", HUB_TROUBLES)
def test_what_a_hub_lacks_is_named_with_the_way_out(trouble: str) -> None:
    changes, check, state, message, way_out = HUB_TROUBLES[trouble]
    facts = replace(WELL, hub=replace(HUB, **changes))
    (found,) = judged(facts, check)
    assert found.state is state
    assert message in found.message
    assert way_out in found.way_out
    assert wrong(findings(facts)) is (state is State.FAILED)


def test_of_a_hub_that_is_away_nothing_more_is_said() -> None:
    found = findings(replace(WELL, hub=HubFacts(where="h", trouble="no answer")))
    assert [finding.check for finding in found] == ["hub", "gateway", "kubectl", "helm"]


MEMBER_TROUBLES: Mapping[str, tuple[Mapping[str, Any], State, str, str]] = {
    "leaving": (
        {"deletionTimestamp": STAMP},
        State.WARNING,
        "leaves the fleet",
        "modelfleet leave us",
    ),
    "new": (
        {"joined": False},
        State.FAILED,
        "has not joined: nothing is said",
        "modelfleet join us",
    ),
    "silent": (
        {"silent": 30},
        State.FAILED,
        "was last heard of at 2026-01-01 11:59:30 UTC, and reports every 10 s",
        "modelfleet join us --renew",
    ),
    "unwell": (
        {"healthy": False},
        State.FAILED,
        "is not healthy: the member's API server does not answer",
        "logs deployment/modelfleet-member-agent",
    ),
    "at another's address": (
        {
            "claims": {
                "GatewayAddress": "https://eu.example/v1 is not taken: eu has it; take another"
            }
        },
        State.FAILED,
        "https://eu.example/v1 is not taken: eu has it",
        "take another",
    ),
    "with a twin": (
        {"claims": {"SoleCluster": "a second cluster has a token; join it by another name"}},
        State.FAILED,
        "a second cluster has a token",
        "join it by another name",
    ),
    "of another version": (
        {"release": "0.0.9"},
        State.WARNING,
        "its agent is of version 0.0.9, this command of 0.1.0",
        "the hub first",
    ),
    "old": ({"version": "v1.30.1"}, State.FAILED, "Kubernetes v1.30.1 is too old", "1.33"),
}


@pytest.mark.parametrize("trouble", MEMBER_TROUBLES)
def test_what_is_wrong_with_a_member_is_named_with_the_way_out(trouble: str) -> None:
    changes, state, message, way_out = MEMBER_TROUBLES[trouble]
    facts = replace(WELL, hub=replace(HUB, members=(member(**changes),)))
    (found,) = judged(facts, "member us")
    assert (found.state, found.message) == (state, message)
    assert way_out in found.way_out


@pytest.mark.parametrize(
    ("left", "state"),
    [
        (timedelta(hours=20), State.OK),
        (timedelta(hours=4, minutes=46), State.OK),
        (timedelta(hours=4), State.WARNING),
        (timedelta(), State.FAILED),
    ],
)
def test_a_token_that_nobody_renews_is_named_before_it_ends(left: timedelta, state: State) -> None:
    (found,) = judged(replace(WELL, tokens={"us": NOON + left}), "member us")
    assert found.state is state
    assert (found.way_out == "modelfleet join us --renew") is (state is not State.OK)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trouble": "connection refused"}, "https://models/v1: connection refused"),
        ({"ready": 503}, "https://models/v1 is not ready: /readyz says 503"),
        ({"listed": 401}, "https://models/v1 does not take the key"),
        ({"listed": 404}, "https://models/v1: GET /models says 404"),
    ],
)
def test_what_is_wrong_with_a_gateway_is_named(changes: Mapping[str, Any], message: str) -> None:
    (found,) = judged(replace(WELL, gateway=replace(GATEWAY, **changes)), "gateway")
    assert (found.state, found.message) == (State.FAILED, message)
    assert found.way_out


def test_a_gateway_that_hides_its_readiness_is_asked_for_models() -> None:
    (found,) = judged(replace(WELL, gateway=replace(GATEWAY, ready=404)), "gateway")
    assert found.state is State.OK
    (skipped,) = judged(replace(WELL, gateway=None), "gateway")
    assert (skipped.state, skipped.way_out) == (State.SKIPPED, "name it with --url and --key")


@pytest.mark.parametrize(
    ("version", "state", "message"),
    [
        (None, State.WARNING, "is not on PATH"),
        ((3, 9, 1), State.WARNING, "3.9.1 is older than what the charts are tested with"),
        ((), State.OK, "does not say its version"),
    ],
)
def test_a_tool_that_is_missing_is_no_fault_of_the_fleet(
    version: tuple[int, ...] | None, state: State, message: str
) -> None:
    facts = replace(WELL, tools={**TOOLS, "helm": version})
    (found,) = judged(facts, "helm")
    assert (found.state, found.message) == (state, message)
    assert not wrong(findings(facts))
