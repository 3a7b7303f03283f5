"""What the control process and its workers tell each other, and how it is framed on a socket."""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Final, Generic, TypeVar

import msgspec
from msgspec import Struct

from gateway.load import Load
from gateway.metrics import Report
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
    loads: dict[str, Load] = {}
    """What endpoints said of their work, by name."""


class Count(Struct, frozen=True, tag="count"):
    """Say what you have counted."""

    round: int


class Page(Struct, frozen=True, tag="page"):
    """What all workers have counted, as it was asked for."""

    number: int
    body: bytes


Message = Table | Health | Count | Page
"""From the control process to a worker."""


class Topic(StrEnum):
    """Pages that tell of all workers."""

    METRICS = "metrics"
    STATUS = "status"


class Ask(Struct, frozen=True, tag="ask"):
    """Give me a page of what all have counted."""

    number: int
    topic: Topic = Topic.METRICS


class Counted(Struct, frozen=True, tag="counted"):
    """What I have counted; the last of it where the round is 0."""

    round: int
    report: Report


Reply = Ask | Counted
"""From a worker to the control process."""
M = TypeVar("M")
_encode = msgspec.msgpack.Encoder().encode
to_worker: Callable[[bytes], Message] = msgspec.msgpack.Decoder(Message).decode
to_control: Callable[[bytes], Reply] = msgspec.msgpack.Decoder(Reply).decode


def framed(message: Message | Reply) -> bytes:
    body = _encode(message)
    return len(body).to_bytes(HEADER, "big") + body


class Frames(Generic[M]):
    """Cuts a stream of bytes into messages."""

    def __init__(self, decode: Callable[[bytes], M]) -> None:
        self._buffer, self._decode = bytearray(), decode

    def feed(self, data: bytes) -> Iterator[M]:
        buffer = self._buffer
        buffer += data
        while len(buffer) >= HEADER:
            end = HEADER + int.from_bytes(buffer[:HEADER], "big")
            if len(buffer) < end:
                return
            body = bytes(buffer[HEADER:end])
            del buffer[:end]
            yield self._decode(body)
