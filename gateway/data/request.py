"""A client's bytes become requests."""

from collections.abc import Callable
from typing import Final

import httptools

from gateway.policy import answers
from gateway.policy.answers import Answer

HEAD_BYTES = 64 * 1024
"""Of a request line and its headers together, beyond what the first read brings."""

VERSIONS: Final = ("1.0", "1.1")
DROP: Final = ""
_HEADERS: Final = {
    b"authorization": "authorization",
    b"expect": "expect",
    b"content-length": "length",
    b"transfer-encoding": "encoding",
    b"x-api-key": "api_key",
    b"x-modelfleet-adapter": "adapter",
    b"x-modelfleet-affinity": "affinity",
    b"x-modelfleet-service": "service",
    **dict.fromkeys(
        (
            # Of one hop only, or written anew for the next one.
            b"connection",
            b"host",
            b"keep-alive",
            b"proxy-connection",
            b"te",
            b"trailer",
            b"upgrade",
            # What a client shows to us, an upstream does not see.
            b"api-key",
            b"cookie",
            b"proxy-authorization",
            # An answer is looked at on its way: it must not be compressed.
            b"accept-encoding",
            # Ours to say.
            b"x-modelfleet-attempts",
            b"x-modelfleet-region",
            b"x-modelfleet-upstream",
        ),
        DROP,
    ),
}
"""Headers that are not passed on; those with a name are read."""
_KNOWN: Final = _HEADERS | {name.title(): kind for name, kind in _HEADERS.items()}
"""As most clients write them: found without a copy in lower case."""


class Request:
    """One request as far as we read it. `refusal` is the answer when it is not to be served."""

    __slots__ = (
        "adapter",
        "affinity",
        "api_key",
        "authorization",
        "body",
        "encoding",
        "expect",
        "keep_alive",
        "length",
        "lines",
        "method",
        "old",
        "refusal",
        "service",
        "target",
    )

    def __init__(self) -> None:
        self.method = b""
        self.target = b""
        self.lines: list[bytes] = []
        """Headers to pass on, in pieces."""
        self.authorization = b""
        self.api_key = b""
        """How Anthropic's clients show theirs."""
        self.service = b""
        self.affinity = b""
        self.adapter = b""
        self.length = b""
        self.encoding = b""
        self.expect = b""
        self.body = b""
        self.keep_alive = True
        self.old = False
        """HTTP/1.0, which knows no chunks."""
        self.refusal: Answer | None = None

    @property
    def path(self) -> bytes:
        return self.target.partition(b"?")[0]

    def header(self, name: bytes) -> bytes:
        """Find one of those that are passed on; few requests need to know any."""
        lines = self.lines
        for at in range(0, len(lines), 4):
            if lines[at].lower() == name:
                return lines[at + 2]
        return b""


def another(request: Request, target: bytes, body: bytes) -> Request:
    """Give the same request with another target and body."""
    made = Request()
    made.method, made.target, made.body = request.method, target, body
    made.lines, made.keep_alive, made.old = request.lines, request.keep_alive, request.old
    return made


def refused(answer: Answer) -> Request:
    """Stand for what could not be read."""
    request = Request()
    request.refusal = answer
    return request


class MalformedError(Exception):
    """What came is not HTTP, or more of it than is taken; carries the answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.code)
        self.answer = answer


class RequestReader:
    """Checks each head before its body is kept, and gives out whole requests."""

    def __init__(
        self,
        *,
        admit: Callable[[Request], Answer | None],
        headed: Callable[[Request], None],
        ready: Callable[[Request], None],
        body_bytes: int,
    ) -> None:
        self._admit = admit
        self._headed = headed
        self._ready = ready
        self._limit = body_bytes
        self._parser = httptools.HttpRequestParser(self)
        self._request: Request | None = None
        self._in_head = False
        self._head_bytes = 0
        self.begun = 0
        """Requests so far."""
        self.received = 0
        """Bytes of the last one's body."""
        self._parts: list[bytes] = []

    @property
    def busy(self) -> bool:
        """Whether a request has begun and is not whole yet."""
        return self._request is not None

    @property
    def in_head(self) -> bool:
        """Whether it is the head that is not whole yet."""
        return self._in_head

    def feed(self, data: bytes) -> None:
        head = self._request if self._in_head else None
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError:
            raise
        except (httptools.HttpParserUpgrade, httptools.HttpParserError) as error:
            raise MalformedError(answers.MALFORMED) from error
        if self._in_head and self._request is head:
            # What came before it in its first read is not known, and not counted.
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                raise MalformedError(answers.HEAD_TOO_LARGE)

    def on_url(self, url: bytes) -> None:
        if self._request is None:
            self._request, self._in_head, self._head_bytes = Request(), True, 0
            self.begun, self.received = self.begun + 1, 0
        self._request.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        request = self._request
        assert request is not None
        if not self._in_head:
            return  # What follows a body's chunks is no header.
        kind = _KNOWN.get(name)
        if kind is None:
            kind = _HEADERS.get(name.lower())
        if kind is None:
            request.lines += (name, b": ", value, b"\r\n")
        elif kind:
            setattr(request, kind, value)

    def on_headers_complete(self) -> None:
        request, parser = self._request, self._parser
        assert request is not None
        self._in_head = False
        request.method = parser.get_method()
        request.keep_alive = parser.should_keep_alive()
        version = parser.get_http_version()
        request.old = version == "1.0"
        strange = parser.should_upgrade() or version not in VERSIONS
        if strange or (request.encoding and _ambiguous(request)):
            request.refusal = answers.MALFORMED
        elif request.length and int(request.length) > self._limit:
            request.refusal = answers.TOO_LARGE
        else:
            request.refusal = self._admit(request)
        if request.refusal or request.expect:
            self._headed(request)

    def on_body(self, part: bytes) -> None:
        request = self._request
        assert request is not None
        if request.refusal:
            return
        self.received += len(part)
        if self.received > self._limit:
            request.refusal, self._parts = answers.TOO_LARGE, []
            self._headed(request)
            return
        self._parts.append(part)

    def on_message_complete(self) -> None:
        request, parts = self._request, self._parts
        assert request is not None
        request.body = parts[0] if len(parts) == 1 else b"".join(parts)
        self._request, self._parts = None, []
        self._ready(request)


def _ambiguous(request: Request) -> bool:
    """Tell whether others on the way may have found another end of the body than we do."""
    return request.old or request.encoding.lower() != b"chunked"
