"""Nonsense from clients and from upstreams: `python -m tests.gateway_fuzz [CASES] [SEED]`.

A data plane without sockets is fed requests and answers that were bent, cut in pieces and broken
off. Whatever comes, nothing of it stays behind: no connection, no place that is taken, no memory;
clients get HTTP, and an upstream exactly one request for each time that it is asked.
"""

import asyncio
import gc
import random
import ssl
import sys
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any

import httptools
from typing_extensions import override

from gateway.data.client import ClientConnection
from gateway.data.intake import Intake
from gateway.data.plane import Plane
from gateway.data.pool import Origin, Pool
from gateway.data.upstream import UpstreamConnection
from gateway.keys import Credentials, Keyring
from gateway.policy.attempts import Rules
from gateway.policy.endpoint import Ejection
from gateway.routes import Routes
from gateway.snapshot import Endpoint, Service, Snapshot
from tests.unit.gateway.pieces import cut

KEY = "client-key"
BODY = b'{"model": "llama", "messages": [{"role": "user", "content": "Hi \\u00e9"}]}'
STREAMED = BODY[:-1] + b', "stream": true}'
EVENT = b'data: {"object": "chat.completion.chunk", "choices": [{"delta": {"content": "a"}}]}\n\n'
NAMED = b'event: content_block_delta\ndata: {"type": "content_block_delta"}\n\n'
TOLD = (
    b'data: {"id": 1, "prompt_token_ids": [1], "choices": [{"delta": {"content": "a"}, "token_ids":'
    b" [2]}]}\n\n"
)
FOLLOWS = b'data: {"choices": [{"text": "b", "token_ids": [3], "finish_reason": "stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"
JSON, SSE = b"content-type: application/json\r\n", b"content-type: text/event-stream\r\n"
TURNS = 8
"""Of the loop, in which everything that is due has happened."""


def _request(body: bytes, *lines: bytes, first: bytes = b"POST /v1/chat/completions") -> bytes:
    length = b"content-length: %d\r\n" % len(body) if body else b""
    key = b"authorization: Bearer %b\r\n" % KEY.encode()
    return b"".join((first, b" HTTP/1.1\r\nhost: h\r\n", key, *lines, length, b"\r\n", body))


def _chunked(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (*parts, b""))


def _answer(status: int, body: bytes, *lines: bytes) -> bytes:
    return b"HTTP/1.1 %d Said\r\n%b\r\n%b" % (status, b"".join(lines), body)


def _sized(status: int, body: bytes, *lines: bytes) -> bytes:
    return _answer(status, body, *lines, b"content-length: %d\r\n" % len(body))


CHUNKS = b"transfer-encoding: chunked\r\n"
REQUESTS = (
    _request(BODY),
    _request(STREAMED),
    _request(BODY) + _request(STREAMED),
    _request(b"", CHUNKS) + _chunked(BODY[:20], BODY[20:]),
    _request(BODY, b"expect: 100-continue\r\n"),
    _request(b"", first=b"GET /v1/models"),
    _request(BODY, first=b"POST /v1/embeddings?x=%2e"),
)
ANSWERS = (
    _sized(200, b'{"usage": {"prompt_tokens": 3, "completion_tokens": 4}}', JSON),
    _answer(200, _chunked(EVENT, EVENT, EVENT + DONE), SSE, CHUNKS),
    _answer(200, _chunked(TOLD, TOLD, FOLLOWS, DONE), SSE, CHUNKS),
    _answer(200, _chunked(TOLD, TOLD)[:-5], SSE, CHUNKS),
    _answer(200, _chunked(FOLLOWS + DONE), SSE, CHUNKS),
    _answer(200, _chunked(NAMED, NAMED[:9], NAMED[9:]), SSE, CHUNKS),
    _answer(200, EVENT + DONE, SSE),
    _sized(503, b"{}", JSON, b"retry-after: 3\r\n"),
    _sized(500, b"", JSON),
    b"HTTP/1.1 100 Continue\r\n\r\n" + _sized(200, b"[]"),
    b"HTTP/1.0 200 OK\r\n\r\nall",
    _answer(204, b""),
)
SPICES = (
    *(b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b",", b'"', b"\\", b"{", b"}", b"[", b"]"),
    *(b"content-length: 3\r\n", b"Content-Length: +3\r\n", b"content-length: 99999999999999\r\n"),
    *(CHUNKS, b"transfer-encoding: gzip, chunked\r\n", b"Transfer-Encoding:\tchunked\r\n"),
    *(b" folded: yes\r\n", b"connection: close\r\n", b"upgrade: websocket\r\n", b"0\r\n\r\n"),
    *(b"fffffffffffffffff\r\n", b"HTTP/1.0", b"HTTP/2.0", b'"model": "x",', b"\xff\xfe", b"\xc3"),
    *(b"data: ", b"\n\n", b"data: [DONE]\n\n", b"\\u006dodel", b"x" * 70_000),
)


