"""Connections to upstreams are used again, for as long as that is safe."""

import asyncio
import os
import resource
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fleet.testing.certificates import Authority, write_pair
from fleet.testing.waiting import until
from gateway.snapshot import Tls
from gateway.tls import Trust, serving
from gateway.vault import Vault
from tests.gateway_upstream import (
    CHUNKED,
    DONE,
    JSON,
    STREAM,
    Behaviour,
    Call,
    End,
    chunk,
    completes,
    event,
    hangs,
    head,
    says,
    turns_away,
    upstream,
    whole,
)
from tests.unit.gateway.data.gate import chat, endpoint, gate

OK = whole(200, b"{}", JSON)
STREAMED = head(200, STREAM, CHUNKED) + chunk(event("a") + DONE) + b"0\r\n\r\n"


@pytest.mark.parametrize(
    "behaviour",
    [completes(), turns_away(400), turns_away(500), turns_away(503), says(STREAMED)],
    ids=["200", "400", "500", "503", "stream"],
)
async def test_one_connection_carries_many_requests(behaviour: Behaviour) -> None:
    async with upstream(behaviour) as only, gate(only) as gateway:
        for _ in range(3):
            gateway.pass_time(3)
            await gateway.ask(chat())
        assert only.connections == 1


@contextmanager
def no_more_descriptors() -> Iterator[None]:
    """Let this process open nothing more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.dup(0)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_no_endpoint_is_blamed_for_connections_that_are_used_up_here() -> None:
    async with upstream() as one, upstream() as two, gate(one, two) as gateway:
        wire = await gateway.connect()
        await gateway.connection()
        with no_more_descriptors():
            for _ in range(3):
                answer = await wire.ask(chat())
                assert (answer.status, answer.code) == (503, "no_connection")
        assert all(gateway.state(number).usable(gateway.clock()) for number in (0, 1))
        assert (await wire.ask(chat())).status == 200


async def test_requests_at_the_same_time_have_connections_of_their_own() -> None:
    async with upstream(hangs()) as only, gate(only) as gateway:
        for _ in range(3):
            (await gateway.connect()).send(chat())
        await until(lambda: len(only.requests) == 3)
        assert only.connections == 3


@pytest.mark.parametrize(
    "said",
    [
        [whole(200, b"{}", JSON, "connection: close")],
        [OK.replace(b"HTTP/1.1", b"HTTP/1.0")],
        [head(200, JSON), b"{}", End.CLOSE],
    ],
    ids=["close", "HTTP/1.0", "no length"],
)
async def test_a_connection_that_is_to_end_is_not_used_again(said: list[bytes | End]) -> None:
    async with upstream(says(*said)) as only, gate(only) as gateway:
        for _ in range(2):
            assert (await gateway.ask(chat())).status == 200
        assert only.connections == 2
        await until(lambda: only.open == 0)


async def test_an_idle_connection_is_closed_before_its_upstream_closes_it() -> None:
    async with upstream() as only, gate(only) as gateway:
        await gateway.ask(chat())
        gateway.pass_time(3)
        assert only.open == 1
        gateway.pass_time(2)
        await until(lambda: only.open == 0)
        assert (await gateway.ask(chat())).status == 200


async def test_a_connection_that_its_upstream_closed_is_not_used() -> None:
    async with upstream() as only, gate(only) as gateway:
        await gateway.ask(chat())
        only.hang_up()
        await until(lambda: only.open == 0)
        assert (await gateway.ask(chat())).headers["x-modelfleet-attempts"] == "1"
        assert only.connections == 2


@pytest.mark.parametrize("how", [End.CLOSE, End.RESET])
async def test_a_connection_that_ends_as_it_is_used_again_is_dialled_anew(how: End) -> None:
    async with upstream() as only, upstream() as other, gate(only, other) as gateway:
        await gateway.ask(chat())

        async def once(call: Call) -> None:
            only.behaviour = completes()
            call.end(how)

        only.behaviour = once
        gateway.swap([endpoint(only)])
        answer = await gateway.ask(chat())
        assert answer.status == 200
        assert answer.headers["x-modelfleet-attempts"] == "1"
        assert only.connections == 2
        assert not gateway.plane.metrics.errors


async def test_a_kept_connection_to_what_died_leads_elsewhere() -> None:
    async with upstream() as one, upstream() as two, gate(one, two) as gateway:
        await gateway.ask(chat())
        one.behaviour = says(End.RESET)
        one.refuse()
        answer = await gateway.ask(chat())
        assert answer.status == 200
        assert answer.headers["x-modelfleet-region"] == "r1"


async def test_what_an_upstream_says_unasked_is_not_taken_for_an_answer() -> None:
    async with upstream(says(OK, whole(200, b"SECRET", JSON))) as only, gate(only) as gateway:
        answer = await gateway.ask(chat())
        assert (answer.status, answer.body) == (200, b"{}")
        only.behaviour = completes()
        assert b"hello" in (await gateway.ask(chat())).body
        assert only.connections == 2


async def test_what_an_upstream_says_between_two_requests_ends_its_connection() -> None:
    go = asyncio.Event()
    async with upstream(says(OK, go, OK)) as only, gate(only) as gateway:
        assert (await gateway.ask(chat())).status == 200
        go.set()
        await until(lambda: only.open == 0)
        only.behaviour = completes()
        assert b"hello" in (await gateway.ask(chat())).body


async def test_connections_to_what_is_no_longer_routed_to_are_closed() -> None:
    async with upstream() as one, upstream(hangs()) as two, gate(one) as gateway:
        await gateway.ask(chat())
        gateway.swap([endpoint(two)])
        await until(lambda: one.open == 0)
        wire = await gateway.connect()
        wire.send(chat())
        await until(lambda: two.requests)
        gateway.swap([endpoint(one)])
        assert two.open == 1


async def test_an_answer_under_way_to_what_is_no_longer_routed_to_ends_whole() -> None:
    go = asyncio.Event()
    async with upstream(completes(pause_after=go)) as one, upstream() as two, gate(one) as gateway:
        wire = await gateway.connect()
        wire.send(chat())
        await until(lambda: one.requests)
        gateway.swap([endpoint(two, 1)])
        go.set()
        answer = await wire.answer()
        assert (answer.status, answer.headers["x-modelfleet-region"]) == (200, "r0")
        await until(lambda: one.open == 0)


async def test_a_large_body_goes_out_whole() -> None:
    async with upstream() as only, gate(only) as gateway:
        user = "x" * 3_000_000
        assert (await gateway.ask(chat(user=user))).status == 200
        assert only.requests[0].json["user"] == user


@pytest.mark.parametrize("host", ["127.0.0.1", "elsewhere.example"])
async def test_an_upstream_without_a_certificate_to_be_trusted_is_told_nothing(
    tmp_path: Path, host: str
) -> None:
    known, unknown = Authority(), Authority()
    pair = (unknown if host == "127.0.0.1" else known).issue(host)
    odd = serving(*write_pair(tmp_path, pair))
    async with upstream(tls=odd) as one, upstream() as two, gate(one, two) as gateway:
        trusting = ssl.create_default_context(cadata=known.cert.decode())
        gateway.plane.pool.tls = lambda _: trusting
        answer = await gateway.ask(chat())
        assert (answer.status, answer.headers["x-modelfleet-region"]) == (200, "r1")
        assert list(gateway.plane.metrics.errors) == [("llama", "r0", "untrusted")]
        assert not one.requests
        gateway.swap([endpoint(one)])
        gateway.pass_time(60)
        answer = await gateway.ask(chat())
        assert (answer.status, answer.code) == (503, "no_trusted_endpoint")
        odd.load_cert_chain(*write_pair(tmp_path, known.issue("127.0.0.1")))
        gateway.pass_time(60)
        assert (await gateway.ask(chat())).status == 200
        assert (await gateway.ask(chat())).status == 200
        assert one.connections == 1


async def test_an_external_endpoint_may_be_trusted_by_an_authority_of_its_own(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    authority = Authority()
    context = serving(*write_pair(tmp_path, authority.issue("inside.example")))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=authority.cert.decode())
    trust = Trust(folder=str(tmp_path))
    own = Tls("inside.example", "team/ca/ca.crt", "team/pair")
    async with upstream(tls=context) as one, gate() as gateway:
        gateway.plane.pool.tls, gateway.plane.vault = trust.context, Vault(str(tmp_path), trust)
        gateway.swap([endpoint(one, tls=own)])
        assert (await gateway.ask(chat())).code == "no_ready_endpoint"
        assert str(tmp_path / "team/ca/ca.crt") in caplog.records[-1].__dict__["why"]
        for folder, name, text in (
            ("ca", "ca.crt", authority.cert),
            ("pair", "tls.crt", (pair := authority.issue("gateway.example")).cert),
            ("pair", "tls.key", pair.key),
        ):
            (tmp_path / "team" / folder).mkdir(parents=True, exist_ok=True)
            (tmp_path / "team" / folder / name).write_bytes(text)
        gateway.plane.unlock()
        assert (await gateway.ask(chat())).status == 200
        gateway.swap([endpoint(one, tls=Tls("other.example", own.authority, own.certificate))])
        assert (await gateway.ask(chat())).code == "no_trusted_endpoint"
