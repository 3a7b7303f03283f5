"""A data plane in the test's own loop: what listens, what time it is there, and who asks."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from fleet.testing.waiting import until
from gateway.data.client import ClientConnection
from gateway.data.intake import Intake
from gateway.data.plane import Plane
from gateway.data.pool import Pool
from gateway.keys import Credentials, Keyring
from gateway.policy.attempts import Rules
from gateway.policy.endpoint import Ejection
from gateway.routes import Routes
from gateway.snapshot import Endpoint, Service, Snapshot
from gateway.tls import Trust
from tests.gateway_upstream import Upstream

MODEL, SERVICE, KEY, SECRET = "llama", "team/llama", "client-key", "fleet-secret"
AUTHORIZED = f"authorization: Bearer {KEY}"
PATH = "/v1/chat/completions"
DEADLINE = 20.0


@dataclass
class Clock:
    """Goes on when a test says so."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Chance:
    """Draws what a test says."""

    draw: Callable[[], float] = lambda: 0.0

    def __call__(self) -> float:
        return self.draw()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    interim: int = 0
    """Heads of status 100 that came before."""
    whole: bool = True

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The reason that OpenAI's error object names."""
        code: str = self.json["error"]["code"]
        return code


def ask(path: str = PATH, *lines: str, method: str = "POST", **body: Any) -> bytes:
    """Write a request as a client with the key sends it."""
    return raw(path, *lines, AUTHORIZED, method=method, body=json.dumps(body).encode())


def chat(*lines: str, model: str = MODEL, **fields: Any) -> bytes:
    said = {"messages": [{"role": "user", "content": "Hi"}], **fields}
    return ask(PATH, *lines, model=model, **said)


def get(path: str, *lines: str, method: str = "GET") -> bytes:
    return raw(path, *lines, AUTHORIZED, method=method)


def raw(path: str, *lines: str, method: str = "POST", body: bytes = b"") -> bytes:
    length = (f"content-length: {len(body)}",) if body else ()
    first = f"{method} {path} HTTP/1.1"
    return "\r\n".join((first, "host: gateway", *lines, *length, "", "")).encode() + body


class Wire:
    """A client's connection, down to its bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def send(self, *messages: bytes) -> None:
        self._writer.write(b"".join(messages))

    async def send_whole(self, message: bytes) -> None:
        """Send, and wait until all but a little is on its way."""
        self._writer.write(message)
        await self._writer.drain()

    async def ask(self, message: bytes) -> Answer:
        self.send(message)
        return await self.answer()

    async def answer(self) -> Answer:
        """Read one answer; one whose body is cut off is not whole."""
        interim = 0
        while True:
            status, headers = await self.head()
            if status >= 200:
                break
            interim += 1
        try:
            body, whole = await self._body(headers), True
        except asyncio.IncompleteReadError as error:
            body, whole = error.partial, False
        except OSError:
            body, whole = b"", False
        return Answer(status, headers, body, interim, whole)

    async def head(self) -> tuple[int, dict[str, str]]:
        async with asyncio.timeout(DEADLINE):
            text = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = text.split("\r\n")
        pairs = (line.partition(": ") for line in lines if line)
        return int(first.split(" ")[1]), {name.lower(): value for name, _, value in pairs}

    async def chunk(self) -> bytes:
        """Read one chunk of a body; the last one is empty."""
        async with asyncio.timeout(DEADLINE):
            size = int(await self._reader.readuntil(b"\r\n"), 16)
            return (await self._reader.readexactly(size + 2))[:-2]

    async def chunks(self) -> bytes:
        """Read a body's chunks to the last."""
        parts = []
        while part := await self.chunk():
            parts.append(part)
        return b"".join(parts)

    async def rest(self) -> bytes:
        """Read to the connection's end."""
        async with asyncio.timeout(DEADLINE):
            return await self._reader.read()

    async def closed(self) -> bool:
        """Tell whether the connection ends without another byte."""
        try:
            return await self.rest() == b""
        except ConnectionResetError:
            return True

    async def leave(self) -> None:
        self._writer.transport.abort()
        with suppress(OSError):
            await self._writer.wait_closed()

    async def _body(self, headers: dict[str, str]) -> bytes:
        if "content-length" in headers:
            async with asyncio.timeout(DEADLINE):
                return await self._reader.readexactly(int(headers["content-length"]))
        if "transfer-encoding" not in headers:
            return await self.rest()
        return await self.chunks()


