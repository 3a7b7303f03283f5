"""A client's connection: one request after another, each with its exchange."""

import asyncio
from collections import deque
from functools import partial
from typing import Protocol, cast

from typing_extensions import override

from gateway.data import heads
from gateway.data.newcomers import Newcomers
from gateway.data.request import MalformedError, Request, RequestReader, refused
from gateway.data.writing import at_once
from gateway.keys import Guest
from gateway.policy import answers, sending
from gateway.policy.answers import Answer

PIPELINED = 16
"""Requests that may wait behind the one being served before reading stops."""
IDLE_SECONDS = 75.0
FIRST_SECONDS = 2.0
"""More than for another request: for the first one of a client that has only just connected."""
LINGER_SECONDS = 2.0
"""For a refused client to read its answer before its unread bytes reset the connection."""
FLUSH_SECONDS = 120.0
"""For a client to read the last that was written."""


class Work(Protocol):
    """What is done for one request: an exchange with an upstream."""

    def cancel(self) -> None:
        """The client is gone."""

    def pause(self) -> None: ...

    def resume(self) -> None: ...


class Server(Protocol):
    """What a connection needs of the worker that it belongs to."""

    body_bytes: int
    draining: bool

    @property
    def newcomers(self) -> Newcomers: ...

    def clock(self) -> float: ...

    def joined(self, connection: "ClientConnection") -> None: ...

    def left(self, connection: "ClientConnection") -> None: ...

    def admit(self, guest: Guest, request: Request) -> Answer | None: ...

    def refused(self, request: Request, answer: Answer) -> None:
        """Hear of a request that is not served."""

    def serve(self, client: "ClientConnection", request: Request) -> Work | None:
        """Begin to serve; None when the answer is written already."""


