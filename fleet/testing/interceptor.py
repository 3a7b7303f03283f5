"""An HTTP proxy before an API server, that a test has hold back, refuse or lose what it reads."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import parse_qs

import aiohttp
from aiohttp import web
from multidict import CIMultiDictProxy
from yarl import URL

from fleet.kube.config import Connection
from fleet.kube.sockets import Sockets

WRITES: Final = ("POST", "PUT", "PATCH", "DELETE")
OF_ONE_LINE: Final = ("Host", "Connection", "Transfer-Encoding", "Content-Length", "Keep-Alive")
"""Headers that say something of a connection, not of the request."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request, as far as its first line tells: `verb` is HTTP's."""

    verb: str
    path: str
    query: str = ""
    body: bytes = b""

    def speaks_of(self, name: str) -> bool:
        """Whether it is about an object whose name or namespace has this in it."""
        return name in self.path or (self.verb == "POST" and name.encode() in self.body)

    @property
    def manager(self) -> str:
        return parse_qs(self.query).get("fieldManager", [""])[0]

    @property
    def writes(self) -> bool:
        return self.verb in WRITES

    @property
    def resource(self) -> str:
        """Give the plural, with the subresource after a slash."""
        parts = self.path.strip("/").split("/")
        rest = parts[2:] if parts[0] == "api" else parts[3:]
        inside = rest[2:] if rest[:1] == ["namespaces"] else []
        plural, _name, *sub = [*(inside or rest), "", ""]
        return "/".join([plural, *filter(None, sub)])


@dataclass(frozen=True, slots=True)
class Refusal:
    code: int
    headers: tuple[tuple[str, str], ...] = ()


class Judge(Protocol):
    async def before(self, call: Call) -> Refusal | None:
        """Say what is answered in the server's place; what does not return holds a call back."""

    async def after(self, call: Call) -> None:
        """Hear that the server has answered; the caller hears of it when this returns."""


class Passing:
    """Lets all through."""

    async def before(self, _call: Call) -> Refusal | None:
        return None

    async def after(self, _call: Call) -> None: ...


class Interceptor:
    """Plain HTTP on loopback, to whatever the connection leads; who calls brings a token."""

    def __init__(self, connection: Connection, session: aiohttp.ClientSession) -> None:
        self._far, self._session = connection, session
        self._tls = connection.tls() or True
        self._server = web.Server(self.answer, handler_cancellation=True, access_log=None)
        self._runner = web.ServerRunner(self._server, shutdown_timeout=0.1)
        self._site: web.TCPSite | None = None
        self._port = 0
        self._watches = set[asyncio.Transport | None]()
        self.judge: Judge = Passing()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def open(self) -> None:
        """Listen, on a free port at first and on the same one ever after."""
        if self._runner.server is None:
            await self._runner.setup()
        self._site = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True)
        await self._site.start()
        self._port = self._runner.addresses[0][1]

    async def close(self) -> None:
        """Be as a server that is away: nobody listens, and what was open is broken."""
        if self._site:
            await self._site.stop()
            self._site = None
        self.drop()

    def drop(self) -> None:
        """Break what is open."""
        for connection in self._server.connections:
            if connection.transport:
                connection.transport.abort()

    def drop_watches(self) -> None:
        """Break the watches, and nothing else."""
        for transport in tuple(self._watches):
            if transport:
                transport.abort()

    async def end(self) -> None:
        await self.close()
        await asyncio.shield(self._runner.cleanup())

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        call = Call(request.method, request.path, request.query_string, await request.read())
        refused = await self.judge.before(call)
        if refused:
            return web.Response(status=refused.code, headers=dict(refused.headers))
        url = URL(self._far.server + request.raw_path, encoded=True)
        headers = _carried(request.headers)
        try:
            async with self._session.request(
                call.verb, url, headers=headers, data=call.body or None, ssl=self._tls
            ) as far:
                return await self._pass_on(call, request, far)
        except aiohttp.ClientError:
            # As a server that is away answers: with a connection that breaks.
            if request.transport:
                request.transport.abort()
            raise

    async def _pass_on(
        self, call: Call, request: web.BaseRequest, far: aiohttp.ClientResponse
    ) -> web.StreamResponse:
        answer = web.StreamResponse(status=far.status, headers=_carried(far.headers))
        if "watch=" not in call.query:
            content = await far.read()
            await self.judge.after(call)
            return web.Response(status=far.status, headers=_carried(far.headers), body=content)
        await answer.prepare(request)
        with suppress(ConnectionError), self._watching(request):
            async for chunk in far.content.iter_any():
                await answer.write(chunk)
        return answer

    @contextmanager
    def _watching(self, request: web.BaseRequest) -> Iterator[None]:
        transport = request.transport
        self._watches.add(transport)
        try:
            yield
        finally:
            self._watches.discard(transport)


def _carried(headers: CIMultiDictProxy[str]) -> dict[str, str]:
    left_out = {name.lower() for name in OF_ONE_LINE}
    return {name: value for name, value in headers.items() if name.lower() not in left_out}


@asynccontextmanager
async def interceptor(connection: Connection) -> AsyncIterator[Interceptor]:
    """Stand between programs and an API server, on a free port of loopback."""
    limits, sockets = aiohttp.ClientTimeout(total=None), Sockets()
    connector = aiohttp.TCPConnector(limit=0, socket_factory=sockets.make)
    session = aiohttp.ClientSession(connector=connector, timeout=limits, auto_decompress=False)
    made = Interceptor(connection, session)
    try:
        await made.open()
        yield made
    finally:
        await made.end()
        await session.close()
        await sockets.end()
