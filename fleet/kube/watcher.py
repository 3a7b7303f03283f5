"""Follows an API server's objects, for a program that writes nothing there and has to start soon.

Unlike the client it knows no models: a kind is whatever its cache reads.
"""

from typing import Any

from fleet.kube.cache import Cache
from fleet.kube.config import Connection
from fleet.kube.follow import Follower
from fleet.kube.transport import Transport
from fleet.kube.verbs import Verbs


class Watcher:
    def __init__(self, connection: Connection) -> None:
        self._transport = Transport(connection)
        self._verbs = Verbs(self._transport, manager="")

    async def follow(self, cache: Cache[Any]) -> None:
        """Keep a cache as the server is, for ever: list, watch, list again after a gap."""
        await Follower(self._verbs, cache).run()

    async def close(self) -> None:
        await self._transport.close()
