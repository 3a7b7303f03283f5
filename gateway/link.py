"""What the control process tells the workers, and how it is framed on their socket."""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Struct

from gateway.snapshot import Snapshot

HEADER: Final = 4
"""Bytes of a frame's length, big-endian."""


class Table(Struct, frozen=True, tag="table"):
    """Route by this from now on."""

    snapshot: Snapshot


class Health(Struct, frozen=True, tag="health"):
    """What a round of probes found."""

    started: float
    """Monotonic time, which processes of one machine share."""
    up: dict[str, bool]
    """By the endpoint's name."""


Message = Table | Health
_decode = msgspec.msgpack.Decoder(Message).decode
_encode = msgspec.msgpack.Encoder().encode


def framed(message: Message) -> bytes:
    body = _encode(message)
    return len(body).to_bytes(HEADER, "big") + body


class Frames:
    """Cuts a stream of bytes into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        buffer = self._buffer
        buffer += data
        while len(buffer) >= HEADER:
            end = HEADER + int.from_bytes(buffer[:HEADER], "big")
            if len(buffer) < end:
                return
            body = bytes(buffer[HEADER:end])
            del buffer[:end]
            yield _decode(body)