class ClientConnection(asyncio.Protocol):
    """Reads requests, keeps their order, and notices when the client goes away."""

    __slots__ = (
        "_asked",
        "_closing",
        "_deadline",
        "_deaf",
        "_full",
        "_pending",
        "_reader",
        "_request",
        "_seen",
        "_server",
        "_since",
        "_transport",
        "_work",
    )

    def __init__(self, server: Server) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._reader = RequestReader(
            admit=partial(server.admit, Guest()),
            headed=self._headed,
            ready=self._ready,
            body_bytes=server.body_bytes,
        )
        self._request: Request | None = None
        """The one that is being served."""
        self._work: Work | None = None
        self._pending: deque[Request] = deque()
        self._asked = False
        """It has brought a request."""
        self._closing = False
        self._deaf = False
        """What came last is not HTTP: nothing that follows can be understood."""
        self._full = False
        """The client reads slower than it is answered."""
        self._seen = 0
        """The number of the request that comes in, as its reader counts."""
        self._since = server.clock()
        """When it began, or when it was waited for."""
        self._deadline = self._since + sending.HEAD_SECONDS

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = at_once(cast("asyncio.Transport", transport))
        self._server.newcomers.join(self._transport, self)
        self._server.joined(self)

    @override
    def data_received(self, data: bytes) -> None:
        if self._closing or self._deaf:
            return
        try:
            self._reader.feed(data)
        except MalformedError as error:
            self._deaf = True
            self._ready(refused(error.answer))
        if self._reader.busy:
            self._wait_for_more(self._server.clock())

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport:
            self._server.newcomers.leave(self._transport)
        self._server.left(self)
        self._closing, self._transport = True, None
        self._pending.clear()
        if work := self._work:
            self._work = None
            work.cancel()

    @override
    def pause_writing(self) -> None:
        self._full = True
        self._stop_reading()
        if self._work:
            self._work.pause()

    @override
    def resume_writing(self) -> None:
        self._full = False
        if self._work:
            self._work.resume()
        self._go_on()

    def write(self, data: bytes) -> None:
        if self._transport:
            self._transport.write(data)

    def answer(self, answer: Answer) -> None:
        """Write an answer of the gateway's own and go on with the next request."""
        request = self._request
        keep = request is not None and self.keeps(request) and not answer.close
        body = request is None or request.method != b"HEAD"
        self.write(heads.own(answer, keep_alive=keep, body=body))
        self.done(keep=keep)

    def keeps(self, request: Request) -> bool:
        """Tell whether the connection outlives this request."""
        return request.keep_alive and not self._server.draining

    def done(self, *, keep: bool) -> None:
        """The answer is written: begin the next request, or close."""
        self._request = self._work = None
        if not keep:
            self._close()
            return
        now = self._server.clock()
        self._deadline = now + IDLE_SECONDS
        if self._reader.busy:
            self._since = now
            self._wait_for_more(now)
        if self._pending:
            # Not from here: answers that are there at once would nest, each within the other.
            asyncio.get_running_loop().call_soon(self._go_on)

    def abort(self) -> None:
        """Tear the connection: the only way to say that a body is not whole."""
        self._work = self._request = None
        self.torn()

    def torn(self) -> None:
        if self._transport:
            self._transport.abort()

    def expire(self, now: float) -> None:
        """Close what has been silent for too long; called now and then."""
        if now < self._deadline or self._request is not None:
            return
        if self._transport and (self._full or self._closing):
            self._transport.abort()
        elif self._reader.busy:
            self._refuse(refused(answers.TIMEOUT), answers.TIMEOUT)
        elif self._transport:
            self._transport.close()

    def drain(self, deadline: float) -> None:
        """Stop waiting for further requests at `deadline`, for a first one a little later."""
        last = deadline if self._asked else deadline + FIRST_SECONDS
        self._deadline = min(self._deadline, last)

    def _headed(self, request: Request) -> None:
        """A head that needs a word before its body: a refusal, or leave to go on."""
        if self._pending or self._occupied:
            return
        if request.refusal:
            self._refuse(request, request.refusal)
        elif request.expect.lower() == b"100-continue":
            self.write(heads.CONTINUE)
        else:
            self._refuse(request, answers.EXPECTATION)

    def _ready(self, request: Request) -> None:
        if self._closing:
            return
        if not (self._pending or self._occupied):
            self._begin(request)
            return
        self._pending.append(request)
        if len(self._pending) >= PIPELINED:
            self._stop_reading()

    @property
    def _occupied(self) -> bool:
        return self._request is not None or self._full or self._closing

    def _wait_for_more(self, now: float) -> None:
        reader = self._reader
        if reader.begun != self._seen:
            self._seen, self._since = reader.begun, now
        self._deadline = sending.deadline(
            now, self._since, head=reader.in_head, received=reader.received
        )

    def _go_on(self) -> None:
        """Begin what waits, and read on where little does."""
        if self._pending and not self._occupied:
            self._begin(self._pending.popleft())
        if self._transport and len(self._pending) < PIPELINED and not self._full:
            self._transport.resume_reading()
            self._server.newcomers.join(self._transport, self)

    def _stop_reading(self) -> None:
        if self._transport:
            self._server.newcomers.leave(self._transport)
            self._transport.pause_reading()

    def _begin(self, request: Request) -> None:
        self._request, self._asked = request, True
        if request.refusal:
            self._refuse(request, request.refusal)
            return
        work = self._server.serve(self, request)
        if self._serves(request):
            self._work = work

    def _serves(self, request: Request) -> bool:
        return self._request is request

    def _refuse(self, request: Request, answer: Answer) -> None:
        """Say no and close; what still comes is read and dropped, so that the answer arrives."""
        self._server.refused(request, answer)
        self.write(heads.own(answer, keep_alive=False))
        self._request = self._work = None
        self._closing = True
        self._deadline = self._server.clock() + LINGER_SECONDS
        if self._transport and self._transport.can_write_eof():
            self._transport.write_eof()

    def _close(self) -> None:
        self._closing = True
        self._deadline = self._server.clock() + FLUSH_SECONDS
        if self._transport:
            self._transport.close()
