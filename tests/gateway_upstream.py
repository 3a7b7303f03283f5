"""An upstream in OpenAI's dialect that behaves as it is told, and remembers what befell it."""

import asyncio
import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

WORDS = ("The", " fleet", " says", " hello", ".")
DONE = b"data: [DONE]\n\n"
CHUNKED = "transfer-encoding: chunked"
STREAM = "content-type: text/event-stream"
JSON = "content-type: application/json"
LINGER = struct.pack("ii", 1, 0)
"""With it, closing a socket resets its connection."""


class End(Enum):
    """What becomes of a connection on the upstream's side."""

    CLOSE = auto()
    RESET = auto()
    SILENCE = auto()
    """It stays, and nothing more comes."""


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class GoneError(Exception):
    """The other side left before its answer was whole."""


class Call:
    """One request, and the connection on which it is answered."""

    def __init__(
        self, request: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.request = request
        self._reader, self._writer = reader, writer

    async def write(self, data: bytes) -> None:
        try:
            self._writer.write(data)
            await self._writer.drain()
        except OSError as error:
            raise GoneError from error

    async def wait(self, gate: asyncio.Event) -> None:
        """Wait until the gate opens, or the other side leaves."""
        left = asyncio.ensure_future(self._reader.read(1))
        opened = asyncio.ensure_future(gate.wait())
        await asyncio.wait({left, opened}, return_when=asyncio.FIRST_COMPLETED)
        for task in (left, opened):
            task.cancel()
        await asyncio.gather(left, opened, return_exceptions=True)
        if not opened.done() or opened.cancelled():
            raise GoneError

    def end(self, how: End) -> None:
        if how is End.RESET:
            sock: socket.socket = self._writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
            self._writer.transport.abort()
        self._writer.close()


Behaviour = Callable[[Call], Awaitable[None]]
Part = bytes | asyncio.Event | End


def head(status: int, *lines: str) -> bytes:
    return "\r\n".join((f"HTTP/1.1 {status} Said", *lines, "", "")).encode()


def whole(status: int, body: bytes, *lines: str) -> bytes:
    return head(status, *lines, f"content-length: {len(body)}") + body


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def event(text: str) -> bytes:
    return b"data: " + json.dumps({"choices": [{"delta": {"content": text}}]}).encode() + b"\n\n"


def says(*parts: Part) -> Behaviour:
    """Write bytes, wait at gates, and end the connection, in this order."""

    async def say(call: Call) -> None:
        for part in parts:
            if isinstance(part, asyncio.Event):
                await call.wait(part)
            elif part is End.SILENCE:
                await call.wait(asyncio.Event())
            elif isinstance(part, End):
                call.end(part)
            else:
                await call.write(part)

    return say


def turns_away(status: int = 503, *lines: str) -> Behaviour:
    return says(whole(status, b'{"error": {"message": "busy"}}', JSON, *lines))


def hangs() -> Behaviour:
    return says(End.SILENCE)


def completes(
    words: Sequence[str] = WORDS, *, pause_after: asyncio.Event | None = None
) -> Behaviour:
    """Answer chat and completions, whole or as a stream; a gate comes after the first word."""

    async def complete(call: Call) -> None:
        asked = call.request.json if call.request.body else {}
        if not asked.get("stream"):
            if pause_after:
                await call.wait(pause_after)
            body = json.dumps(_object(asked, "".join(words), "stop", stream=False)).encode()
            await call.write(whole(200, body, JSON))
            return
        await call.write(head(200, STREAM, CHUNKED))
        for number, word in enumerate(words):
            if number == 1 and pause_after:
                await call.wait(pause_after)
            reason = "stop" if number == len(words) - 1 else None
            body = json.dumps(_object(asked, word, reason, stream=True)).encode()
            await call.write(chunk(b"data: " + body + b"\n\n"))
        await call.write(chunk(DONE) + b"0\r\n\r\n")

    return complete


def _object(asked: Mapping[str, Any], text: str, reason: str | None, *, stream: bool) -> Any:
    """Give an answer, or a piece of one, as the question's kind has it."""
    chat = "messages" in asked
    said: dict[str, Any] = {"text": text}
    if chat:
        said = {"delta" if stream else "message": {"role": "assistant", "content": text}}
    kind = "chat.completion.chunk" if stream else "chat.completion"
    return {
        "id": "cmpl-1",
        "object": kind if chat else "text_completion",
        "created": 1,
        "model": asked.get("model", ""),
        "choices": [{"index": 0, "finish_reason": reason, **said}],
    }


class Upstream:
    """Listens on a port of its own for as long as it is told to; the port stays its own."""

    def __init__(self, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        self._holder = _bound(port)
        self._tls = tls
        self.port: int = self._holder.getsockname()[1]
        self.behaviour: Behaviour = completes()
        self.connections = 0
        """Accepted so far."""
        self.open = 0
        self.abandoned = 0
        """Answers whose reader left before they were whole."""
        self.requests: list[Received] = []
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/v1"

    async def listen(self) -> None:
        if self._server is None:
            sock = _bound(self.port)
            self._server = await asyncio.start_server(self._serve, sock=sock, ssl=self._tls)

    def refuse(self) -> None:
        """Take no connection any more; those that are open stay."""
        if self._server:
            self._server.close()
            self._server = None

    def hang_up(self) -> None:
        """Close what is open."""
        for writer in self._writers:
            writer.close()

    async def end(self) -> None:
        self.refuse()
        for writer in tuple(self._writers):
            writer.transport.abort()
        await self._idle.wait()
        self._holder.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        self._idle.clear()
        self._writers.add(writer)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._answer_all(reader, writer)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
            self._writers.discard(writer)
            self.open -= 1
            if not self.open:
                self._idle.set()

    async def _answer_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            request = await _received(reader)
            self.requests.append(request)
            try:
                await self.behaviour(Call(request, reader, writer))
            except GoneError:
                self.abandoned += 1
                return


async def _received(reader: asyncio.StreamReader) -> Received:
    raw = await reader.readuntil(b"\r\n\r\n")
    first, *lines = raw.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    pairs = (line.partition(": ") for line in lines if line)
    headers = {name.lower(): value for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(method, target, headers, body)


def _bound(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", port))
    return sock


@asynccontextmanager
async def upstream(
    behaviour: Behaviour | None = None, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Upstream]:
    made = Upstream(tls)
    if behaviour:
        made.behaviour = behaviour
    await made.listen()
    try:
        yield made
    finally:
        await made.end()


@contextmanager
def unreachable() -> Iterator[str]:
    """Give the URL of a machine that does not answer: its queue is full, and stays so."""
    with _bound(0) as queue, socket.socket() as first:
        queue.listen(0)
        first.connect(queue.getsockname())
        yield f"http://127.0.0.1:{queue.getsockname()[1]}/v1"
