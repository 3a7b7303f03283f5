"""The sockets of one session: they notice a lost server, and may all be ended together."""

import asyncio
import socket
import weakref
from contextlib import suppress
from typing import Any, Final

from typing_extensions import override

ENDING_SECONDS: Final = 2.0
OPTIONS: Final = {
    "TCP_KEEPIDLE": 15,
    "TCP_KEEPINTVL": 5,
    "TCP_KEEPCNT": 3,
    "TCP_USER_TIMEOUT": 30_000,
}
"""With these the kernel notices within half a minute that the other side is gone."""


class Ending(socket.socket):
    """A socket whose end may be waited for."""

    def __init__(self, family: int, kind: int, protocol: int) -> None:
        super().__init__(family, kind, protocol)
        self.ended = asyncio.Event()

    @override
    def close(self) -> None:
        super().close()
        self.ended.set()


class Sockets:
    """Makes sockets, and remembers those that are open."""

    def __init__(self) -> None:
        self._made = weakref.WeakSet[Ending]()

    def make(self, address: Any) -> socket.socket:
        """Give a socket for one of `getaddrinfo`'s answers."""
        family, kind, protocol, *_ = address
        made = Ending(family, kind, protocol)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in OPTIONS.items():
            if hasattr(socket, option):
                made.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
        self._made.add(made)
        return made

    async def end(self) -> None:
        """End what is open still: TLS may wait for a farewell that a busy server owes us."""
        left = [each for each in self._made if each.fileno() >= 0]
        for each in left:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        with suppress(TimeoutError):
            async with asyncio.timeout(ENDING_SECONDS):
                await asyncio.gather(*(each.ended.wait() for each in left))
