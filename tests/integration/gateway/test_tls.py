"""The gateway over TLS, to its clients and to its upstreams: with real sockets and certificates."""

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec
import pytest

from fleet.testing.certificates import Authority, Pair, write_pair
from fleet.testing.waiting import until
from gateway.snapshot import Endpoint, Service, Snapshot
from gateway.tls import serving
from tests.gateway_upstream import Call, Upstream, completes, says, upstream, whole
from tests.integration.gateway.program import HEADERS, MODEL, SERVICE, Gateway, answers, gateway

HERE = "127.0.0.1"
KEPT = "the certificates stay as they were"
LOAD = json.dumps({"services": {SERVICE: {"ready": 1}}}).encode()


@dataclass
class Shown:
    """A gateway that shows a certificate, and who trusts it."""

    gateway: Gateway
    authority: Authority
    home: Path

    @property
    def said(self) -> str:
        return self.gateway.log.read_text()

    def show(self, pair: Pair) -> None:
        write_pair(self.home, pair)

    def client(self, authority: Authority | None = None) -> httpx.AsyncClient:
        trusted = trusting(authority or self.authority)
        return httpx.AsyncClient(verify=trusted, timeout=60, headers=HEADERS)


def trusting(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=authority.cert.decode())


@asynccontextmanager
async def shown(home: Path, *upstreams: Upstream, **settings: str) -> AsyncIterator[Shown]:
    authority = Authority()
    files = write_pair(home, authority.issue(HERE, "localhost"))
    async with gateway(
        home,
        *upstreams,
        tls_cert_file=files.cert,
        tls_key_file=files.key,
        trust=authority.cert,
        workers=1,
        **settings,
    ) as running:
        yield Shown(running, authority, home)


def handshake(port: int, authority: Authority, context: ssl.SSLContext | None = None) -> str:
    """Shake hands as a client does; give the protocol, its application and the serial number."""
    context = context or trusting(authority)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection((HERE, port), timeout=20) as raw,
        context.wrap_socket(raw, server_hostname="localhost") as tls,
    ):
        shown = tls.getpeercert()
        assert shown is not None
        return f"{tls.version()} {tls.selected_alpn_protocol()} {shown['serialNumber']}"


async def _believed(port: int, authority: Authority) -> bool:
    try:
        await asyncio.to_thread(handshake, port, authority)
    except ssl.SSLCertVerificationError:
        return False
    return True


async def test_clients_are_served_over_tls_and_streams_too(tmp_path: Path) -> None:
    async with upstream() as only, shown(tmp_path, only) as running, running.client() as http:
        assert (await answers(running.gateway, http)).is_success
        assert (await http.get(f"{running.gateway.url}/healthz", headers={})).is_success
        asked = {"model": MODEL, "stream": True}
        url = f"{running.gateway.url}/v1/completions"
        async with http.stream("POST", url, json=asked) as answer:
            lines = [line async for line in answer.aiter_lines() if line]
        assert lines[-1] == "data: [DONE]"
        large = await http.post(url, json={"model": MODEL, "prompt": "x" * 3_000_000})
        assert large.is_success


async def test_old_protocols_and_plain_http_get_nothing(tmp_path: Path) -> None:
    async with upstream() as only, shown(tmp_path, only) as running:
        port = running.gateway.port
        assert (await asyncio.to_thread(handshake, port, running.authority)).startswith(
            "TLSv1.3 http/1.1 "
        )
        older = trusting(running.authority)
        older.maximum_version = ssl.TLSVersion.TLSv1_2
        said = await asyncio.to_thread(handshake, port, running.authority, older)
        assert said.startswith("TLSv1.2 http/1.1 ")
        async with running.client(Authority()) as stranger:
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await answers(running.gateway, stranger)
        async with running.client() as http:
            with pytest.raises(httpx.TransportError):
                await http.get(f"http://{HERE}:{port}/healthz")
            assert (await answers(running.gateway, http)).is_success


async def test_a_new_certificate_is_shown_to_new_connections_and_old_ones_go_on(
    tmp_path: Path,
) -> None:
    go = asyncio.Event()
    async with (
        upstream(completes(pause_after=go)) as only,
        shown(tmp_path, only) as running,
        running.client() as old,
    ):
        url, port = f"{running.gateway.url}/v1/completions", running.gateway.port
        async with old.stream("POST", url, json={"model": MODEL, "stream": True}) as answer:
            lines = answer.aiter_lines()
            assert await anext(lines)
            running.show(Authority().issue("localhost")._replace(cert=b"broken"))
            await until(lambda: KEPT in running.said)
            assert await asyncio.to_thread(handshake, port, running.authority)
            successor = Authority()
            running.show(successor.issue("localhost", HERE))
            await until(lambda: _believed(port, successor))
            go.set()
            assert [line async for line in lines if line][-1] == "data: [DONE]"
        only.behaviour = completes()
        async with running.client(successor) as new:
            assert (await answers(running.gateway, new)).is_success
        assert (await answers(running.gateway, old)).is_success
        assert running.said.count(KEPT) == 1
        assert "PRIVATE KEY" not in running.said


