"""A second try beside a slow first one: whichever is first with an answer goes on."""

import asyncio
from typing import TYPE_CHECKING

from typing_extensions import override

from gateway.data.call import Call, Client, Context
from gateway.data.exchange import Exchange
from gateway.data.upstream import Head, UpstreamConnection
from gateway.policy.endpoint import EndpointState, Failure
from gateway.policy.learning import FACTOR
from gateway.policy.timing import retry_after

if TYPE_CHECKING:
    from gateway.data.pool import Dial, Origin


class Rival:
    """The second try."""

    __slots__ = (
        "_call",
        "_context",
        "_first",
        "asked",
        "connection",
        "dial",
        "origin",
        "reply",
        "state",
    )

    def __init__(self, context: Context, call: Call, first: "Hedged", state: EndpointState) -> None:
        self._context, self._call, self._first = context, call, first
        self.state = state
        self.asked = context.clock()
        self.reply = call.reply(old=call.request.old)
        self.origin: Origin = context.pool.origin(state.endpoint)
        self.connection: UpstreamConnection | None = None
        self.dial: Dial | None = None

    def start(self) -> None:
        if connection := self.origin.take():
            self.connected(connection)
        else:
            self.dial = self._context.pool.dial(self.origin, self)

    def connected(self, connection: UpstreamConnection) -> None:
        self.dial, self.connection = None, connection
        connection.send(self, *self._context.message(self._call, self.origin, self.state))

    def refused(self, failure: Failure) -> None:
        self.dial = None
        self._first.outlived(failure, 0.0)

    def received(self, head: Head, data: bytes, *, complete: bool) -> None:
        if complete:
            self.connection = None
        if not self.reply.take(head, data, complete=complete):
            return
        if self.reply.broken:
            self._first.outlived(Failure.RESET, 0.0)
        elif self.reply.refusal:
            self._first.outlived(Failure.BUSY, retry_after(head.retry_after))
        else:
            self._first.overtaken(complete=complete)

    def lost(self, *, stale: bool) -> None:
        self.connection = None
        if stale:
            self.dial = self._context.pool.dial(self.origin, self)
        else:
            self._first.outlived(Failure.RESET, 0.0)

    def hang_up(self) -> None:
        if self.connection:
            self.connection.abort()
        if self.dial:
            self.dial.cancel()


class Hedged(Exchange):
    """Asks a second endpoint when the first keeps it waiting for unusually long; once."""

    __slots__ = ("_hedge", "_rival", "_timer")

    def __init__(self, context: Context, client: Client, call: Call, hedge: float) -> None:
        super().__init__(context, client, call)
        self._hedge = hedge
        self._timer: asyncio.TimerHandle | None = None
        self._rival: Rival | None = None

    def overtaken(self, *, complete: bool) -> None:
        """Answer by what the second try has, and give up the first."""
        if rival := self._taken():
            self._hang_up()
            self._take_over(rival)
            self._begin()
        if complete:
            self._complete()

    def outlived(self, failure: Failure, seconds: float) -> None:
        """Note that the second try failed; the first goes on."""
        if rival := self._taken():
            context, state = self._context, rival.state
            self._attempts.second_failed(state, failure, context.clock(), seconds)
            context.metrics.failed(self._call.label, state.endpoint.region, failure)
            self._freed()

    @override
    def _try(self) -> bool:
        tried = super()._try()
        if tried and self._timer is None:
            seconds = self._hedge or self._patience.first.limit / FACTOR
            self._timer = asyncio.get_running_loop().call_later(seconds, self._due)
        return tried

    @override
    def _go_on(self) -> bool:
        rival = self._taken()
        if rival is None:
            return super()._go_on()
        self._take_over(rival)
        if rival.dial:
            rival.dial.cancel()
            self._dial = self._context.pool.dial(rival.origin, self)
        return True

    @override
    def _begin(self) -> None:
        self._drop()
        super()._begin()

    @override
    def _finish(self, outcome: str) -> None:
        self._drop()
        super()._finish(outcome)

    def _due(self) -> None:
        context, attempts = self._context, self._attempts
        now = context.clock()
        candidates = context.candidates(self._call, attempts.tried, now)
        if not self._reply.started and (state := attempts.second(candidates, now)):
            self._rival = Rival(context, self._call, self, state)
            self._rival.start()

    def _taken(self) -> Rival | None:
        """Give the second try away, if there is one, and begin no other."""
        if self._timer:
            self._timer.cancel()
        rival, self._rival = self._rival, None
        return rival

    def _drop(self) -> None:
        if rival := self._taken():
            rival.hang_up()
            self._attempts.give_back(rival.state)
            self._freed()

    def _take_over(self, rival: Rival) -> None:
        self._attempts.give(rival.state)
        self._freed()
        self._reply, self._origin, self._asked = rival.reply, rival.origin, rival.asked
        self.deadline = self._asked + self._patience.first.limit
        if rival.connection:
            self._connection = rival.connection
            rival.connection.hand_to(self)
