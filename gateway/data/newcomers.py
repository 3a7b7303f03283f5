"""Whoever has nothing yet goes before streams under way: new requests, and first answers.

Engines compute in steps, so that many streams bring something at one moment, and the loop would
serve a newcomer after all of them. Between two of their parts somebody looks here instead.
"""

import asyncio
import os
import select
from contextlib import suppress
from typing import Final, Protocol

AT_ONCE: Final = 4
"""Newcomers that are read between two parts of streams."""
READ_BYTES: Final = 64 * 1024


class Newcomer(Protocol):
    """A connection that something new may come from."""

    def data_received(self, data: bytes) -> None: ...

    def torn(self) -> None:
        """Nothing more can be read from it."""


class Newcomers:
    """Watches sockets beside the loop, which sees the same and finds read what was read here."""

    __slots__ = ("_known", "_poll")

    def __init__(self) -> None:
        self._known: dict[int, Newcomer] = {}
        self._poll: select.epoll | None = None

    def join(self, transport: asyncio.Transport, newcomer: Newcomer) -> None:
        """Look at it from now on; what is encrypted can only be read by its transport."""
        descriptor = _descriptor(transport)
        if descriptor is None or descriptor in self._known:
            return
        if self._poll is None:
            self._poll = select.epoll()
        self._poll.register(descriptor, select.EPOLLIN | select.EPOLLRDHUP)
        self._known[descriptor] = newcomer

    def leave(self, transport: asyncio.Transport) -> None:
        descriptor = _descriptor(transport)
        if self._poll and descriptor is not None and self._known.pop(descriptor, None):
            with suppress(OSError):  # Closed already, and so forgotten.
                self._poll.unregister(descriptor)

    def look(self) -> None:
        """Read what has come. An end is left to the loop, which tells of it in its way."""
        if self._poll is None:
            return
        for descriptor, events in self._poll.poll(0, AT_ONCE):
            newcomer = self._known.get(descriptor)
            if newcomer and events == select.EPOLLIN:
                _read(descriptor, newcomer)

    def close(self) -> None:
        if self._poll:
            self._poll.close()
            self._poll = None
        self._known.clear()


def _descriptor(transport: asyncio.Transport) -> int | None:
    socket = transport.get_extra_info("socket")
    if socket is None or transport.get_extra_info("sslcontext"):
        return None
    number: int = socket.fileno()
    return number


def _read(descriptor: int, newcomer: Newcomer) -> None:
    try:
        data = os.read(descriptor, READ_BYTES)
    except BlockingIOError:
        return
    except OSError:
        newcomer.torn()
        return
    try:
        newcomer.data_received(data)
    except Exception as error:  # noqa: BLE001 - the loop does the same
        # It ends the newcomer, and not the stream that looked.
        told = {"message": "a newcomer was not served", "exception": error}
        asyncio.get_running_loop().call_exception_handler(told)
        newcomer.torn()
