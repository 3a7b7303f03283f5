"""Which clusters a placement cannot go to, and the reason that is given."""

from datetime import timedelta
from typing import Any

import pytest

from fleet.api.cluster import MemberCluster
from fleet.engine.ask import Ask
from fleet.engine.decide import decide
from fleet.engine.verdicts import Rejected
from tests.unit.fleet.engine.fleets import NOON, WELL, agent, ask, fleet, member, said


def leaving(name: str) -> MemberCluster:
    going = member(name).metadata.model_copy(update={"deletion_timestamp": NOON})
    return member(name).model_copy(update={"metadata": going})


def unhealthy(name: str, minutes: int, status: str = "False") -> MemberCluster:
    healthy = said("Healthy", status, NOON - timedelta(minutes=minutes))
    return member(name, agentStatus=[agent(said("Joined", "True"), healthy)])


def required(**term: Any) -> dict[str, Any]:
    selector = {"clusterSelectorTerms": [term]}
    affinity = {"requiredDuringSchedulingIgnoredDuringExecution": selector}
    return {"affinity": {"clusterAffinity": affinity}}


FAILOVER = {"scoring": {"failover": {"tolerationSeconds": 30}}}
WEST = {"labelSelector": {"matchLabels": {"side": "west"}}}


@pytest.mark.parametrize(
    ("asked", "cluster", "by", "reason"),
    [
        (ask(1), leaving("eu"), "eligibility", "is leaving the fleet"),
        (ask(1), member("eu", joined=False), "eligibility", "has not joined the fleet"),
        (
            ask(1, silent_seconds={"eu": 300.0}),
            member("eu"),
            "eligibility",
            "has not been heard for 300 s",
        ),
        (
            ask(1, stale=frozenset({"eu"})),
            member("eu"),
            "eligibility",
            "has not been heard for 300 s",
        ),
        (
            ask(1),
            unhealthy("eu", 6),
            "eligibility",
            "its agent is unhealthy since 2026-01-01 11:54:00",
        ),
        (
            ask(1),
            unhealthy("eu", 60, "Unknown"),
            "eligibility",
            "its agent is unhealthy since 2026-01-01 11:00:00",
        ),
        (ask(1), member("eu", agentStatus=[]), "eligibility", "has not joined the fleet"),
        (
            ask(1),
            member("eu", agentStatus=[agent(said("Joined", "True"))]),
            "eligibility",
            "has not joined the fleet",
        ),
        (
            ask(1),
            member("eu", agentStatus=[agent(said("Joined", "True"), WELL, beat=None)]),
            "eligibility",
            "has not joined the fleet",
        ),
        (
            ask(1, namespace="demo"),
            member("eu", conditions=[said("NamespaceCollectionSucceeded", "True")]),
            "namespace-affinity",
            "has no namespace demo",
        ),
        (
            ask(1, policy=FAILOVER, silent_seconds={"eu": 31.0}),
            member("eu"),
            "failover",
            "silent for 31 s, 30 s are tolerated",
        ),
        (
            ask(1, policy=required(**WEST)),
            member("eu"),
            "cluster-affinity",
            "matches no required term",
        ),
        (ask(1), member("eu", taint="broken"), "taint-toleration", "has broken="),
        (
            ask(1, namespace="demo"),
            member("eu", namespaces={"default": ""}),
            "namespace-affinity",
            "has no namespace demo",
        ),
        (
            ask(None, policy={"placementType": "PickFixed", "clusterNames": ["us"]}),
            member("eu"),
            "pick-fixed",
            "is not among clusterNames",
        ),
    ],
)
def test_a_cluster_is_rejected_with_a_reason(
    asked: Ask, cluster: MemberCluster, by: str, reason: str
) -> None:
    found = decide(asked, fleet(cluster))
    assert found.chosen == ()
    assert list(found.others()) == [Rejected("eu", by, reason)]


@pytest.mark.parametrize(
    ("asked", "cluster"),
    [
        (ask(1, silent_seconds={"eu": 299.0}), member("eu")),
        (ask(1, policy=FAILOVER, silent_seconds={"eu": 14.0}), member("eu")),
        (ask(1), unhealthy("eu", 4)),
        (ask(1, policy=required(**WEST)), member("eu", labels={"side": "west"})),
        (ask(1, policy=required()), member("eu")),
        (ask(1, policy={"affinity": {"clusterAffinity": {}}}), member("eu")),
        (ask(1, namespace="demo"), member("eu", namespaces={"demo": ""})),
        (ask(1, namespace="demo"), member("eu")),
        (
            ask(1, policy={"tolerations": [{"key": "broken", "operator": "Exists"}]}),
            member("eu", taint="broken"),
        ),
        (ask(1, policy={"tolerations": [{"operator": "Exists"}]}), member("eu", taint="broken")),
        (
            ask(1, policy={"tolerations": [{"key": "broken", "effect": "NoSchedule"}]}),
            member("eu", taint="broken"),
        ),
        (
            ask(None, policy={"placementType": "PickFixed", "clusterNames": ["eu"]}),
            member("eu", taint="broken", namespaces={"default": ""}),
        ),
    ],
)
def test_a_cluster_is_let_pass(asked: Ask, cluster: MemberCluster) -> None:
    assert [choice.cluster for choice in decide(asked, fleet(cluster)).chosen] == ["eu"]


@pytest.mark.parametrize(
    "toleration", [{"key": "other", "operator": "Exists"}, {"key": "broken", "value": "a"}]
)
def test_another_toleration_does_not_cover_a_taint(toleration: dict[str, str]) -> None:
    found = decide(
        ask(1, policy={"tolerations": [toleration]}), fleet(member("eu", taint="broken"))
    )
    assert found.chosen == ()


def test_the_toleration_of_silence_is_three_heartbeats_at_least() -> None:
    short = {"scoring": {"failover": {"tolerationSeconds": 1}}}
    heard = ask(1, policy=short, silent_seconds={"eu": 14.0})
    silent = ask(1, policy=short, silent_seconds={"eu": 15.0})
    assert [choice.cluster for choice in decide(heard, fleet(member("eu"))).chosen] == ["eu"]
    assert decide(silent, fleet(member("eu"))).chosen == ()
