"""What a member says of itself: that it has joined or left, and how it is."""

from dataclasses import replace
from typing import Any

import pytest
from typing_extensions import override

from fleet.api import names
from fleet.api.cluster import ClusterState, GatewayStatus
from fleet.api.objects import Key, Metadata
from fleet.api.work import Work
from fleet.kube.errors import TransientError
from fleet.testing.client import FakeClient
from tests.unit.member_agent.controllers.inventory.reporter import (
    KEY,
    PERIOD,
    Reporter,
    membership,
)
from tests.unit.member_agent.hardware import node


async def test_a_member_that_joins_says_so() -> None:
    reporter = Reporter()
    await reporter.report()
    assert reporter.said("Joined") == (
        "True",
        "InternalMemberClusterJoined",
        "the agent applies Works",
    )
    assert reporter.said("Healthy") == (
        "True",
        "InternalMemberClusterHealthy",
        "the member's API server answers",
    )


async def test_a_gateway_that_is_not_reached_is_told_of_with_the_reason() -> None:
    reporter, found = Reporter(), GatewayStatus(url="https://us.example/v1")
    await reporter.report()
    agent = reporter.status().agent
    assert agent
    assert [each.type for each in agent.conditions] == ["Joined", "Healthy"]
    reporter.gateway.trouble = "Service a/b has no address yet"
    await reporter.after(60)
    assert reporter.said("GatewayReady") == ("False", "NoGatewayAddress", reporter.gateway.trouble)
    reporter.gateway.found, reporter.gateway.trouble = found, "it is not ready: status 503"
    await reporter.after(60)
    assert reporter.said("GatewayReady")[1] == "GatewayNotReady"
    reporter.gateway.trouble = ""
    await reporter.after(60)
    said = ("True", "GatewayReady", "https://us.example/v1 serves")
    assert reporter.said("GatewayReady") == said


async def test_an_agent_that_stands_aside_has_not_joined_and_says_for_whom() -> None:
    reporter = Reporter()
    reporter.other.found = "KAITO, which is there; stop KAITO"
    await reporter.report()
    assert reporter.said("Joined") == (
        "False",
        "InternalMemberClusterStandsAside",
        "the agent stands aside and writes nothing: KAITO, which is there; stop KAITO",
    )
    assert reporter.said("Healthy")[0] == "True"
    reporter.other.found = ""
    await reporter.after(1)
    assert reporter.said("Joined")[0] == "True"


async def test_a_member_has_left_once_its_works_are_let_go() -> None:
    reporter = Reporter(hub=membership(ClusterState.LEAVE))
    held = Metadata(name="w", namespace=KEY.namespace, finalizers=(names.WORK_BINDING_CLEANUP,))
    reporter.hub.put(Work(metadata=held))
    await reporter.report()
    assert reporter.said("Joined") == (
        "Unknown",
        "InternalMemberClusterFailedToLeave",
        "waits until its Works are released",
    )
    reporter.hub.put(Work(metadata=held.model_copy(update={"finalizers": ()})))
    await reporter.after(1)
    assert reporter.said("Joined") == (
        "False",
        "InternalMemberClusterLeft",
        "its workloads stay as they are",
    )


class Away(FakeClient):
    """A member whose API server is away."""

    @override
    async def get(self, model: Any, key: Key) -> Any:
        raise TransientError("connection refused")


async def test_a_member_whose_api_server_is_away_is_unhealthy_and_still_reports() -> None:
    reporter = Reporter()
    there, away = reporter.reports, replace(reporter.reports, member=Away())
    reporter.reports = away
    await reporter.report()
    assert reporter.said("Healthy") == (
        "False",
        "InternalMemberClusterUnhealthy",
        "the member's API server does not answer: connection refused",
    )
    reporter.reports = there
    await reporter.after(PERIOD)
    assert reporter.said("Healthy")[0] == "True"


async def test_a_condition_keeps_its_time_until_its_status_changes() -> None:
    reporter = Reporter()
    await reporter.report()
    agent = reporter.status().agent
    await reporter.after(PERIOD)
    later = reporter.status().agent
    assert agent
    assert later
    assert later.last_received_heartbeat != agent.last_received_heartbeat
    times = [[c.last_transition_time for c in each.conditions] for each in (agent, later)]
    assert times[0] == times[1]


@pytest.mark.parametrize(
    ("regions", "region"),
    [
        ([], ""),
        (["eu"], "eu"),
        (["eu", "us", "us"], "us"),
        (["us", "eu"], "eu"),
        (["", "", "us"], "us"),
    ],
)
async def test_the_region_is_the_one_that_most_nodes_carry(regions: list[str], region: str) -> None:
    nodes = [node(f"n{index}", labels={names.REGION: name}) for index, name in enumerate(regions)]
    reporter = Reporter(*nodes)
    await reporter.report()
    assert reporter.status().region == region


async def test_a_member_tells_which_kubernetes_it_is() -> None:
    reporter = Reporter()
    await reporter.report()
    assert reporter.status().properties["k8s.io/k8s-version"].value == "v1.36.3"
