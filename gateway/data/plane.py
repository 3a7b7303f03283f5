"""What the exchanges of one worker share, and how a request looks to the endpoint that gets it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from gateway import body as bodies
from gateway.access import AccessLog
from gateway.data import heads
from gateway.data.call import Active, Call
from gateway.data.lines import Lines
from gateway.data.pool import Origin, Pool, place
from gateway.data.upstream import Head
from gateway.keys import Credentials
from gateway.load import Load
from gateway.metrics import Counts, Report
from gateway.policy.answers import RETRYABLE
from gateway.policy.attempts import Rules
from gateway.policy.endpoint import EndpointState
from gateway.policy.learning import Learning
from gateway.policy.narrow import Tiers, having, narrowed
from gateway.policy.pick import wait
from gateway.policy.timing import Limits
from gateway.routes import NONE, Routes
from gateway.snapshot import Endpoint, Queue, Snapshot
from gateway.standing import standing
from gateway.vault import Vault


@dataclass(slots=True, kw_only=True)
class Plane:
    routes: Routes
    pool: Pool
    credentials: Credentials
    rules: Rules
    clock: Callable[[], float]
    """Monotonic."""
    limits: Limits = field(default_factory=Limits)
    metrics: Counts = field(default_factory=Counts)
    learning: Learning = field(default_factory=Learning)
    vault: Vault = field(default_factory=Vault)
    lines: Lines = field(default_factory=Lines)
    active: set[Active] = field(default_factory=set)
    access: AccessLog | None = None

    def states(self, call: Call) -> Sequence[EndpointState]:
        route = self.routes.by_service.get(call.service)
        if route is None:
            return ()
        states = route.states
        if call.targets is not None:
            states = tuple(state for state in route.all if state.endpoint.name in call.targets)
        return having(states, call.adapter) if call.adapter else states

    def candidates(
        self, call: Call, tried: Sequence[EndpointState], now: float
    ) -> Sequence[EndpointState]:
        route = self.routes.by_service.get(call.service)
        if route is None:
            return ()
        if route.plain and not (call.key or call.adapter) and call.targets is None:
            return route.all
        ranked: Tiers = route.tiers if call.targets is None else (self.states(call),)
        if call.adapter:
            ranked = [having(tier, call.adapter) for tier in ranked]
        return narrowed(ranked, tried, now, self.rules.chance, call.key)

    def queue(self, service: str) -> Queue:
        route = self.routes.by_service.get(service)
        return route.service.queue if route else Queue()

    def message(self, call: Call, origin: Origin, state: EndpointState) -> tuple[bytes, bytes]:
        request, endpoint = call.request, state.endpoint
        key = b""
        if endpoint.fleet:
            key = self._for_region(call)
        elif endpoint.credential:
            key = self.vault.line(endpoint.credential)
        body, called = request.body, call.adapter or endpoint.model
        if call.model and called and called != call.model:
            body = bodies.renamed(body, call.span or bodies.model_span(body), called)
        head = b"".join(
            (
                b"POST ",
                origin.base,
                request.target[3:],
                b" HTTP/1.1\r\n",
                origin.host_line,
                *request.lines,
                key,
                b"content-length: %d\r\n\r\n" % len(body),
            )
        )
        return head, body

    def _for_region(self, call: Call) -> bytes:
        """Give the headers that only a regional gateway gets."""
        service = b"x-modelfleet-service: %b\r\n" % call.service.encode()
        alike = b"x-modelfleet-affinity: %x\r\n" % call.key if call.key else b""
        tuned = b"x-modelfleet-adapter: %b\r\n" % call.adapter.encode() if call.adapter else b""
        return self.credentials.line + service + alike + tuned

    def marks(self, head: Head, tried: Sequence[EndpointState], *, keep: bool) -> bytes:
        state, marks = tried[-1], tried[-1].marks
        if state.endpoint.fleet and (head.region or head.upstream):
            marks = _deeper(state.endpoint, head)
        retry = head.retry_after
        if not retry and head.status in RETRYABLE:
            retry = b"%d" % wait(tried, self.clock())
        return b"%b%b: %d\r\n%b%b" % (
            marks,
            heads.ATTEMPTS,
            len(tried),
            b"retry-after: %b\r\n" % retry if retry else b"",
            b"" if keep else heads.CLOSE,
        )

    def swap(self, snapshot: Snapshot) -> None:
        self.routes.swap(snapshot, self.clock())
        self.unlock()
        self.learning.keep_only({route.label for route in self.routes.by_service.values()})
        self.pool.keep_only({place(state.endpoint) for state in self.routes.states.values()})

    def unlock(self) -> None:
        """Let in those whose credentials are at hand, and leave out the others."""
        for state in self.routes.states.values():
            endpoint = state.endpoint
            if endpoint.credential or endpoint.tls:
                state.lets_in(at_hand=self.vault.opens(endpoint))

    def probed(
        self, found: Mapping[str, bool], started: float, loads: Mapping[str, Load] = NONE
    ) -> None:
        """Take in what the probes found; what waits for an endpoint that is gone goes elsewhere."""
        for state in self.routes.probed(found, started, loads):
            for exchange in tuple(self.active):
                exchange.endpoint_lost(state)

    def report(self) -> Report:
        """Tell what was counted, and how the endpoints stand."""
        now, routes = self.clock(), self.routes.by_service.values()
        standings = {
            state.endpoint.name: standing(route.label, state, now)
            for route in routes
            for state in route.all
        }
        waiting = {route.label: self.lines.waiting(route.service.name) for route in routes}
        return Report(self.metrics, standings, waiting)

    def close(self) -> None:
        """End what is left, and write what is not written yet."""
        self.tick()
        self.pool.close()

    def tick(self) -> None:
        """End what takes too long; called several times a second."""
        now = self.clock()
        self.lines.advance_all()
        for exchange in tuple(self.active):
            exchange.expire(now)
        self.pool.trim(now)
        if self.access:
            self.access.flush()


def _deeper(endpoint: Endpoint, head: Head) -> bytes:
    """Say what a region says of itself."""
    region = head.region or endpoint.region.encode()
    upstream = head.upstream or endpoint.name.encode()
    return b"%b: %b\r\n%b: %b\r\n" % (heads.REGION, region, heads.UPSTREAM, upstream)
