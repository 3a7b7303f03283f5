"""Server-sent events as bytes: where one ends, so that a cut stream ends between two."""

from typing import Any

import msgspec

from gateway.usage import Usage, near_end

ENDS = (
    b"data:[DONE]",
    b"event:message_stop",
    b"event:response.completed",
    b"event:response.failed",
    b"event:response.incomplete",
)
"""Last events of OpenAI's chat and completions, Anthropic's messages and OpenAI's responses; the
space after a colon is left to the writer."""
OPENINGS = (
    b"message_start",
    b"content_block_start",
    b"ping",
    b"response.created",
    b"response.queued",
    b"response.in_progress",
    b"response.output_item.added",
    b"response.content_part.added",
)
"""Events of messages and responses that come before any content."""
SAID = b'"content":"'
"""How most engines' chunks say something: those need not be read to tell."""
HELD_BYTES = 256 * 1024
"""An event longer than this is passed on in pieces."""


class Events:
    """Gives out whole events as they come, and keeps the beginning of the next."""

    __slots__ = ("_last", "_tail", "count")

    def __init__(self) -> None:
        self.count = 0
        """Events that were given out."""
        self._tail = b""
        self._last = b""

    def feed(self, data: bytes) -> bytes:
        if self._tail:
            data, self._tail = self._tail + data, b""
        if not data.endswith(b"\n\n"):
            data = self._cut(data)
        if data:
            self._last = data
            self.count += data.count(b"\n\n")
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
    def usage(self) -> Usage:
        """How many tokens it took: as it says itself near its end, or an event each.

        Who speaks and that it ends are no tokens.
        """
        usage = near_end(self._last)
        return usage if usage.answer else Usage(usage.prompt, max(0, self.count - 2))

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


class _Choice(msgspec.Struct):
    delta: dict[str, Any] | None = None
    finish_reason: Any = None


class _Chunk(msgspec.Struct):
    object: str
    choices: list[_Choice]


_chunk = msgspec.json.Decoder(_Chunk).decode


def bare(events: bytes) -> bool:
    """Tell whether whole events hold nothing that a reader would show."""
    _, said, text = events.partition(SAID)
    if said and not text.startswith(b'"') and b"event:" not in events:
        return False
    return all(map(_bare, events.replace(b"\r\n", b"\n").split(b"\n\n")))


def _bare(event: bytes) -> bool:
    lines = [line for line in event.split(b"\n") if line and not line.startswith(b":")]
    if not lines:
        return True
    if lines[0].startswith(b"event:"):
        return lines[0][6:].strip() in OPENINGS
    return len(lines) == 1 and lines[0].startswith(b"data:") and _opens(lines[0][5:])


def _opens(data: bytes) -> bool:
    """Tell whether a chunk of a chat says only who speaks."""
    try:
        chunk = _chunk(data)
    except (ValueError, RecursionError):
        return False
    return chunk.object == "chat.completion.chunk" and all(map(_speechless, chunk.choices))


def _speechless(choice: _Choice) -> bool:
    if choice.delta is None or choice.finish_reason is not None:
        return False
    return not any(value for key, value in choice.delta.items() if key != "role")
