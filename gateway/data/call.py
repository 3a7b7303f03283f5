"""What an exchange is given: who asks for what, and what all exchanges of a worker share."""

from collections.abc import Sequence
from typing import Protocol

from gateway.access import AccessLog
from gateway.body import Span
from gateway.data.lines import Lines
from gateway.data.pool import Origin, Pool
from gateway.data.reply import Reply
from gateway.data.request import Request
from gateway.data.upstream import Head
from gateway.metrics import Counts
from gateway.policy.answers import Answer
from gateway.policy.attempts import Rules
from gateway.policy.endpoint import EndpointState
from gateway.policy.learning import Learning, Wanted
from gateway.policy.timing import Limits
from gateway.snapshot import Queue


class Client(Protocol):
    """The side that asked."""

    def write(self, data: bytes) -> None: ...

    def answer(self, answer: Answer) -> None: ...

    def keeps(self, request: Request) -> bool: ...

    def done(self, *, keep: bool) -> None: ...

    def abort(self) -> None: ...


class Call:
    """What is asked: the request, and for whom."""

    __slots__ = (
        "adapter",
        "asked",
        "continues",
        "hedge",
        "key",
        "label",
        "model",
        "reply",
        "request",
        "rules",
        "service",
        "span",
        "targets",
        "wanted",
    )

    def __init__(
        self,
        request: Request,
        service: str,
        label: str,
        wanted: Wanted,
        model: str = "",
        span: Span | None = None,
    ) -> None:
        self.request = self.asked = request
        """As it goes on to an endpoint, and as it came."""
        self.service = service
        """`<namespace>/<name>`."""
        self.label, self.wanted = label, wanted
        """The model's first name, for metrics, empty where nobody knows the service; and what
        answer is asked for."""
        self.model = model
        """The name that the client used; an endpoint may serve it under another."""
        self.span = span
        """Where the name stands in the body, where that was found already."""
        self.adapter = ""
        """The engines' name for the adapter that is asked for, where it is one."""
        self.targets: frozenset[str] | None = None
        """Endpoints that it may go to and no other, where a rule says so."""
        self.key = 0
        """Equal for requests that are to go to the same endpoint; 0 where it does not matter."""
        self.hedge: float | None = None
        """Seconds before a second endpoint is asked as well; 0: as many as are unusual."""
        self.continues = False
        """Whether its stream may go on elsewhere when it is cut."""
        self.reply: type[Reply] = Reply
        """How its answer is taken."""
        self.rules: Rules | None = None
        """Of a request that is none of a client's."""


class Active(Protocol):
    """An exchange under way."""

    def expire(self, now: float) -> None: ...

    def endpoint_lost(self, state: EndpointState) -> None: ...


class Context(Protocol):
    """What all exchanges of a worker share."""

    rules: Rules
    limits: Limits
    learning: Learning
    pool: Pool
    metrics: Counts
    lines: Lines
    active: set[Active]
    access: AccessLog | None

    def clock(self) -> float: ...

    def states(self, call: Call) -> Sequence[EndpointState]:
        """Look a service up anew: the snapshot may have changed since the last try."""

    def candidates(
        self, call: Call, tried: Sequence[EndpointState], now: float
    ) -> Sequence[EndpointState]:
        """Give those of them that come into question now."""

    def queue(self, service: str) -> Queue:
        """Tell how a service lets requests wait."""

    def message(self, call: Call, origin: Origin, state: EndpointState) -> tuple[bytes, bytes]:
        """Give head and body as this endpoint is to get them."""

    def marks(self, head: Head, tried: Sequence[EndpointState], *, keep: bool) -> bytes:
        """Give the gateway's own headers for an answer."""
