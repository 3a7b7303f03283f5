"""Connections to upstreams, kept for reuse: new ones cost three times as much."""

import asyncio
import errno
import ssl
from collections.abc import Awaitable, Callable
from typing import Protocol
from urllib.parse import urlsplit

from gateway.data.newcomers import Newcomers
from gateway.data.upstream import UpstreamConnection
from gateway.policy.endpoint import Failure
from gateway.snapshot import Endpoint, Tls
from gateway.tls import TlsError

SPENT = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL, errno.EAGAIN}
)
"""What is said where descriptors, memory or ports are used up: here, not there."""
Dial = asyncio.Task[None]
Place = str | tuple[str, Tls]
"""Where connections lead that may stand for each other."""
IDLE_SECONDS = 4.0
"""Shorter than the 5 s after which uvicorn, and so vLLM, closes what is idle."""


class Caller(Protocol):
    """Whoever waits for a new connection."""

    def connected(self, connection: UpstreamConnection) -> None: ...

    def refused(self, failure: Failure) -> None: ...


def place(endpoint: Endpoint) -> Place:
    return endpoint.url if endpoint.tls is None else (endpoint.url, endpoint.tls)


class Origin:
    """One upstream's address, and the connections to it that nobody uses."""

    def __init__(
        self,
        url: str,
        clock: Callable[[], float],
        newcomers: Newcomers,
        tls: Tls | None = None,
    ) -> None:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            # Somebody's typing error: nobody is there, as a dial finds.
            parts, port = urlsplit(""), None
        self.host = parts.hostname or ""
        self.port = port or (443 if parts.scheme == "https" else 80)
        self.encrypted = parts.scheme == "https"
        self.tls = tls
        self.base = parts.path.rstrip("/").encode()
        self.host_line = b"host: %b\r\n" % parts.netloc.rpartition("@")[2].encode()
        self.newcomers = newcomers
        self._clock = clock
        self._idle: list[UpstreamConnection] = []
        self._closed = False

    def keep(self, connection: UpstreamConnection) -> None:
        if self._closed:
            connection.abort()
            return
        connection.idle_since = self._clock()
        self._idle.append(connection)

    def forget(self, connection: UpstreamConnection) -> None:
        if connection in self._idle:
            self._idle.remove(connection)

    def take(self) -> UpstreamConnection | None:
        """Give the connection that was used last; older ones go away with time."""
        return self._idle.pop() if self._idle else None

    def trim(self, now: float) -> None:
        old = [c for c in self._idle if now - c.idle_since > IDLE_SECONDS]
        for connection in old:
            self._idle.remove(connection)
            connection.abort()

    def close(self) -> None:
        self._closed = True
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.abort()


Connect = Callable[[Origin], Awaitable[UpstreamConnection]]


class Pool:
    def __init__(
        self,
        clock: Callable[[], float],
        *,
        connect_seconds: float,
        tls: Callable[[Tls | None], ssl.SSLContext],
        connect: Connect | None = None,
    ) -> None:
        """`connect`: another way to an origin than by its address."""
        self.newcomers = Newcomers()
        self._clock = clock
        self._seconds = connect_seconds
        self.tls = tls
        """Asked at each connection: authorities may change, and plain HTTP needs none."""
        self._connect = connect or self._by_address
        self._origins: dict[Place, Origin] = {}
        self._dialling: set[Dial] = set()

    def origin(self, endpoint: Endpoint) -> Origin:
        where = endpoint.url if endpoint.tls is None else place(endpoint)
        origin = self._origins.get(where)
        if origin is None:
            origin = self._origins[where] = Origin(
                endpoint.url, self._clock, self.newcomers, endpoint.tls
            )
        return origin

    def dial(self, origin: Origin, caller: Caller) -> Dial:
        """Connect anew; the caller hears of it, unless it cancels the task."""
        task = asyncio.get_running_loop().create_task(self._dial(origin, caller))
        self._dialling.add(task)
        task.add_done_callback(self._dialling.discard)
        return task

    def trim(self, now: float) -> None:
        """Close what has been idle for too long."""
        for origin in self._origins.values():
            origin.trim(now)

    def keep_only(self, places: set[Place]) -> None:
        """Drop the addresses that are no longer routed to."""
        for where in self._origins.keys() - places:
            self._origins.pop(where).close()

    def close(self) -> None:
        self.keep_only(set())
        self.newcomers.close()
        for task in self._dialling:
            task.cancel()

    async def _dial(self, origin: Origin, caller: Caller) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                connection = await self._connect(origin)
        except (ssl.SSLCertVerificationError, TlsError):
            caller.refused(Failure.UNTRUSTED)
        except (OSError, UnicodeError) as error:
            ours = isinstance(error, OSError) and error.errno in SPENT
            caller.refused(Failure.SPENT if ours else Failure.REFUSED)
        else:
            caller.connected(connection)

    async def _by_address(self, origin: Origin) -> UpstreamConnection:
        """Raises OSError (as TLS and time-outs do), UnicodeError where the host is no name, and
        TlsError where the endpoint's own files are no use."""
        if not origin.host:
            raise OSError(errno.EDESTADDRREQ, "no host")
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: UpstreamConnection(origin),
            origin.host,
            origin.port,
            ssl=self.tls(origin.tls) if origin.encrypted else None,
            server_hostname=(origin.tls.server_name or None) if origin.tls else None,
        )
        return connection
