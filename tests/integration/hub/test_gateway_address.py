"""A hub as a process, and two agents that report one host: the first of them has it."""

from fleet.api.cluster import GatewayStatus, InternalMemberCluster, MemberCluster
from fleet.api.conditions import find
from fleet.api.core import Event
from fleet.api.keys import Key
from fleet.api.names import member_namespace
from fleet.kube.client import ApiClient
from fleet.testing.waiting import until
from tests.integration.hub.conftest import HubProcess
from tests.integration.hub.fleet import Fleet

FIRST, SECOND = "first-gateway", "second-gateway"


async def _report(fleet: Fleet, host: str) -> None:
    key = Key(member_namespace(fleet.cluster), fleet.cluster)
    internal = await fleet.client.get(InternalMemberCluster, key)
    assert internal
    gateway = GatewayStatus(url=f"https://{host}:8443/v1", ready=True)
    status = internal.status.model_copy(update={"gateway": gateway})
    await fleet.agent.patch_status(internal, status)


async def test_the_host_of_another_member_s_gateway_is_not_believed(
    client: ApiClient, hub: HubProcess
) -> None:
    first, second = (Fleet(client, name, name) for name in (FIRST, SECOND))

    async def member(fleet: Fleet) -> MemberCluster:
        found = await client.get(MemberCluster, Key("", fleet.cluster))
        assert found
        return found

    async def hosted(fleet: Fleet, host: str) -> bool:
        gateway = (await member(fleet)).status.gateway
        return gateway is not None and host in gateway.url

    async def refused(fleet: Fleet) -> bool:
        condition = find((await member(fleet)).status.conditions, "GatewayAddress")
        return condition is not None and condition.reason == "GatewayAddressTaken"

    async def told() -> bool:
        events = (await client.list(Event)).objects()
        found = [e for e in events if e.reason == "GatewayAddressTaken"]
        return any(f"the member {FIRST} has the host" in e.message for e in found)

    for fleet in (first, second):
        await fleet.join()
    await _report(first, "one.example")
    await until(lambda: hosted(first, "one.example"))
    await _report(second, "ONE.example.")
    await until(lambda: refused(second))
    assert (await member(second)).status.gateway is None
    await until(told)
    await _report(first, "two.example")
    await until(lambda: hosted(first, "two.example"))
    await _report(second, "one.example")
    await until(lambda: hosted(second, "one.example"))
    assert hub.said("reconcile failed") == 0
