"""HTTP/1.1 on a socket: requests in, answers and streams out, one after another."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol

import httptools
from typing_extensions import override

from cli.local.engine.errors import ApiError, TornError

_LARGEST_BODY = 32 * 1024 * 1024
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
JSON, EVENTS = "application/json", "text/event-stream; charset=utf-8"


@dataclass(slots=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    peer: str
    """Address of the client."""
    keep_alive: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    body: bytes = b""
    status: int = 200
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer in parts; it begins when its first part is there."""

    parts: AsyncGenerator[bytes, None]


class Service(Protocol):
    async def answer(self, request: Request) -> Answer | Stream:
        """Raise an ApiError for what cannot be answered, a TornError to cut the connection."""


class Connection(asyncio.Protocol):
    """One client; what it asks before it has its answer waits."""

    def __init__(self, service: Service, fatal: Callable[[], None]) -> None:
        self._service, self._fatal = service, fatal
        self._parser = httptools.HttpRequestParser(self)
        self._requests: deque[Request] = deque()
        self._task: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._transport: asyncio.Transport
        self._start()

    def _start(self) -> None:
        self._url, self._body, self._headers = b"", bytearray(), dict[str, str]()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._peer = str((transport.get_extra_info("peername") or ("",))[0])

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._task:
            self._task.cancel()

    @override
    def pause_writing(self) -> None:
        self._writable.clear()

    @override
    def resume_writing(self) -> None:
        self._writable.set()

    @override
    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._transport.close()
        except httptools.HttpParserError:
            self._send(Answer(ApiError(400, "no HTTP request").body(), 400), keep_alive=False)
            self._transport.close()

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        if len(self._body) <= _LARGEST_BODY:
            self._body += body

    def on_message_complete(self) -> None:
        path = self._url.partition(b"?")[0].decode("latin-1")
        method, keep_alive = self._parser.get_method().decode(), self._parser.should_keep_alive()
        body, headers = bytes(self._body), self._headers
        self._requests.append(Request(method, path, headers, body, self._peer, keep_alive))
        self._start()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._serve())

    async def _serve(self) -> None:
        try:
            while self._requests:
                await self._serve_one(self._requests.popleft())
        except TornError as error:
            self._transport.abort()
            if error.fatal:
                self._fatal()
        finally:
            self._task = None

    async def _serve_one(self, request: Request) -> None:
        try:
            answer = await self._answer(request)
        except ApiError as error:
            wait = error.retry_after
            headers = {} if wait is None else {"retry-after": str(wait)}
            answer = Answer(error.body(), error.status, headers=headers)
        if isinstance(answer, Stream):
            await self._stream(answer, keep_alive=request.keep_alive)
        else:
            self._send(answer, keep_alive=request.keep_alive)
        if not request.keep_alive:
            self._transport.close()

    async def _answer(self, request: Request) -> Answer | Stream:
        if len(request.body) > _LARGEST_BODY:
            raise ApiError(413, f"the body is larger than {_LARGEST_BODY} bytes")
        return await self._service.answer(request)

    def _send(self, answer: Answer, *, keep_alive: bool) -> None:
        length = {"content-length": str(len(answer.body)), "content-type": answer.content_type}
        head = _head(answer.status, {**length, **answer.headers}, keep_alive=keep_alive)
        self._transport.write(head + answer.body)

    async def _stream(self, stream: Stream, *, keep_alive: bool) -> None:
        headers = {"content-type": EVENTS, "transfer-encoding": "chunked"}
        head = _head(200, headers, keep_alive=keep_alive)
        async with contextlib.aclosing(stream.parts) as parts:
            async for part in parts:
                self._transport.write(head + b"%x\r\n%b\r\n" % (len(part), part))
                head = b""
                await self._writable.wait()
        self._transport.write(head + b"0\r\n\r\n")


def _head(status: int, headers: Mapping[str, str], *, keep_alive: bool) -> bytes:
    lines = [f"HTTP/1.1 {status} {_PHRASES.get(status, '')}"]
    lines += (f"{name}: {value}" for name, value in headers.items())
    if not keep_alive:
        lines.append("connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
