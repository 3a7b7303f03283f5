"""HTTP to one API server: connections, credentials, and refusals as errors."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from fleet.kube.answering import Answering
from fleet.kube.answers import JSON, UNFOUND, read_status, refusal
from fleet.kube.config import Connection
from fleet.kube.errors import KubeError, TransientError
from fleet.kube.fence import Fence, FencedBody
from fleet.kube.server_time import ServerTime
from fleet.kube.sockets import Sockets
from fleet.kube.storage import Storage
from fleet.runtime import clock
from fleet.runtime.metrics import requests_total

REFUSED = 400
UNAUTHORIZED = 401
TOO_MANY = 429
BROKEN = 500
PATIENCE = 3
"""Times that a request waits when the server asks for it, before its caller hears of it."""
LONGEST_WAIT_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    connect: float = 10.0
    request: float = 30.0
    """Also until a watch is open; how long it may be silent then, its follower knows."""


@dataclass(frozen=True, slots=True)
class Request:
    verb: str
    path: str
    params: Mapping[str, str]
    body: bytes | None = None
    content_type: str = JSON
    accept: str = JSON
    fence: Fence | None = None
    """Asked right before it is sent, each time that it is."""


class Transport:
    """One session for all that a program says to an API server."""

    def __init__(self, connection: Connection, *, timeouts: Timeouts | None = None) -> None:
        self.connection = connection
        self._timeouts = timeouts or Timeouts()
        self.time = ServerTime(connection.server, clock.now)
        self.answering = Answering()
        self._session: aiohttp.ClientSession | None = None
        self._sockets = Sockets()
        self._renewing = asyncio.Lock()
        self._storage = Storage(connection.server)

    async def close(self) -> None:
        if self._session:
            await self._session.close()
            self._session = None
            await self._sockets.end()

    async def send(self, request: Request) -> bytes:
        """Give the answer's body; a refusal is the error that says what to do next."""
        for attempt in range(PATIENCE + 1):
            try:
                return await self._send_once(request)
            except TransientError as error:
                wait = error.retry_after
                if not 0 < wait <= LONGEST_WAIT_SECONDS or attempt == PATIENCE:
                    raise
                await asyncio.sleep(wait)
        raise AssertionError("unreachable")

    async def _send_once(self, request: Request) -> bytes:
        longest = self._timeouts.request
        if request.fence:
            longest = min(longest, request.fence())
        limits = aiohttp.ClientTimeout(total=longest, sock_connect=self._timeouts.connect)
        async with self._answer(request, limits) as response:
            return await response.read()

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open a watch, and give its lines as they come."""
        limits = aiohttp.ClientTimeout(total=None, sock_connect=self._timeouts.connect)
        async with self._answer(request, limits) as response:
            yield _lines(response)

    @asynccontextmanager
    async def _answer(
        self, request: Request, limits: aiohttp.ClientTimeout
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        used = self.connection.credentials.header()
        try:
            async with self._opened(request, used, limits) as response:
                if response.status != UNAUTHORIZED or not await self._renewed(used):
                    await self._check(request, response)
                    yield response
                    return
            used = self.connection.credentials.header()
            async with self._opened(request, used, limits) as response:
                await self._check(request, response)
                yield response
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            if isinstance(error.__cause__, KubeError):
                raise error.__cause__ from None
            requests_total(request.verb, "lost")
            self.answering.lose()
            what = str(error) or type(error).__name__
            raise TransientError(f"{self.connection.server}: {what}") from error

    @asynccontextmanager
    async def _opened(
        self, request: Request, authorization: str, limits: aiohttp.ClientTimeout
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        async with (
            asyncio.timeout(self._timeouts.request) as opening,
            self._open(request, authorization, limits) as response,
        ):
            opening.reschedule(None)
            yield response

    def _open(self, request: Request, authorization: str, limits: aiohttp.ClientTimeout) -> Any:
        headers = {"Accept": request.accept, "Accept-Encoding": "identity"}
        if authorization:
            headers["Authorization"] = authorization
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        return self._ready_session().request(
            request.verb,
            self.connection.server + request.path,
            params=request.params,
            data=_body(request),
            headers=headers,
            timeout=limits,
        )

    async def _renewed(self, used: str) -> bool:
        """Read the credentials again, once for all who were refused; whether they are others."""
        async with self._renewing:
            if self.connection.credentials.header() == used:
                await asyncio.to_thread(self.connection.credentials.renew)
        return self.connection.credentials.header() != used

    async def _check(self, request: Request, response: aiohttp.ClientResponse) -> None:
        requests_total(request.verb, str(response.status))
        self.time.heard(response.headers.get("Date", ""))
        self.answering.hear(well=response.status < BROKEN)
        if response.status < REFUSED:
            return
        status = read_status(response.status, await response.read())
        if response.status == UNFOUND and not status.reason:
            status.message = f"the API server serves no {request.path}"
        if response.status == UNAUTHORIZED:
            status.message = f"{self.connection.server}: Unauthorized: {self._identity}"
        after = _seconds(response.headers.get("Retry-After", ""))
        error = refusal(status, content_type=request.content_type, retry_after=after)
        self._storage.hear(error)
        raise error

    @property
    def _identity(self) -> str:
        """Name who we say we are, never by what."""
        used = self.connection.credentials
        return f"it does not believe {used}; is it of this cluster, and not expired?"

    def _ready_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=0,
                keepalive_timeout=60,
                ssl=self.connection.tls() or True,
                socket_factory=self._sockets.make,
            )
            self._session = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._session


def _body(request: Request) -> bytes | FencedBody | None:
    if request.body is None or request.fence is None:
        return request.body
    return FencedBody(request.body, request.fence)


def _seconds(retry_after: str) -> float:
    return float(retry_after) if retry_after.isdigit() else 0.0


async def _lines(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Split what comes into lines of any length; one that was cut off is not passed on."""
    rest = b""
    async for chunk in response.content.iter_any():
        if b"\n" not in chunk:
            rest += chunk
            continue
        *lines, tail = chunk.split(b"\n")
        lines[0], rest = rest + lines[0], tail
        for line in lines:
            yield line
