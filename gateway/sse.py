"""Server-sent events as bytes: where one ends, so that a cut stream ends between two."""

ENDS = (
    b"data:[DONE]",
    b"event:message_stop",
    b"event:response.completed",
    b"event:response.failed",
    b"event:response.incomplete",
)
"""Last events of OpenAI's chat and completions, Anthropic's messages and OpenAI's responses; the
space after a colon is left to the writer."""
HELD_BYTES = 256 * 1024
"""An event longer than this is passed on in pieces."""


class Events:
    """Gives out whole events as they come, and keeps the beginning of the next."""

    __slots__ = ("_last", "_tail")

    def __init__(self) -> None:
        self._tail = b""
        self._last = b""

    def feed(self, data: bytes) -> bytes:
        if self._tail:
            data, self._tail = self._tail + data, b""
        if not data.endswith(b"\n\n"):
            data = self._cut(data)
        if data:
            self._last = data
        return data

    def rest(self) -> bytes:
        """Give out what is left of a stream that ended as it should."""
        data, self._tail = self._tail, b""
        self._last = data or self._last
        return data

    @property
    def done(self) -> bool:
        """Whether the last event said that the stream ends."""
        return self._final.replace(b": ", b":", 1).startswith(ENDS)

    @property
    def named(self) -> bool:
        """Whether events have names here, as the last one has."""
        return self._final.startswith(b"event:")

    @property
    def _final(self) -> bytes:
        events = self._last.rstrip().replace(b"\r\n", b"\n").rpartition(b"\n\n")
        return events[2].lstrip()

    def _cut(self, data: bytes) -> bytes:
        end = max(_end(data, separator) for separator in (b"\n\n", b"\r\n\r\n", b"\r\r"))
        if len(data) - end > HELD_BYTES:
            return data
        self._tail = data[end:]
        return data[:end]


def _end(data: bytes, separator: bytes) -> int:
    """Give where the last event ends that this blank line closes."""
    at = data.rfind(separator)
    return at + len(separator) if at >= 0 else 0
