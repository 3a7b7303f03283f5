"""Where a client's request goes: to a page of our own, to an exchange, or back with a reason."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from gateway import body as bodies
from gateway import continuation
from gateway.access import Line
from gateway.body import BodyError
from gateway.data import counted
from gateway.data.aim import aim
from gateway.data.call import Call
from gateway.data.client import ClientConnection, Work
from gateway.data.continued import Continued
from gateway.data.exchange import Exchange
from gateway.data.hedge import Hedged
from gateway.data.local import GATHERED, OPEN, READING, Local
from gateway.data.newcomers import Newcomers
from gateway.data.plane import Plane
from gateway.data.request import Request
from gateway.data.shadow import Shadows
from gateway.keys import Guest
from gateway.link import Topic
from gateway.metrics import Counts
from gateway.pages import PAGES
from gateway.policy import affinity, answers
from gateway.policy.answers import Answer
from gateway.policy.learning import ANY, Wanted

PREFIX = b"/v1/"
USUAL = frozenset({b"/v1/chat/completions", b"/v1/completions", b"/v1/embeddings"})
"""Most requests' targets: there is nothing more to look at."""
FORBIDDEN = frozenset({b"/v1/load_lora_adapter", b"/v1/unload_lora_adapter"})
"""Engines' administration, which happens to lie among what clients call."""
PATH_BYTES = 256
"""Of the path of a request that is not served, in the access log."""


@dataclass(slots=True, kw_only=True)
class Intake:
    plane: Plane
    region: str = ""
    cluster: str = ""
    by_service: bool = False
    """Take the service that the caller names (regional) instead of reading the model."""
    body_bytes: int = 32 * 1024 * 1024
    count_streams: bool = False
    """Ask engines what tokens a stream took, where its client does not."""
    draining: bool = False
    gathered: Callable[[Topic], Awaitable[bytes]] | None = None
    """Gives a page of all workers; one of this one alone is shown where it is None."""
    connections: set[ClientConnection] = field(default_factory=set)
    shadows: Shadows = field(init=False)
    _left: asyncio.Event = field(default_factory=asyncio.Event)
    _idle_seconds: float = 0.0
    """While draining: until connections close that bring nothing new."""

    def __post_init__(self) -> None:
        self.shadows = Shadows(self.plane)

    @property
    def newcomers(self) -> Newcomers:
        return self.plane.pool.newcomers

    def clock(self) -> float:
        return self.plane.clock()

    def joined(self, connection: ClientConnection) -> None:
        self.connections.add(connection)
        if self.draining:
            connection.drain(self.clock() + self._idle_seconds)

    def left(self, connection: ClientConnection) -> None:
        self.connections.discard(connection)
        self._left.set()

    async def empty(self) -> None:
        """Wait until no client is connected."""
        while self.connections:
            self._left.clear()
            await self._left.wait()

    def admit(self, guest: Guest, request: Request) -> Answer | None:
        """Check a head before its body is read."""
        accepted = self.plane.credentials.accepted
        if guest.known(accepted, request.authorization):
            return None
        if accepted.allows(request.authorization):
            guest.let_in(accepted, request.authorization)
            return None
        if request.path in OPEN:
            return None
        if request.api_key and accepted.holds(request.api_key):
            return None
        return answers.UNAUTHORIZED

    def serve(self, client: ClientConnection, request: Request) -> Work | None:
        forwarded = request.target in USUAL or _forwarded(request.path)
        if request.method != b"POST" or not forwarded:
            return self._local(client, request)
        if not self.plane.routes.known:
            self._turn_down(client, request, answers.STARTING)
            return None
        if self.by_service and request.service:
            return self._to_service(client, request, request.service.decode("latin-1"))
        if bodies.long(request.body):
            return Walk(self, client, request)
        return self._read(client, request)

    def ask(
        self,
        client: ClientConnection,
        request: Request,
        model: str,
        wanted: Wanted = ANY,
        span: bodies.Span | None = None,
    ) -> Work | None:
        """Forward a request whose model is known."""
        route = self.plane.routes.by_model.get(model)
        if route:
            call = Call(request, route.service.name, route.label, wanted, model, span)
            if not route.looks:
                return self._exchange(client, call)
            aim(call, route)
            work = self._exchange(client, call)
            if shadow := route.service.shadow:
                self.shadows.cast(call, shadow)
            return work
        unknown = answers.unknown_model(model, self.plane.routes.like(model))
        self._turn_down(client, request, unknown)
        return None

    def refuse(self, client: ClientConnection, request: Request, error: BodyError) -> None:
        answer = answers.error(400, error.code, str(error), param=error.param)
        self._turn_down(client, request, answer)

    def refused(self, request: Request, answer: Answer) -> None:
        """Count a request that no upstream is asked for, and log it."""
        self.plane.metrics.turned_down(answer.code)
        self._log(request, answer)

    def tick(self) -> None:
        """Close what has been silent for too long; called now and then."""
        now = self.clock()
        for connection in tuple(self.connections):
            connection.expire(now)

    def drain(self, seconds: float) -> None:
        """Serve what is begun; connections that bring nothing new close within `seconds`."""
        self.draining = True
        self._idle_seconds = seconds
        for connection in tuple(self.connections):
            connection.drain(self.clock() + seconds)

    def _to_service(self, client: ClientConnection, request: Request, service: str) -> Work:
        route = self.plane.routes.by_service.get(service)
        label, wanted = route.label if route else "", bodies.glance(request.body)
        call = Call(request, service, label, wanted)
        if request.affinity:
            call.key = affinity.passed(request.affinity)
        call.adapter = request.adapter.decode("latin-1")
        return self._exchange(client, call)

    def _read(self, client: ClientConnection, request: Request) -> Work | None:
        try:
            head = bodies.head_of(request.body)
        except BodyError as error:
            self.refuse(client, request, error)
            return None
        return self.ask(client, request, head.model, head.wanted)

    def _exchange(self, client: ClientConnection, call: Call) -> Work:
        if call.continues and (asked := continuation.question(call.request)):
            exchange: Exchange = Continued(self.plane, client, call, asked)
            exchange.start()
            return exchange
        if self.count_streams:
            counted.ask(call)
        if call.hedge is None:
            exchange = Exchange(self.plane, client, call)
        else:
            exchange = Hedged(self.plane, client, call, call.hedge)
        exchange.start()
        return exchange

    def _turn_down(self, client: ClientConnection, request: Request, answer: Answer) -> None:
        self.refused(request, answer)
        client.answer(answer)

    def _local(self, client: ClientConnection, request: Request) -> Work | None:
        told = GATHERED.get(request.path)
        if told and request.method.decode() in READING:
            topic, content_type = told
            return Scrape(client, (self.gathered or self._alone)(topic), content_type)
        page = self._page(request)
        if request.path.startswith(PREFIX):
            self._log(request, page)
        client.answer(page)
        return None

    def _log(self, request: Request, answer: Answer) -> None:
        if log := self.plane.access:
            path = request.path[:PATH_BYTES].decode("latin-1")
            log.add(Line(log.now(), path, str(answer.status), 0.0, code=answer.code))

    async def _alone(self, topic: Topic) -> bytes:
        return PAGES[topic](Counts(), (self.plane.report(),))

    def _page(self, request: Request) -> Answer:
        plane = self.plane
        local = Local(
            routes=plane.routes,
            lines=plane.lines,
            now=plane.clock(),
            draining=self.draining,
            region=self.region,
            cluster=self.cluster,
        )
        return local.answer(request.method.decode(), request.path)


