"""One request with its answer: tried on one endpoint after another until the first byte is out."""

from http import HTTPStatus
from typing import TYPE_CHECKING

from gateway.access import AccessLog, Line
from gateway.data.account import line
from gateway.data.call import Call, Client, Context
from gateway.data.reply import NO_REPLY, Reply
from gateway.data.upstream import Head, UpstreamConnection
from gateway.generation import Generation
from gateway.policy import answers
from gateway.policy.answers import Answer
from gateway.policy.attempts import Attempts
from gateway.policy.endpoint import EndpointState, Failure
from gateway.policy.learning import PAUSE_FLOOR
from gateway.policy.line import priority
from gateway.policy.pick import wait
from gateway.policy.timing import retry_after

if TYPE_CHECKING:
    from gateway.data.pool import Dial, Origin

PRIORITY = b"x-modelfleet-priority"
BAD_REQUEST, INTERNAL_ERROR = int(HTTPStatus.BAD_REQUEST), int(HTTPStatus.INTERNAL_SERVER_ERROR)
"""Plain numbers, which compare faster."""


class Exchange:
    """Holds what came until it may be passed on; from then on there is no other try."""

    __slots__ = (
        "_asked",
        "_attempts",
        "_began",
        "_call",
        "_client",
        "_connection",
        "_context",
        "_dial",
        "_heard",
        "_last",
        "_longest",
        "_origin",
        "_patience",
        "_pause",
        "_paused",
        "_reply",
        "_started",
        "_waits_since",
        "deadline",
    )

    def __init__(self, context: Context, client: Client, call: Call) -> None:
        self._context = context
        self._client = client
        self._call = call
        self._reply = NO_REPLY
        self._connection: UpstreamConnection | None = None
        self._dial: Dial | None = None
        self._origin: Origin | None = None
        self._last = Failure.REFUSED
        self._paused = False
        """The client reads too slowly."""
        size = len(call.asked.body)
        kind, most = call.wanted
        self._patience = context.learning.of(call.label, size, kind, context.limits)
        tokens = self._patience.expected.of(size, most)
        self._attempts = Attempts(call.rules or context.rules, tokens)
        self._started = context.clock()
        self._asked = self._heard = self._began = self._started
        """When the endpoint was asked, when it was heard last, and when the answer began."""
        self._longest = 0.0
        """Pause so far within a stream."""
        self._pause = context.limits.stall_seconds
        """The one that may pass."""
        self._waits_since: float | None = None
        """When it came into the line where it waits now."""
        self.deadline = 0.0

    def _fresh(self) -> Reply:
        return self._call.reply(old=self._call.request.old)

    def start(self) -> None:
        self._context.active.add(self)
        if not self._try():
            self._give_up()

    # What the client does.

    def cancel(self) -> None:
        """Leave the upstream at once: nobody waits for its answer."""
        self._hang_up()
        self._attempts.cancelled()
        self._finish("499")
        self._freed()

    def pause(self) -> None:
        self._paused = True
        self.deadline = self._context.clock() + self._context.limits.stall_seconds
        if self._connection:
            self._connection.pause()

    def resume(self) -> None:
        self._paused = False
        self._heard = self._context.clock()
        self.deadline = self._heard + self._pause
        if self._connection:
            self._connection.resume()

    # What the upstream does.

    def connected(self, connection: UpstreamConnection) -> None:
        self._dial = None
        self._send(connection)

    def refused(self, failure: Failure) -> None:
        self._dial = None
        self._failed(failure)

    def received(self, head: Head, data: bytes, *, complete: bool) -> None:
        reply = self._reply
        if complete:
            self._connection = None
        if reply.started:
            self._note_pause(self._context.clock())
            self._client.write(reply.go_on(data, complete=complete))
        elif not reply.take(head, data, complete=complete):
            self._hold()
            return
        elif reply.streams and reply.broken:
            self._failed(Failure.RESET)
            return
        elif reply.refusal and self._turned_away():
            return
        else:
            self._begin()
        if complete:
            self._complete()

    def lost(self, *, stale: bool) -> None:
        self._connection = None
        if self._reply.started:
            self._cut()
        elif stale and self._origin:
            self._dial = self._context.pool.dial(self._origin, self)
        else:
            self._failed(Failure.RESET)

    # What time does.

    def expire(self, now: float) -> None:
        """Give up a try that takes too long, where that leads anywhere."""
        if now < self.deadline:
            return
        limits = self._context.limits
        if self._waits_since is not None:
            self._turn_down(answers.waited(now - self._waits_since))
        elif self._paused:
            self.cancel()
            self._client.abort()
        elif self._reply.started:
            self._stalled(now)
        elif self._another(now) and self._quicker(now):
            self._patience.first.cut()
            self._leave()
        elif now > self._started + limits.total_seconds:
            self._leave()
        else:
            self._wait_on(now)

    def _stalled(self, now: float) -> None:
        """End a stream that stands still, where its reader would fare better elsewhere."""
        if self._quicker(now) or now > self._heard + self._context.limits.stall_seconds:
            self._patience.pause.cut()
            self._hang_up()
            self._cut()
        else:
            self._wait_on(now)

    def _wait_on(self, now: float) -> None:
        self._attempts.overdue()
        self.deadline = now + self._context.limits.recheck_seconds

    def _leave(self) -> None:
        self._hang_up()
        self._failed(Failure.SLOW)

    def endpoint_lost(self, state: EndpointState) -> None:
        """Go elsewhere when a probe finds the endpoint gone and it has not answered yet."""
        waits = self._attempts.current is state and not self._reply.started
        if waits and self._another(self._context.clock()):
            self._hang_up()
            self._failed(Failure.RESET)

    # Trying.

    def _try(self) -> bool:
        """Ask the next endpoint; tells whether there is one."""
        context, call = self._context, self._call
        now = context.clock()
        state = self._attempts.next(context.candidates(call, self._attempts.tried, now), now)
        if state is None:
            return False
        self._asked = now
        self._origin = origin = context.pool.origin(state.endpoint)
        connection = origin.take()
        if connection:
            self._send(connection)
        else:
            self._dial = context.pool.dial(origin, self)
        # The endpoint is at work already.
        self._reply = self._fresh()
        self.deadline = now + self._patience.first.limit
        return True

    def _send(self, connection: UpstreamConnection) -> None:
        state, origin = self._attempts.current, self._origin
        assert state is not None
        assert origin is not None
        self._connection = connection
        connection.send(self, *self._context.message(self._call, origin, state))

    def _failed(self, failure: Failure, seconds: float = 0.0) -> None:
        self._note(failure, seconds)
        if not self._go_on():
            self._give_up()

    def _turned_away(self) -> bool:
        """Note that the endpoint refused; tells whether another one is asked."""
        self._note(Failure.BUSY, retry_after(self._reply.head.retry_after))
        return self._go_on()

    def _go_on(self) -> bool:
        """Ask the next endpoint after one that failed."""
        return self._try()

    def _note(self, failure: Failure, seconds: float) -> None:
        state, context = self._attempts.current, self._context
        assert state is not None
        self._last = failure
        context.metrics.failed(self._call.label, state.endpoint.region, failure)
        self._attempts.failed(failure, context.clock(), seconds)
        self._freed()

    def _another(self, now: float) -> bool:
        return self._attempts.another(self._context.states(self._call), now)

    def _quicker(self, now: float) -> bool:
        return self._attempts.quicker(self._context.states(self._call), now)

    # Waiting for a place.

    def admitted(self) -> bool:
        if not self._try():
            return False
        self._waits_since = None
        return True

    def crowded_out(self) -> None:
        now = self._context.clock()
        waited = now - (self._waits_since or now)
        self._waits_since = None
        self._turn_down(answers.crowded(waited))

    def _wait_in_line(self, now: float) -> None:
        context, call = self._context, self._call
        queue = context.queue(call.service)
        if self._waits_since is None:
            self._waits_since, self.deadline = now, now + queue.seconds
        wanted = priority(call.request.header(PRIORITY))
        context.lines.join(call.service, self, wanted, queue.length)

    def _freed(self) -> None:
        """Let somebody else have the place that was ours."""
        if self._context.lines.by_service:
            self._context.lines.advance(self._call.service)

    def _turn_down(self, answer: Answer) -> None:
        self._finish(str(answer.status))
        self._client.answer(answer)

    def _give_up(self) -> None:
        context, service = self._context, self._call.service
        now = context.clock()
        if self._call.rules is None and self._attempts.crowded(context.states(self._call), now):
            self._wait_in_line(now)
            return
        seconds = wait(context.states(self._call), now)
        tries = len(self._attempts.tried)
        if tries:
            answer = answers.gave_up(self._last, tries, seconds)
        else:
            answer = answers.none_ready(service, seconds)
        self._turn_down(answer)

    # Answering.

    def _begin(self) -> None:
        context, reply = self._context, self._reply
        self._heard = self._began = now = context.clock()
        if reply.streams:
            self._pause = self._patience.pause.limit
        self.deadline = now + self._pause
        marks = context.marks(reply.head, self._attempts.tried, keep=self._keep)
        self._client.write(reply.begin(marks))
        if reply.streams and self._connection:
            self._connection.flow()
        # The client reads while we learn from it.
        self._note_beginning(now)

    def _note_beginning(self, now: float) -> None:
        region = self._attempts.tried[-1].endpoint.region
        self._context.metrics.began(self._call.label, region, now - self._started)
        if self._reply.head.status < BAD_REQUEST:
            first, took = self._patience.first, now - self._asked
            self._attempts.began(now, in_time=took <= first.limit)
            first.took(took)

    def _complete(self) -> None:
        reply = self._reply
        if reply.streams and reply.broken:
            self._cut()
            return
        status = reply.head.status
        if status == INTERNAL_ERROR:
            self._note(Failure.ERROR, 0.0)
        elif self._longest and reply.streams:
            self._patience.pause.took(self._longest)
        self._attempts.answered(self._context.clock())
        self._finish(str(status))
        self._freed()
        self._client.done(keep=self._keep)

    def _cut(self) -> None:
        """End an answer whose writer is gone, in a way that its reader can tell."""
        self._note(Failure.CUT, 0.0)
        self._break_off()

    def _break_off(self) -> None:
        end = self._reply.cut()
        self._finish("cut")
        if end is None:
            self._client.abort()
        else:
            self._client.write(end)
            self._client.done(keep=self._keep)

    def _note_pause(self, now: float) -> None:
        if (pause := now - self._heard) > self._longest:
            self._longest = pause
        self._heard = now
        self.deadline = now + self._pause

    def _hold(self) -> None:
        """Wait on for an answer that is whole only when it ends; a stream has yet to begin."""
        if not self._reply.streams:
            pause = min(self._context.limits.stall_seconds, PAUSE_FLOOR)
            self.deadline = max(self.deadline, self._context.clock() + pause)

    def _line(self, log: AccessLog, outcome: str, now: float) -> Line:
        first = self._began - self._started if self._reply.started else 0.0
        spent = now - self._started, first
        return line(log.now(), self._call, self._reply, self._attempts.tried, outcome, spent)

    def _measure(self, generation: Generation, now: float) -> None:
        reply, usage = self._reply, self._reply.usage
        prompt, answer = usage.prompt, usage.answer
        generation.used(prompt, answer)
        if reply.complete:
            self._patience.expected.took(len(self._call.asked.body), prompt, answer)
        if reply.streams:
            generation.streamed(self._began - self._started, now - self._began, answer)

    @property
    def _keep(self) -> bool:
        return self._reply.framed and self._client.keeps(self._call.request)

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            connection.abort()
        dial, self._dial = self._dial, None
        if dial:
            dial.cancel()

    def _finish(self, outcome: str) -> None:
        context, tried = self._context, self._attempts.tried
        context.active.discard(self)
        if self._waits_since is not None:
            context.lines.leave(self._call.service, self)
        region = tried[-1].endpoint.region if tried else ""
        now, label = context.clock(), self._call.label
        counted = context.metrics.answered(label, region, outcome, len(tried), now - self._started)
        if self._reply.started:
            self._measure(counted, now)
        if context.access and self._call.rules is None:
            context.access.add(self._line(context.access, outcome, now))
