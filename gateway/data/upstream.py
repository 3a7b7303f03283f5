"""A connection to an upstream: it carries one request at a time and is kept for the next."""

import asyncio
from typing import Final, Protocol, cast

import httptools
from typing_extensions import override

from gateway.data.newcomers import Newcomers
from gateway.data.writing import at_once

EVENT_STREAM: Final = b"text/event-stream"
COPIED_BYTES: Final = 64 * 1024
"""A body up to this size is joined to its head rather than written after it."""
OK: Final = 200
"""A plain number, which compares faster than one with a name of its own."""
BODYLESS: Final = frozenset({204, 304})

DROP: Final = ""
_HEADERS: Final = {
    b"content-length": "length",
    b"transfer-encoding": "encoding",
    b"retry-after": "retry_after",
    b"x-modelfleet-region": "region",
    b"x-modelfleet-upstream": "upstream",
    **dict.fromkeys(
        (
            b"connection",
            b"keep-alive",
            b"proxy-authenticate",
            b"proxy-connection",
            b"set-cookie",
            b"trailer",
            b"upgrade",
            b"x-modelfleet-attempts",
        ),
        DROP,
    ),
}
"""Headers that are written anew or end here; those with a name are read."""


class Head:
    """The head of an answer as far as we read it."""

    __slots__ = (
        "encoding",
        "event_stream",
        "length",
        "lines",
        "region",
        "retry_after",
        "status",
        "until_close",
        "upstream",
    )

    def __init__(self) -> None:
        self.status = 0
        self.lines: list[bytes] = []
        self.length = b""
        self.encoding = b""
        self.retry_after = b""
        self.region = b""
        self.upstream = b""
        self.event_stream = False
        self.until_close = False
        """Whether the end of the connection is the end of the body."""


class Reader(Protocol):
    """Whoever waits for the answer: an exchange."""

    def received(self, head: Head, data: bytes, *, complete: bool) -> None:
        """Take what one read brought."""

    def lost(self, *, stale: bool) -> None:
        """The connection ended before the answer did; `stale` when that may be for its age."""


class Home(Protocol):
    """Where a connection goes between two requests."""

    newcomers: Newcomers

    def keep(self, connection: "UpstreamConnection") -> None: ...

    def forget(self, connection: "UpstreamConnection") -> None: ...


class UpstreamConnection(asyncio.Protocol):
    """Tells its reader once per read: a read may hold many chunks, and each write costs."""

    __slots__ = (
        "_complete",
        "_flows",
        "_head",
        "_home",
        "_parser",
        "_parts",
        "_reader",
        "_reusable",
        "_served",
        "_transport",
        "idle_since",
    )

    def __init__(self, home: Home) -> None:
        self._home = home
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._reader: Reader | None = None
        self._head = Head()
        self._parts: list[bytes] = []
        self._complete = False
        self._reusable = False
        self._served = 0
        self._flows = False
        """Whether it brings further parts of a stream that has begun."""
        self.idle_since = 0.0

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = at_once(cast("asyncio.Transport", transport))
        self._watch()

    def send(self, reader: Reader, head: bytes, body: bytes) -> None:
        """Begin a request; small ones go out in one piece."""
        self._reader, self._complete = reader, False
        transport = self._transport
        if transport is None or transport.is_closing():
            asyncio.get_running_loop().call_soon(self._end)
        elif len(body) <= COPIED_BYTES:
            transport.write(head + body)
        else:
            transport.write(head)
            transport.write(body)

    def hand_to(self, reader: Reader) -> None:
        """Tell another one from now on."""
        self._reader = reader

    def abort(self) -> None:
        """Leave: the upstream sees a reset and stops working."""
        self._reader = None
        if self._transport:
            self._home.newcomers.leave(self._transport)
            self._transport.abort()

    def torn(self) -> None:
        self._end()
        self.abort()

    def pause(self) -> None:
        if self._transport:
            self._home.newcomers.leave(self._transport)
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._transport:
            self._transport.resume_reading()
            self._watch()

    def flow(self) -> None:
        """Let newcomers go before what comes from now on."""
        self._flows = True
        if self._transport:
            self._home.newcomers.leave(self._transport)

    def _watch(self) -> None:
        if self._transport and not self._flows:
            self._home.newcomers.join(self._transport, self)

    @override
    def data_received(self, data: bytes) -> None:
        if self._reader is None:
            self.abort()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError:
            raise
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.torn()
            return
        flows = self._flows
        self._tell()
        if flows:
            self._home.newcomers.look()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport:
            self._home.newcomers.leave(self._transport)
        self._transport = None
        self._home.forget(self)
        if exc is None and self._reader and self._head.status and self._head.until_close:
            self._complete, self._reusable = True, False
            self._tell()
        self._end()

    def on_header(self, name: bytes, value: bytes) -> None:
        head = self._head
        if head.status:
            return  # What follows a body's chunks is no header.
        key = name.lower()
        kind = _HEADERS.get(key)
        if kind is None:
            head.lines += (name, b": ", value, b"\r\n")
            if key == b"content-type":
                head.event_stream = value.startswith(EVENT_STREAM)
        elif kind:
            setattr(head, kind, value)

    def on_headers_complete(self) -> None:
        if self._complete:
            self._reusable = False  # A second answer, which nobody asked for.
            return
        status = self._parser.get_status_code()
        head = self._head
        if status < OK:
            self._head = Head()
            return
        head.status = status
        head.until_close = not (head.length or head.encoding or status in BODYLESS)
        self._reusable = self._parser.should_keep_alive() and not head.until_close

    def on_body(self, part: bytes) -> None:
        if not self._complete:
            self._parts.append(part)

    def on_message_complete(self) -> None:
        self._complete = self._head.status != 0

    def _tell(self) -> None:
        parts, reader, complete = self._parts, self._reader, self._complete
        if not parts and not complete:
            return
        head = self._head
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        self._parts = []
        if complete:
            self._rest()
        if reader:
            reader.received(head, data, complete=complete)

    def _rest(self) -> None:
        self._reader, self._head = None, Head()
        if self._flows:
            self._flows = False
            self._watch()
        self._served += 1
        if self._reusable:
            self._home.keep(self)
        elif self._transport:
            self._transport.close()

    def _end(self) -> None:
        reader, self._reader = self._reader, None
        if reader:
            reader.lost(stale=self._served > 0 and self._head.status == 0)
