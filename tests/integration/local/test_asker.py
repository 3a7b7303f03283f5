"""What a probe's question is answered by a real listener, or by none."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from cli.local.runner.pods import Container, Probe
from cli.local.runner.prober import Asker

HOST = "127.0.0.1"


@pytest.fixture
async def asker() -> AsyncIterator[Asker]:
    made = Asker()
    yield made
    await made.close()


class Listener:
    """Answers every request with the same bytes, or with none; keeps what it heard."""

    def __init__(self, answer: bytes) -> None:
        self.answer, self.heard, self.port = answer, list[str](), 0
        self._over = asyncio.Event()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.read(4096)
        self.heard.append(head.decode())
        if head and not self.answer:
            await self._over.wait()
        writer.write(self.answer)
        writer.close()

    def end(self) -> None:
        self._over.set()


@asynccontextmanager
async def listening(answer: bytes) -> AsyncIterator[Listener]:
    listener = Listener(answer)
    server = await asyncio.start_server(listener.accept, HOST, 0)
    listener.port = server.sockets[0].getsockname()[1]
    try:
        yield listener
    finally:
        listener.end()
        server.close()
        await server.wait_closed()


def answering(status: int) -> bytes:
    return b"HTTP/1.1 %d Said\r\ncontent-length: 0\r\nconnection: close\r\n\r\n" % status


def container(port: int) -> Container:
    ports = [{"containerPort": port, "name": "http"}]
    return Container.model_validate({"name": "engine", "ports": ports})


def probe(**what: Any) -> Probe:
    return Probe.model_validate({"timeoutSeconds": 5} | what)


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (200, ""),
        (204, ""),
        (399, ""),
        (404, "HTTP probe failed with statuscode: 404"),
        (503, "HTTP probe failed with statuscode: 503"),
    ],
)
async def test_a_status_is_good_or_it_is_named(asker: Asker, status: int, failure: str) -> None:
    async with listening(answering(status)) as listener:
        ask = probe(httpGet={"port": listener.port})
        assert await asker.ask(ask, container(listener.port), HOST) == failure


async def test_a_request_has_the_path_and_the_headers_of_its_probe(asker: Asker) -> None:
    async with listening(answering(200)) as listener:
        headers = [{"name": "X-Who", "value": "node"}]
        get = {"path": "/health?deep=1", "port": "http", "httpHeaders": headers}
        assert await asker.ask(probe(httpGet=get), container(listener.port), HOST) == ""
    (head,) = listener.heard
    assert head.startswith("GET /health?deep=1 HTTP/1.1\r\n")
    assert "X-Who: node\r\n" in head


async def test_a_port_that_takes_connections_is_enough_for_a_socket_probe(asker: Asker) -> None:
    async with listening(b"") as listener:
        ask = probe(tcpSocket={"port": listener.port})
        assert await asker.ask(ask, container(listener.port), HOST) == ""


@pytest.mark.parametrize("kind", ["httpGet", "tcpSocket"])
async def test_nobody_who_listens_is_a_failure(asker: Asker, kind: str) -> None:
    async with listening(b"") as listener:
        port = listener.port
    failure = await asker.ask(probe(**{kind: {"port": port}}), container(port), HOST)
    assert str(port) in failure


async def test_silence_is_a_failure_after_the_timeout(asker: Asker) -> None:
    async with listening(b"") as listener:
        ask = probe(httpGet={"port": listener.port}, timeoutSeconds=1)
        failure = await asker.ask(ask, container(listener.port), HOST)
    assert failure == "no answer within 1 s"


@pytest.mark.parametrize(
    ("what", "failure"),
    [
        ({"httpGet": {"port": "grpc"}}, "the container has no port grpc"),
        ({"tcpSocket": {"port": "grpc"}}, "the container has no port grpc"),
        ({"exec": {"command": ["true"]}}, "use httpGet or tcpSocket"),
    ],
)
async def test_what_cannot_be_asked_is_named(
    asker: Asker, what: dict[str, Any], failure: str
) -> None:
    assert failure in await asker.ask(probe(**what), container(1), HOST)
