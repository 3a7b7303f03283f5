"""The address that an agent reports for its gateway is believed where it is nobody else's."""

import logging
from typing import Any

import pytest

from fleet.api.cluster import InternalMemberCluster
from fleet.api.keys import Key
from fleet.api.names import FLEET_RESOURCE
from fleet.testing.workloads import member
from tests.unit.hub.controllers.membership.gate import US, Gate, cluster

FALSE, TRUE = "False", "True"


def gateway(host: str) -> dict[str, Any]:
    return {"url": f"https://{host}:8443/v1", "ready": True}


async def test_the_host_of_another_member_is_not_believed_until_that_one_lets_go(
    caplog: pytest.LogCaptureFixture,
) -> None:
    gate = Gate(cluster(), member("eu"))
    await gate.join()
    gate.heard.take()
    gate.say("True", gateway=gateway("EU.example."))
    with caplog.at_level(logging.WARNING, "hub"):
        await gate.reconcile(2)
    assert gate.cluster_named(US).status.gateway is None
    assert gate.said("GatewayAddress") == (FALSE, "GatewayAddressTaken")
    (message,) = gate.heard.messages
    assert "the member eu has the host eu.example" in message
    assert [record.getMessage() for record in caplog.records] == [message]
    assert gate.heard.take() == ["GatewayAddressTaken!"]
    await gate.client.delete(gate.cluster_named("eu"))
    await gate.reconcile(2)
    assert gate.said("GatewayAddress") == (TRUE, "GatewayAddressAccepted")
    assert gate.cluster_named(US).status.gateway is not None
    assert gate.heard.take() == ["GatewayAddressAccepted"]


async def test_an_elder_member_does_not_take_what_another_has() -> None:
    gate = Gate(cluster(metadata={"creationTimestamp": "2026-01-02T00:00:00Z"}))
    await gate.join()
    gate.say("True", gateway=gateway("us.example"))
    await gate.reconcile()
    elder = member("eu", gateway=False).manifest()
    elder["metadata"]["creationTimestamp"] = "2025-01-01T00:00:00Z"
    gate.client.put(elder)
    place = {"name": "eu", "namespace": "fleet-member-eu", "labels": {FLEET_RESOURCE: "true"}}
    said = {
        "metadata": place,
        "spec": {"state": "Join"},
        "status": {"gateway": gateway("us.example")},
    }
    gate.client.put(InternalMemberCluster.model_validate(said))
    await gate.reconcile()
    await gate.membership.reconcile(Key("", "eu"))
    assert gate.cluster_named("eu").status.gateway is None
    assert gate.cluster_named(US).status.gateway is not None
    assert gate.said("GatewayAddress") == ("", "")


@pytest.mark.parametrize("host", ["models.example", "10.0.0.9", "a.wild.example"])
async def test_a_name_of_the_global_gateway_is_no_member_s(host: str) -> None:
    gate = Gate(cluster())
    await gate.join()
    gate.say("True", gateway=gateway(host))
    await gate.reconcile(2)
    assert gate.cluster_named(US).status.gateway is None
    assert gate.said("GatewayAddress") == (FALSE, "GatewayAddressOfGlobalGateway")
