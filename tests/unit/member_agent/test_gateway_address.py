"""A gateway's address is what exposes it, and none that others could listen on."""

from pathlib import Path
from typing import Any

import pytest

from fleet.api.cluster import GatewayStatus
from fleet.api.keys import Key
from fleet.testing.certificates import Authority, write_pair
from fleet.testing.client import FakeClient
from gateway.tls import serving
from member_agent.gateway import Address, GatewayProbe, Trusted
from member_agent.gateway_address import Place
from tests.gateway_upstream import says, upstream, whole

KEY = Key("modelfleet-system", "modelfleet-gateway")
IP, HOSTNAME = {"ip": "10.0.0.7"}, {"hostname": "lb.example"}


def exposing(api: str, kind: str, spec: Any, status: Any) -> dict[str, Any]:
    metadata = {"name": KEY.name, "namespace": KEY.namespace}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, "spec": spec, "status": status}


def service(*points: Any, ports: tuple[tuple[str, int], ...] = (("https", 443),)) -> Any:
    spec = {"ports": [{"name": name, "port": port} for name, port in ports]}
    return exposing("v1", "Service", spec, {"loadBalancer": {"ingress": list(points)}})


def ingress(*points: Any, host: str = "", tls: bool = True) -> Any:
    spec = {"rules": [{"host": host}] if host else [], "tls": [{"hosts": [host]}] if tls else []}
    status = {"loadBalancer": {"ingress": list(points)}}
    return exposing("networking.k8s.io/v1", "Ingress", spec, status)


def gateway(*values: str, **listener: Any) -> Any:
    listeners = [{"port": 443, "protocol": "HTTPS"} | listener]
    plain = {"port": 80, "protocol": "HTTP"}
    status = {"addresses": [{"type": "IPAddress", "value": value} for value in values]}
    spec = {"listeners": [plain, *listeners]}
    return exposing("gateway.networking.k8s.io/v1", "Gateway", spec, status)


@pytest.mark.parametrize(
    ("objects", "url"),
    [
        ([service(IP)], "https://10.0.0.7/v1"),
        ([service(HOSTNAME, ports=(("https", 8443),))], "https://lb.example:8443/v1"),
        ([service(IP, ports=(("http", 80), ("https", 443)))], "https://10.0.0.7/v1"),
        ([service({"ip": "fd00::7"})], "https://[fd00::7]/v1"),
        ([service(), ingress(IP, host="eu.example")], "https://eu.example/v1"),
        ([ingress(HOSTNAME)], "https://lb.example/v1"),
        (
            [service(IP, ports=(("http", 80),)), ingress(IP, host="eu.example")],
            "https://eu.example/v1",
        ),
        ([gateway("10.0.0.8")], "https://10.0.0.8/v1"),
        ([gateway("10.0.0.8", hostname="eu.example", port=8443)], "https://eu.example:8443/v1"),
        ([gateway("10.0.0.8", hostname="*.example", protocol="TLS")], "https://10.0.0.8/v1"),
    ],
)
async def test_an_address_is_found_where_the_gateway_is_exposed(
    objects: list[Any], url: str
) -> None:
    client: Any = FakeClient()
    for each in objects:
        client.put(each)
    assert await Address(member=client, key=KEY).find(Place()) == Place(url)


@pytest.mark.parametrize(
    ("objects", "said"),
    [
        ([], "there is no Service, Ingress or Gateway modelfleet-system/modelfleet-gateway"),
        ([service()], "Service modelfleet-system/modelfleet-gateway has no address yet"),
        ([service(), ingress(host="x")], "Service, Ingress modelfleet-system/modelfleet-gateway"),
        ([gateway()], "Gateway modelfleet-system/modelfleet-gateway has no address yet"),
        ([service(IP, ports=(("http", 8080),))], "http://10.0.0.7:8080/v1 is plain HTTP"),
        ([ingress(IP, host="eu.example", tls=False)], "http://eu.example/v1 is plain HTTP"),
        ([gateway("10.0.0.8", protocol="HTTP", port=80)], "http://10.0.0.8/v1 is plain HTTP"),
    ],
)
async def test_without_an_address_that_may_be_used_it_is_said_why(
    objects: list[Any], said: str
) -> None:
    client: Any = FakeClient()
    for each in objects:
        client.put(each)
    probe = GatewayProbe(Address(member=client, key=KEY))
    await probe._find()
    assert probe.status() is None
    assert probe.trouble.startswith(said)


async def test_a_kind_that_the_cluster_does_not_know_is_none() -> None:
    client: Any = FakeClient()
    client.put(service(IP))
    client.not_served.add("Gateway")
    assert (await Address(member=client, key=KEY).find(Place())).url == "https://10.0.0.7/v1"


async def test_a_gateway_is_believed_by_the_authority_that_the_hub_delivers(
    tmp_path: Path,
) -> None:
    authority, ca = Authority(), tmp_path / "ca.crt"
    tls = serving(*write_pair(tmp_path, authority.issue("127.0.0.1")))
    trusted = Trusted(str(ca))
    async with upstream(says(whole(200, b"ok")), tls=tls) as regional:
        probe = GatewayProbe(Address(regional.url), trusted)
        async with trusted.client() as client:
            await probe.look(client)
        assert probe.status() == GatewayStatus(url=regional.url, ready=False)
        assert "certificate verify failed" in probe.trouble
        before = trusted.stamp()
        ca.write_bytes(authority.cert)
        assert trusted.stamp() != before
        async with trusted.client() as client:
            await probe.look(client)
        assert probe.status() == GatewayStatus(url=regional.url, ready=True)
        assert probe.trouble == ""
