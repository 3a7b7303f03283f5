"""Asks every endpoint, once a second, whether it lives."""

import asyncio
import logging
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

import aiohttp
import msgspec

from gateway.link import Health
from gateway.policy.probing import Outcome, Verdict
from gateway.snapshot import Endpoint, Snapshot

AT_ONCE = 100
"""Probes under way; a fleet has more endpoints than this machine should have sockets open."""
LOAD_BYTES = 1024 * 1024
log = logging.getLogger(__name__)


class _ServiceLoad(msgspec.Struct):
    ready: int = 0


class _Load(msgspec.Struct):
    services: dict[str, _ServiceLoad] = {}


Ready = Mapping[str, int]
"""Ready pods by service, as a regional gateway tells."""
Answer = Outcome | Ready
_load = msgspec.json.Decoder(_Load).decode


def outcome(answer: Answer, service: str) -> Outcome:
    """Read an answer for one service: a region without a ready pod of it is down for it alone."""
    if isinstance(answer, Outcome):
        return answer
    return Outcome.UP if answer.get(service) else Outcome.DOWN


class Prober:
    """Probes each URL once a round, however many endpoints share it."""

    def __init__(
        self,
        tell: Callable[[Health], None],
        credential: Callable[[], str],
        *,
        seconds: float,
        timeout: float,
        tls: Callable[[], ssl.SSLContext],
    ) -> None:
        self._tell = tell
        self._credential = credential
        self._seconds = seconds
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._tls = tls
        self._targets: list[tuple[Endpoint, str]] = []
        self._verdicts: dict[str, Verdict] = {}
        self._changed = asyncio.Event()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._untrusted: dict[str, str] = {}
        """Why, by URL, for as long as it is so."""

    def aim(self, snapshot: Snapshot) -> None:
        """Probe what this snapshot has; at once what is new, or now said to be ready."""
        before = {endpoint.name for endpoint, _ in self._targets if endpoint.ready}
        self._targets = [
            (endpoint, service.name)
            for service in snapshot.services
            for endpoint in service.endpoints
            if endpoint.probe
        ]
        old = self._verdicts
        self._verdicts = {e.name: old.get(e.name) or Verdict() for e, _ in self._targets}
        ready = {endpoint.name for endpoint, _ in self._targets if endpoint.ready}
        if self._verdicts.keys() - old.keys() or ready - before:
            self._changed.set()

    async def run(self) -> None:
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=4)
        async with aiohttp.ClientSession(connector=connector, timeout=self._timeout) as session:
            while True:
                began = time.monotonic()
                self._changed.clear()
                if self._targets:
                    await self._round(session, began)
                await self._pause(began + self._seconds - time.monotonic())

    async def _pause(self, seconds: float) -> None:
        if seconds <= 0:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _round(self, session: aiohttp.ClientSession, began: float) -> None:
        targets = self._targets
        asked = {endpoint.probe: endpoint.fleet for endpoint, _ in targets}
        self._untrusted = {url: why for url, why in self._untrusted.items() if url in asked}
        tls = self._tls()
        found = await asyncio.gather(*(self._ask(session, *item, tls) for item in asked.items()))
        answers = dict(zip(asked, found, strict=True))
        self._judge(targets, answers)
        up = {name: v.up for name, v in self._verdicts.items() if v.up is not None}
        if up:
            self._tell(Health(began, up))

    def _judge(
        self, targets: Iterable[tuple[Endpoint, str]], answers: Mapping[str, Answer]
    ) -> None:
        for endpoint, service in targets:
            if verdict := self._verdicts.get(endpoint.name):
                verdict.heard(outcome(answers[endpoint.probe], service))

    async def _ask(
        self, session: aiohttp.ClientSession, url: str, fleet: bool, tls: ssl.SSLContext
    ) -> Answer:
        headers = {"authorization": f"Bearer {self._credential()}"} if fleet else {}
        try:
            async with (
                self._slots,
                session.get(url, headers=headers, allow_redirects=False, ssl=tls) as response,
            ):
                self._untrusted.pop(url, None)
                return await _answer(response, fleet=fleet)
        except aiohttp.ClientConnectorCertificateError as error:
            self._distrust(url, str(error.certificate_error))
            return Outcome.DOWN
        except aiohttp.ClientConnectorError:
            return Outcome.DOWN
        except (aiohttp.ClientError, TimeoutError, OSError, UnicodeError):
            return Outcome.SILENT

    def _distrust(self, url: str, why: str) -> None:
        """Say once what is wrong with a certificate; the URL itself may hold a secret."""
        if self._untrusted.get(url) != why:
            self._untrusted[url] = why
            extra = {"host": urlsplit(url).hostname, "why": why}
            log.warning("an endpoint has no certificate to be trusted", extra=extra)


async def _answer(response: aiohttp.ClientResponse, *, fleet: bool) -> Answer:
    if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Outcome.DOWN
    return await _ready(response) if fleet else Outcome.UP


async def _ready(response: aiohttp.ClientResponse) -> Answer:
    if response.status != HTTPStatus.OK:
        log.warning("a region refuses its probe", extra={"status": response.status})
        return Outcome.DOWN
    try:
        load = _load(await _body(response))
    except (ValueError, RecursionError):
        return Outcome.DOWN
    return {name: service.ready for name, service in load.services.items()}


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """Read an answer to its end; ValueError for one so long that no gateway wrote it."""
    body = bytearray()
    async for part in response.content.iter_any():
        body += part
        if len(body) > LOAD_BYTES:
            raise ValueError("a load without end")
    return bytes(body)
