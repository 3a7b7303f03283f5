"""A hub and an agent as processes: what gateways know each other by arrives, and is rotated."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from fleet.api.cluster import MemberCluster
from fleet.api.core import Secret, ServiceAccount
from fleet.api.keys import Key
from fleet.api.names import member_namespace
from fleet.kube.client import ApiClient
from fleet.testing.apiserver import ApiServer
from fleet.testing.certificates import Pair, write_pair
from fleet.testing.waiting import until
from gateway.tls import serving
from tests.integration.hub.conftest import HubProcess
from tests.integration.identity import WORKS_POLICY, token_for
from tests.integration.process import ProgramProcess

HOME, MEMBER, HERE = "home", "us", "127.0.0.1"
ACCOUNT = Key(member_namespace(MEMBER), "member-agent")
TLS, CREDENTIAL = "modelfleet-gateway-tls", "modelfleet-gateway-credential"
LIVES = {
    "HUB_GATEWAY_CREDENTIAL_SECONDS": "4",
    "HUB_GATEWAY_OVERLAP_SECONDS": "1",
    "HUB_GATEWAY_CERTIFICATE_SECONDS": "9",
    "HUB_GATEWAY_AUTHORITY_SECONDS": "15",
}


@dataclass
class Fleet:
    """One server that is hub and member at once."""

    client: ApiClient
    hub: ProgramProcess
    agent: ProgramProcess

    async def secret(self, namespace: str, name: str) -> Mapping[str, bytes]:
        found = await self.client.get(Secret, Key(namespace, name))
        data = found.data if found else {}
        return {key: base64.b64decode(text) for key, text in data.items()}

    async def sent(self) -> str:
        """Give the secret that the global gateway sends."""
        data = await self.secret(HOME, CREDENTIAL)
        return data.get("credential", b"\n").decode().split("\n")[0]

    async def accepted(self) -> list[str]:
        data = await self.secret("modelfleet-system", CREDENTIAL)
        return data.get("credential", b"").decode().split()

    async def shown(self) -> Pair:
        """Give the certificate that the regional gateway shows."""
        data = await self.secret("modelfleet-system", TLS)
        return Pair(data.get("tls.crt", b""), data.get("tls.key", b""))

    async def trusted(self, folder: Path) -> bool:
        """Shake hands as the global gateway does with the regional one."""
        pair, data = await self.shown(), await self.secret(HOME, TLS)
        if not pair.cert or not data:
            return False
        server = await asyncio.start_server(
            lambda _, writer: writer.close(), HERE, 0, ssl=serving(*write_pair(folder, pair))
        )
        try:
            trust = ssl.create_default_context(cadata=data["ca.crt"].decode())
            port = server.sockets[0].getsockname()[1]
            _, writer = await asyncio.open_connection(HERE, port, ssl=trust)
        except ssl.SSLCertVerificationError:
            return False
        finally:
            server.close()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        return True


async def _agent(server: ApiServer, client: ApiClient, home: Path) -> ProgramProcess:
    identity = {"kind": "ServiceAccount", "name": ACCOUNT.name, "namespace": ACCOUNT.namespace}
    spec = {"identity": identity, "heartbeatPeriodSeconds": 1}
    await client.create(MemberCluster.model_validate({"metadata": {"name": MEMBER}, "spec": spec}))
    await until(lambda: client.get(ServiceAccount, ACCOUNT))
    token = home / "token"
    token.write_text(await client.request_token(ACCOUNT, 3600), encoding="utf-8")
    token.chmod(0o600)
    own = await token_for(server, "member-agent", rbac={"rules": []})
    environ = {
        "KUBECONFIG": str(_kubeconfig(server, own, home / "agent")),
        "MEMBER_AGENT_CLUSTER": MEMBER,
        "MEMBER_AGENT_HUB_URL": server.url,
        "MEMBER_AGENT_HUB_CA_FILE": server.ca_file,
        "MEMBER_AGENT_HUB_TOKEN_FILE": str(token),
        "MEMBER_AGENT_GATEWAY_SERVICE": f"{HOME}/modelfleet-gateway",
    }
    return ProgramProcess("member_agent", home / "agent.log", environ)


async def _expose(client: ApiClient) -> None:
    """Give the gateway's Service an address, as a cloud does."""
    key = Key(HOME, "modelfleet-gateway")
    spec = {"type": "LoadBalancer", "ports": [{"name": "https", "port": 8443}]}
    metadata = {"name": key.name, "namespace": key.namespace}
    made = {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
    await client.dynamic.create(made)
    services = await client.dynamic.resource_for("v1", "Service")
    status = {"loadBalancer": {"ingress": [{"ip": HERE}]}}
    await client.dynamic.merge_patch(services, key, {"status": status}, subresource="status")


def _kubeconfig(server: ApiServer, token: str, home: Path) -> Path:
    home.mkdir()
    path = home / "kubeconfig.yaml"
    path.write_text(yaml.safe_dump(server.kubeconfig(token)), encoding="utf-8")
    return path


@pytest.fixture
async def fleet(frail_server: ApiServer, tmp_path: Path) -> AsyncIterator[Fleet]:
    own = await token_for(frail_server, "hub", WORKS_POLICY, namespace=HOME, rbac={"placeable": []})
    hub = HubProcess(_kubeconfig(frail_server, own, tmp_path / "hub"), HUB_NAMESPACE=HOME, **LIVES)
    client = ApiClient(frail_server.connection(), "test")
    await _expose(client)
    await hub.start()
    agent = await _agent(frail_server, client, tmp_path)
    await agent.start()
    yield Fleet(client, hub, agent)
    await agent.kill()
    await hub.kill()
    await client.close()


async def test_gateways_know_each_other_through_every_rotation(
    fleet: Fleet, tmp_path: Path
) -> None:
    await until(lambda: fleet.trusted(tmp_path))
    first, shown, authority = (
        await fleet.sent(),
        await fleet.shown(),
        (await fleet.secret(HOME, TLS))["ca.crt"],
    )
    secrets = {first}

    async def rotated() -> bool:
        sent = await fleet.sent()
        secrets.add(sent)
        assert sent in await fleet.accepted()
        assert await fleet.trusted(tmp_path)
        another = (await fleet.secret(HOME, TLS))["ca.crt"] != authority
        return sent != first and (await fleet.shown()).cert != shown.cert and another

    await until(rotated, seconds=60)
    said = fleet.hub.log.read_text() + fleet.agent.log.read_text()
    assert not any(secret in said for secret in secrets)
    assert "PRIVATE KEY" not in said
