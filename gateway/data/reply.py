"""An answer on its way: held while it may still be asked again, then framed for its client."""

from typing import Final

from gateway.data import heads
from gateway.data.heads import STATUS_LINES
from gateway.data.upstream import Head
from gateway.policy.answers import INTERRUPTED, INTERRUPTED_BY_NAME, RETRYABLE
from gateway.sse import Events, bare
from gateway.usage import NOTHING, Usage, of_answer

NO_HEAD = Head()
"""Before one has come."""
HELD_BYTES = 1024 * 1024
"""An answer up to this size is held until it is whole, so that a cut one can be asked again."""


class Reply:
    """Bytes in, bytes out; a stream is held until its first event with content is whole."""

    __slots__ = (
        "_bare",
        "_body",
        "_chunked",
        "_events",
        "_held",
        "_old",
        "_size",
        "_usage",
        "complete",
        "framed",
        "head",
        "started",
        "streams",
    )

    def __init__(self, *, old: bool) -> None:
        self.head = NO_HEAD
        self.started = False
        """Whether something of it has gone to the client: then nobody else can be asked."""
        self.complete = False
        self.streams = False
        """Whether events come one after another."""
        self.framed = True
        """Whether its client can tell where it ends without the connection's end."""
        self._old = old
        self._held: list[bytes] = []
        self._size = 0
        self._body = b""
        """Of a whole answer, until somebody asks what it took."""
        self._usage = NOTHING
        self._events: Events | None = None
        self._chunked = False
        self._bare = True
        """Whether a stream has had nothing to show so far."""

    @property
    def refusal(self) -> bool:
        """Whether this is an upstream's word that another one should be asked."""
        return self.complete and self.head.status in RETRYABLE

    def take(self, head: Head, data: bytes, *, complete: bool) -> bool:
        """Hold what came; tells whether it may be passed on."""
        if head.event_stream and self._events is None:
            self._events, self.streams = Events(), True
        self.head, self.complete = head, complete
        if self.streams:
            data = self._whole(data)
        if data:
            self._held.append(data)
            self._size += len(data)
        self.framed = complete or not self._old or bool(head.length)
        if complete or self._size > HELD_BYTES:
            return True
        return self.streams and head.status not in RETRYABLE and self._shows(data)

    def _shows(self, data: bytes) -> bool:
        """Tell whether something to show has come: until then another try is possible."""
        self._bare = self._bare and (not data or bare(data))
        return not self._bare

    def begin(self, lines: bytes) -> bytes:
        """Give the head, with `lines` among its own, and what was held."""
        self.started = True
        body = self._held[0] if len(self._held) == 1 else b"".join(self._held)
        self._held = []
        head = self.head
        if self.complete:
            self._body = body
            framing = b"content-length: %d\r\n" % len(body)
        elif head.length:
            framing = b"content-length: %b\r\n" % head.length
        elif not self.framed:
            framing = b""
        else:
            self._chunked, framing, body = (
                True,
                b"transfer-encoding: chunked\r\n",
                heads.chunk(body),
            )
        return b"".join(
            (
                STATUS_LINES.get(head.status) or heads.status_line(head.status),
                *head.lines,
                lines,
                framing,
                b"\r\n",
                body,
            )
        )

    @property
    def usage(self) -> Usage:
        """How many tokens it says that it took."""
        if self._body:
            self._usage, self._body = of_answer(self._body), b""
        return self._events.usage if self._events else self._usage

    def go_on(self, data: bytes, *, complete: bool) -> bytes:
        """Give what follows."""
        self.complete = complete
        data = self._whole(data)
        if not self._chunked:
            return data
        out = heads.chunk(data) if data else b""
        return out + heads.LAST_CHUNK if complete and not self.broken else out

    def cut(self) -> bytes | None:
        """End what cannot go on; None where only a torn connection can say so."""
        if not self._chunked or self._events is None:
            return None
        if self._events.done:
            return heads.LAST_CHUNK
        event = INTERRUPTED_BY_NAME if self._events.named else INTERRUPTED
        return heads.chunk(event) + heads.LAST_CHUNK

    @property
    def broken(self) -> bool:
        """Whether the end of what came is not the end of a whole stream."""
        events = self._events
        return events is not None and self.complete and self.head.until_close and not events.done

    def _whole(self, data: bytes) -> bytes:
        events = self._events
        if events is None:
            return data
        data = events.feed(data)
        rest = events.rest() if self.complete else b""
        return data if self.broken else data + rest


NO_REPLY: Final = Reply(old=False)
"""Before anybody was asked."""