class Wire(asyncio.Transport):
    """A connection's other end: it keeps what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.told = bytearray()
        self.closed = False

    @override
    def write(self, data: "bytes | bytearray | memoryview[Any]") -> None:
        self.told += data

    @override
    def is_closing(self) -> bool:
        return self.closed

    @override
    def close(self) -> None:
        self.closed = True

    @override
    def abort(self) -> None:
        self.closed = True

    @override
    def pause_reading(self) -> None: ...

    @override
    def resume_reading(self) -> None: ...

    @override
    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...

    @override
    def can_write_eof(self) -> bool:
        return True

    @override
    def write_eof(self) -> None: ...


class Wires:
    """Connections to nobody: whoever asks finds an upstream that says what it is told."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.open: list[tuple[UpstreamConnection, Wire]] = []
        self.pool = Pool(
            clock,
            connect_seconds=60,
            tls=lambda _: ssl.create_default_context(),
            connect=self._connect,
        )

    async def _connect(self, origin: Origin) -> UpstreamConnection:
        connection, wire = UpstreamConnection(origin), Wire()
        connection.connection_made(wire)
        self.open.append((connection, wire))
        return connection


class Fuzz:
    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - the same cases for the same seed
        self._now = 0.0
        self._wires = Wires(lambda: self._now)
        digest = sha256(KEY.encode()).digest()
        self._plane = Plane(
            routes=Routes(Ejection()),
            pool=self._wires.pool,
            credentials=Credentials(Keyring((digest,))),
            rules=Rules(chance=self._random.random),
            clock=lambda: self._now,
        )
        self._intake = Intake(plane=self._plane)
        places = tuple(Endpoint(f"t/{n}", f"http://10.0.0.{n}/v1", model="m") for n in range(2))
        self._plane.swap(Snapshot((Service("t/llama", ("llama",), places, continues=True),)))

    async def case(self) -> None:
        """Play one client with whatever it meets, and hold what is left to nothing."""
        client, wire = ClientConnection(self._intake), Wire()
        client.connection_made(wire)
        for part in self._pieces(self._bent(REQUESTS)):
            if not wire.closed:
                client.data_received(part)
            await self._speak()
        for _ in range(4):
            await self._speak()
        client.connection_lost(None)
        await _settle()
        self._now += 600
        self._plane.tick()
        self._intake.tick()
        await self._hang_up()
        self._check(wire)

    async def _speak(self) -> None:
        """Let each upstream that was asked answer, or leave."""
        await _settle()
        for connection, wire in self._wires.open:
            if not wire.told or wire.closed:
                continue
            _one_request(bytes(wire.told))
            wire.told.clear()
            for part in self._pieces(self._bent(ANSWERS)):
                if not wire.closed:
                    connection.data_received(part)
            if self._random.random() < 0.5:
                wire.closed = True
                connection.connection_lost(None if self._random.random() < 0.5 else OSError())
        await _settle()

    async def _hang_up(self) -> None:
        for connection, wire in self._wires.open:
            wire.closed = True
            connection.connection_lost(None)
        self._wires.open.clear()
        await _settle()

    def _bent(self, whole: Sequence[bytes]) -> bytes:
        data = bytearray(self._random.choice(whole))
        for _ in range(self._random.choice((0, 1, 1, 2, 3, 6))):
            at = self._random.randrange(len(data) + 1)
            match self._random.randrange(5):
                case 0:
                    data[at:at] = self._random.choice(SPICES)
                case 1:
                    data[at : at + 1] = bytes((self._random.randrange(256),))
                case 2:
                    del data[at : at + self._random.randrange(1, 30)]
                case 3:
                    data[at:at] = data[at : at + self._random.randrange(1, 60)]
                case _:
                    del data[at:]
        return bytes(data)

    def _pieces(self, data: bytes) -> list[bytes]:
        number = self._random.choice((0, 0, 1, 4))
        return cut(data, [self._random.randrange(len(data) + 1) for _ in range(number)])

    def _check(self, wire: Wire) -> None:
        plane = self._plane
        assert not self._intake.connections
        assert not plane.active
        assert not plane.lines.by_service
        assert all(state.in_flight == state.tokens == 0 for state in plane.routes.states.values())
        _http(bytes(wire.told))


class _Reader:
    """Counts messages."""

    def __init__(self) -> None:
        self.whole = 0

    def on_message_complete(self) -> None:
        self.whole += 1


def _one_request(data: bytes) -> None:
    reader = _Reader()
    httptools.HttpRequestParser(reader).feed_data(data)
    assert reader.whole == 1, data


def _http(data: bytes) -> None:
    """Fail where a client could not read what it got."""
    if data:
        httptools.HttpResponseParser(_Reader()).feed_data(data)


async def _settle() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)


async def run(cases: int, seed: int, said: Callable[[str], object] = lambda _: None) -> None:
    """Play so many cases; fails where one breaks something or leaves something behind."""
    loop = asyncio.get_running_loop()
    broken: list[Any] = []
    loop.set_exception_handler(lambda _, context: broken.append(context))
    fuzz = Fuzz(seed)
    objects = 0
    for number in range(cases):
        await fuzz.case()
        assert not broken, broken
        if number % 5000 == cases % 5000 // 2:
            gc.collect()
            objects = objects or len(gc.get_objects())
            said(f"{number} cases, {len(gc.get_objects())} objects")
    gc.collect()
    assert len(gc.get_objects()) < objects + 5000, "something of each case stays in memory"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def main() -> None:
    words = [int(word) for word in sys.argv[1:]]
    cases, seed = (words + [100_000, 0][len(words) :])[:2]
    asyncio.run(run(cases, seed, _say))
    _say(f"{cases} cases left nothing behind")


if __name__ == "__main__":
    main()