@dataclass
class Gate:
    """A gateway's data plane on a port of its own."""

    intake: Intake
    clock: Clock
    chance: Chance
    port: int = 0
    wires: list[Wire] = field(default_factory=list)

    @property
    def plane(self) -> Plane:
        return self.intake.plane

    async def connect(self) -> Wire:
        """Connect as a client that takes in little before it reads."""
        sock = _narrow(socket.SO_RCVBUF)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self.port))
        wire = Wire(*await asyncio.open_connection(sock=sock, limit=2**12))
        self.wires.append(wire)
        return wire

    async def connection(self) -> ClientConnection:
        """Give the gateway's end of the only connection."""
        await until(lambda: self.intake.connections)
        (connection,) = self.intake.connections
        return connection

    async def ask(self, message: bytes) -> Answer:
        """Ask once, on a new connection."""
        return await (await self.connect()).ask(message)

    def route(self, *upstreams: Upstream, **fields: Any) -> None:
        """Serve the model at these, which are asked in this order."""
        self.swap([endpoint(each, number, **fields) for number, each in enumerate(upstreams)])

    def swap(self, endpoints: Sequence[Endpoint], *aliases: str, **fields: Any) -> None:
        service = Service(SERVICE, (MODEL, *aliases), tuple(endpoints), created=7, **fields)
        self.plane.swap(Snapshot((service,)))

    def pass_time(self, seconds: float) -> None:
        self.clock.now += seconds
        self.plane.tick()
        self.intake.tick()

    def state(self, number: int = 0) -> Any:
        return self.plane.routes.states[f"team/{number}"]


def endpoint(upstream: Upstream, number: int = 0, **fields: Any) -> Endpoint:
    return Endpoint(f"team/{number}", **{"url": upstream.url, "region": f"r{number}", **fields})


def _narrow(buffer: int) -> socket.socket:
    """Make a socket that keeps little, so that it is soon full."""
    sock = socket.socket()
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, buffer, 2**14)
    return sock


@asynccontextmanager
async def gate(
    *upstreams: Upstream, attempts: int = 3, connect_seconds: float = 30, **fields: Any
) -> AsyncIterator[Gate]:
    """Run a data plane that routes the model to these upstreams."""
    clock, chance = Clock(), Chance()
    accepted = Keyring((sha256(KEY.encode()).digest(),))
    plane = Plane(
        routes=Routes(Ejection()),
        pool=Pool(clock, connect_seconds=connect_seconds, tls=Trust().context),
        credentials=Credentials(accepted, b"authorization: Bearer %b\r\n" % SECRET.encode()),
        rules=Rules(chance=chance, attempts=attempts),
        clock=clock,
    )
    made = Gate(Intake(plane=plane, **fields), clock, chance)
    loop = asyncio.get_running_loop()
    listener = _narrow(socket.SO_SNDBUF)
    listener.bind(("127.0.0.1", 0))
    server = await loop.create_server(lambda: ClientConnection(made.intake), sock=listener)
    made.port = server.sockets[0].getsockname()[1]
    if upstreams:
        made.route(*upstreams)
    try:
        yield made
    finally:
        server.close()
        for wire in made.wires:
            await wire.leave()
        async with asyncio.timeout(DEADLINE):
            await made.intake.empty()
        plane.pool.close()
        await asyncio.sleep(0)
        assert not plane.active
        assert not any(state.in_flight or state.tokens for state in plane.routes.states.values())