async def test_workers_are_exchanged_under_tls_without_a_request_lost(tmp_path: Path) -> None:
    async with upstream() as only, shown(tmp_path, only) as running:
        before, failed, ended = running.gateway.workers(), list[str](), asyncio.Event()
        asked = 0

        async def ask() -> None:
            nonlocal asked
            async with running.client() as http:
                while not ended.is_set():
                    answer = await http.get(
                        f"{running.gateway.url}/v1/models", headers={"connection": "close"}
                    )
                    failed.extend([] if answer.is_success else [answer.text])
                    asked += 1

        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(ask())
            await until(lambda: asked > 10)
            running.gateway.tell(1)
            await until(
                lambda: running.gateway.workers() and not running.gateway.workers() & before
            )
            seen = asked
            await until(lambda: asked > seen + 10)
            ended.set()
        assert not failed


@dataclass
class Trust:
    """A global gateway in front of one region that speaks TLS."""

    gateway: Gateway
    ca: Path

    def trust(self, authority: Authority) -> None:
        new = self.ca.with_suffix(".new")
        new.write_bytes(authority.cert)
        new.replace(self.ca)

    def aim(self, url: str) -> None:
        origin = url.removesuffix("/v1")
        place = Endpoint("team/0", url, region="r0", fleet=True, probe=f"{origin}/-/load")
        new = self.gateway.home / "new"
        new.write_bytes(msgspec.json.encode(Snapshot((Service(SERVICE, (MODEL,), (place,)),))))
        new.replace(self.gateway.snapshot)


async def region_says(call: Call) -> None:
    """Answer as a regional gateway does: its load to a probe, else as a model."""
    probed = call.request.target == "/-/load"
    await (says(whole(200, LOAD)) if probed else completes())(call)


async def _code(running: Gateway, http: httpx.AsyncClient) -> str:
    answer = await answers(running, http)
    return "" if answer.is_success else str(answer.json()["error"]["code"])


@pytest.mark.parametrize("fault", ["another authority", "another host"])
async def test_a_region_is_told_nothing_until_it_is_known_by_its_certificate(
    tmp_path: Path, fault: str
) -> None:
    region, secret = Authority("region"), tmp_path / "secret"
    secret.write_text("fleet-1\n")
    folder = tmp_path / "region"
    folder.mkdir()
    host = "elsewhere.example" if fault == "another host" else HERE
    tls = serving(*write_pair(folder, region.issue(host)))
    ca = tmp_path / "ca.crt"
    ca.write_bytes((region if fault == "another host" else Authority()).cert)
    async with (
        upstream(region_says, tls=tls) as only,
        gateway(
            tmp_path,
            workers=1,
            fleet_credential_file=str(secret),
            upstream_ca_file=str(ca),
        ) as running,
        httpx.AsyncClient(timeout=60) as http,
    ):
        made = Trust(running, ca)
        made.aim(only.url)
        await until(lambda: "no certificate to be trusted" in running.log.read_text())
        said = running.log.read_text()
        reason = "not valid for" if fault == "another host" else "unable to get local issuer"
        assert reason in said
        assert await _code(running, http) in ("no_trusted_endpoint", "no_ready_endpoint")
        assert not only.requests
        if fault == "another host":
            tls.load_cert_chain(*write_pair(folder, region.issue(HERE)))
        else:
            made.trust(region)

        async def served() -> bool:
            return not await _code(running, http)

        await until(served)
        assert only.requests[-1].headers["authorization"] == "Bearer fleet-1"
        assert running.log.read_text().count("no certificate to be trusted") == 1


async def test_a_missing_certificate_is_named_at_start(tmp_path: Path) -> None:
    made = Gateway(tmp_path, 1)
    made.environ |= {"GATEWAY_TLS_CERT_FILE": "/none", "GATEWAY_TLS_KEY_FILE": "/none"}
    await made.start()
    assert await made.ended() == 1
    assert made.log.read_text() == "GATEWAY_TLS_CERT_FILE: /none: No such file or directory\n"