class Scrape:
    """Waits for a page of all workers."""

    def __init__(
        self, client: ClientConnection, page: Awaitable[bytes], content_type: bytes
    ) -> None:
        self._client, self._page, self._type = client, page, content_type
        self._task = asyncio.get_running_loop().create_task(self._run())

    def cancel(self) -> None:
        self._task.cancel()

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    async def _run(self) -> None:
        try:
            answer = Answer(200, await self._page, content_type=self._type)
        except TimeoutError:
            answer = answers.UNCOUNTED
        self._client.answer(answer)


class Walk:
    """Reads a large body's model in steps, so that others are served meanwhile."""

    def __init__(self, intake: Intake, client: ClientConnection, request: Request) -> None:
        self._intake = intake
        self._client = client
        self._request = request
        self._work: Work | None = None
        self._task = asyncio.get_running_loop().create_task(self._run())

    def cancel(self) -> None:
        self._task.cancel()
        if self._work:
            self._work.cancel()

    def pause(self) -> None:
        if self._work:
            self._work.pause()

    def resume(self) -> None:
        if self._work:
            self._work.resume()

    async def _run(self) -> None:
        body = self._request.body
        steps = bodies.walk(body)
        try:
            span = await _walked(steps)
            model = bodies.model_at(body, span)
        except BodyError as error:
            self._intake.refuse(self._client, self._request, error)
        else:
            self._work = self._intake.ask(self._client, self._request, model, span=span)


async def _walked(steps: bodies.Steps) -> bodies.Span:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            span: bodies.Span = end.value
            return span
        await asyncio.sleep(0)


def _forwarded(path: bytes) -> bool:
    if b"%" in path:
        # As the engine will read it.
        path = unquote_to_bytes(path)
    return path.startswith(PREFIX) and path not in FORBIDDEN and b"/." not in path
