"""GET /healthz, /readyz and /metrics, for probes and Prometheus."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus

from fleet.runtime.metrics import exposition

Missing = Callable[[], str]
"""What a program still waits for; nothing when it is ready."""
MetricsPage = Callable[[], Awaitable[bytes]]
"""Gives what was counted, where that is more than this process knows."""
METRICS = b"/metrics"
WELL = (HTTPStatus.OK, b"ok\n")
UNKNOWN = (HTTPStatus.NOT_FOUND, b"not found\n")
PATIENCE_SECONDS = 5.0
LONGEST_REQUEST = 8192


@asynccontextmanager
async def serving(
    listen: str, missing: Missing, page: MetricsPage | None = None
) -> AsyncIterator[None]:
    """Answer on `host:port` while the block runs; nothing listens where it is empty.

    That it answers is all that `/healthz` tells: a part that ends takes the program with it.
    """
    if not listen:
        yield
        return
    host, _, port = listen.rpartition(":")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, TimeoutError, asyncio.IncompleteReadError, ValueError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                counted = await page() if page and _request(head)[1] == METRICS else None
                writer.write(response(head, missing(), counted))
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(
        answer, host.strip("[]") or None, int(port), limit=LONGEST_REQUEST
    )
    async with server:
        yield


def response(head: bytes, missing: str, counted: bytes | None = None) -> bytes:
    """Answer the head of a request, with what this process has counted where nothing is given."""
    method, path = _request(head)
    if method != b"GET":
        return _written(HTTPStatus.METHOD_NOT_ALLOWED, b"GET only\n")
    waiting = f"waiting for {missing}\n".encode()
    answers: dict[bytes, Callable[[], tuple[HTTPStatus, bytes]]] = {
        b"/healthz": lambda: WELL,
        b"/readyz": lambda: (HTTPStatus.SERVICE_UNAVAILABLE, waiting) if missing else WELL,
        METRICS: lambda: (HTTPStatus.OK, exposition() if counted is None else counted),
    }
    return _written(*answers.get(path, lambda: UNKNOWN)())


def _request(head: bytes) -> tuple[bytes, bytes]:
    method, path, *_ = [*head.split(b"\r\n", 1)[0].split(b" "), b"", b""]
    return method, path.partition(b"?")[0]


def _written(status: HTTPStatus, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        f"Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"Connection: close\r\n\r\n"
    )
    return head.encode() + body
