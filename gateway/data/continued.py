"""A stream that goes on at another endpoint, token for token, when it is cut."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from msgspec import structs
from typing_extensions import override

from gateway.access import AccessLog, Line
from gateway.continuation import CHAT, COMPLETIONS, Tale, asking
from gateway.data import heads
from gateway.data.call import Call, Client, Context
from gateway.data.exchange import Exchange
from gateway.data.reply import Reply
from gateway.data.request import another
from gateway.data.upstream import Head
from gateway.policy.endpoint import Failure
from gateway.sse import Events
from gateway.usage import Usage

MARK = b": modelfleet: continued in %b\n\n"
"""A comment, which clients pass over."""


class Told(Reply):
    """An answer whose tokens are noted on their way, and not passed on."""

    __slots__ = ("tale",)

    def __init__(self, tale: Tale, *, old: bool) -> None:
        super().__init__(old=old)
        self.tale = tale

    @property
    @override
    def usage(self) -> Usage:
        return self.tale.usage

    @property
    @override
    def broken(self) -> bool:
        return (self.complete and self.tale.interrupted) or super().broken

    @override
    def _whole(self, data: bytes) -> bytes:
        whole = super()._whole(data)
        return self.tale.heard(whole) if self.streams else whole


class Continued(Exchange):
    __slots__ = ("_asked_for", "_chat", "_leg", "_tale", "_times")

    def __init__(
        self, context: Context, client: Client, call: Call, asked: Mapping[str, Any]
    ) -> None:
        self._asked_for, self._chat = asked, call.request.target == CHAT
        self._tale = Tale(asked, chat=self._chat)
        self._times = 0
        """How often it went on."""
        self._leg: Events | None = None
        """Of the stream that goes on: whole events of what another endpoint says."""
        call.request = another(call.request, call.request.target, asking(call.request.body))
        call.span = None
        super().__init__(context, client, call)

    @override
    def received(self, head: Head, data: bytes, *, complete: bool) -> None:
        if self._leg is None:
            super().received(head, data, complete=complete)
            return
        if complete:
            self._connection = None
        if head.status == HTTPStatus.OK and head.event_stream:
            self._note_pause(self._context.clock())
            if told := self._tale.followed(self._leg.feed(data)):
                self._client.write(heads.chunk(told))
        if complete:
            self._leg_ended(head)

    @override
    def lost(self, *, stale: bool) -> None:
        if stale and self._leg and self._origin:
            self._connection = None
            self._dial = self._context.pool.dial(self._origin, self)
        else:
            super().lost(stale=stale)

    @override
    def _fresh(self) -> Reply:
        """Begin to note anew, unless something of the last try is out."""
        if self._leg is not None:
            return self._reply
        self._tale = Tale(self._asked_for, chat=self._chat)
        return Told(self._tale, old=self._call.request.old)

    @override
    def _cut(self) -> None:
        self._note(Failure.CUT, 0.0)
        if not self._reply.framed or not self._resumed():
            self._break_off()

    @override
    def _give_up(self) -> None:
        if self._reply.started:
            self._break_off()
        else:
            super()._give_up()

    @override
    def _line(self, log: AccessLog, outcome: str, now: float) -> Line:
        return structs.replace(super()._line(log, outcome, now), continued=self._times)

    def _resumed(self) -> bool:
        """End a stream that lacks nothing but its end, or ask another endpoint to go on."""
        tale = self._tale
        if tale.ending:
            self._client.write(heads.chunk(tale.ending))
            self._end_well()
            return True
        if not tale.resumable:
            return False
        self._leg = Events()
        asked = self._call.request
        self._call.request = another(asked, COMPLETIONS, tale.again())
        self._heard = self._context.clock()
        if not self._try():
            return False
        self._marked()
        return True

    def _marked(self) -> None:
        """Count it, and say where the stream goes on."""
        self._times += 1
        region = self._attempts.tried[-1].endpoint.region
        self._context.metrics.went_on(self._call.label, region)
        self._client.write(heads.chunk(MARK % region.encode()))

    def _leg_ended(self, head: Head) -> None:
        if self._tale.done:
            self._attempts.answered(self._context.clock())
            self._end_well()
        elif head.status == HTTPStatus.OK:
            self._cut()
        else:
            self._failed(Failure.BUSY)

    def _end_well(self) -> None:
        self._client.write(heads.LAST_CHUNK)
        self._finish(str(int(HTTPStatus.OK)))
        self._freed()
        self._client.done(keep=self._keep)
