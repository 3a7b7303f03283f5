"""Whether the member's gateway takes requests, looked at now and then."""

import asyncio
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import httpx

from fleet.api.cluster import GatewayStatus

PERIOD: Final = 2.0
PATIENCE: Final = 1.0
"""Seconds."""


def readiness_url(url: str) -> str:
    """Give the address of a gateway's probe, beside its API."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/readyz"


class GatewayProbe:
    """The gateway that serves the member's models, if there is one."""

    def __init__(self, url: str, client: Callable[[], httpx.AsyncClient] | None = None) -> None:
        self._url = url
        self._client = client or (lambda: httpx.AsyncClient(timeout=PATIENCE, trust_env=False))
        self._ready = False
        self._listeners: list[Callable[[], None]] = []

    def on_change(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)

    def status(self) -> GatewayStatus | None:
        return GatewayStatus(url=self._url, ready=self._ready) if self._url else None

    async def run(self) -> None:
        """Look for ever."""
        if not self._url:
            await asyncio.Event().wait()
        async with self._client() as client:
            while True:
                await self.look(client)
                await asyncio.sleep(PERIOD)

    async def look(self, client: httpx.AsyncClient) -> None:
        try:
            answer = await client.get(readiness_url(self._url))
            ready = answer.is_success
        except httpx.HTTPError:
            ready = False
        if ready != self._ready:
            self._ready = ready
            for listener in self._listeners:
                listener()
