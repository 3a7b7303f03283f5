"""Where the member's gateway is, and whether it takes requests: looked at now and then."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx

from fleet.api.cluster import GatewayStatus
from fleet.api.keys import Key
from fleet.kube.client import Client
from fleet.kube.errors import KubeError, NotFoundError
from member_agent.gateway_address import KINDS, Exposing, Place, place

PERIOD: Final = 2.0
PATIENCE: Final = 1.0
"""Seconds."""
LOOKS: Final = 5
"""After so many periods an address that was found is looked up anew."""
Stamp = tuple[int, int]


def readiness_url(url: str) -> str:
    """Give the address of a gateway's probe, beside its API."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/readyz"


class Address:
    """Finds the gateway: where the settings say, or by the object that exposes it."""

    def __init__(self, url: str = "", member: Client | None = None, key: Key | None = None) -> None:
        self._fixed, self._member, self._key = url, member, key

    @property
    def wanted(self) -> bool:
        return bool(self._fixed or self._key)

    @property
    def at_first(self) -> Place:
        return Place(self._fixed)

    async def find(self, last: Place) -> Place:
        """Look it up; an API server that does not answer leaves the last address."""
        if self._fixed or self._member is None or self._key is None:
            return Place(self._fixed)
        try:
            asked = [await _get(self._member, kind, self._key) for kind in KINDS]
        except KubeError as error:
            return last if last.url else Place(trouble=f"{self._key} cannot be read: {error}")
        return place([there for there in asked if there], self._key)


async def _get(member: Client, kind: type[Exposing], key: Key) -> Exposing | None:
    """Not every cluster knows every kind."""
    try:
        return await member.get(kind, key)
    except NotFoundError:
        return None


class Trusted:
    """Makes clients that trust the system's authorities, and those of a file beside them."""

    def __init__(self, ca_file: str = "") -> None:
        self._path = Path(ca_file) if ca_file else None

    def stamp(self) -> Stamp | None:
        """Tell one content of the file from the next; None where it is not there (yet)."""
        try:
            status = self._path.stat() if self._path else None
        except OSError:
            return None
        return (status.st_mtime_ns, status.st_ino) if status else None

    def client(self) -> httpx.AsyncClient:
        context = ssl.create_default_context()
        if self._path and self.stamp():
            # Without them the gateway's certificate is not believed, and the report says so.
            with suppress(OSError):
                context.load_verify_locations(cafile=self._path)
        return httpx.AsyncClient(timeout=PATIENCE, trust_env=False, verify=context)


class GatewayProbe:
    """The gateway that serves the member's models, if there is one."""

    def __init__(
        self,
        address: Address,
        trusted: Trusted | None = None,
        client: Callable[[], httpx.AsyncClient] | None = None,
    ) -> None:
        self._address = address
        self._trusted = trusted or Trusted()
        self._client = client or self._trusted.client
        self._place = address.at_first
        self._ready = False
        self._why = "it was not asked yet"
        self._listeners: list[Callable[[], None]] = []

    def on_change(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)

    def status(self) -> GatewayStatus | None:
        place = self._place
        return GatewayStatus(url=place.url, ready=self._ready) if place.url else None

    @property
    def trouble(self) -> str:
        """Why the gateway takes no requests; empty where it does, or where there is to be none."""
        if not self._address.wanted or self._ready:
            return ""
        return self._place.trouble or f"{self._place.url} is not ready: {self._why}"

    async def run(self) -> None:
        """Look for ever; a new client for new authorities."""
        if not self._address.wanted:
            await asyncio.Event().wait()
        while True:
            stamp = self._trusted.stamp()
            async with self._client() as client:
                await self._look_while(stamp, client)

    async def _look_while(self, stamp: Stamp | None, client: httpx.AsyncClient) -> None:
        looks = 0
        while self._trusted.stamp() == stamp:
            if not self._place.url or looks % LOOKS == 0:
                await self._noting(self._find())
            await self.look(client)
            looks += 1
            await asyncio.sleep(PERIOD)

    async def look(self, client: httpx.AsyncClient) -> None:
        await self._noting(self._ask(client))

    async def _noting(self, looking: Awaitable[None]) -> None:
        before = self.status(), self.trouble
        await looking
        if (self.status(), self.trouble) != before:
            for listener in self._listeners:
                listener()

    async def _find(self) -> None:
        found = await self._address.find(self._place)
        if found.url != self._place.url:
            self._ready, self._why = False, "it was not asked yet"
        self._place = found

    async def _ask(self, client: httpx.AsyncClient) -> None:
        if not self._place.url:
            return
        try:
            answer = await client.get(readiness_url(self._place.url))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            self._ready, self._why = False, str(error) or type(error).__name__
        else:
            self._ready, self._why = answer.is_success, f"status {answer.status_code}"
