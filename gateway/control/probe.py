"""Asks every endpoint, once a second, whether it lives and what it has to do."""

import asyncio
import logging
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import urlsplit

import aiohttp
import msgspec

from gateway.link import Health
from gateway.load import Load, of_engine
from gateway.policy.probing import Outcome, Verdict
from gateway.snapshot import Endpoint, Snapshot, Tls
from gateway.tls import TlsError

AT_ONCE = 100
"""Probes under way; a fleet has more endpoints than this machine should have sockets open."""
LOAD_BYTES = 4 * 1024 * 1024
log = logging.getLogger(__name__)


class _Region(msgspec.Struct):
    services: dict[str, Load] = {}


Loads = Mapping[str, Load]
"""By service, as a regional gateway tells."""
Answer = Outcome | Loads


class Question(NamedTuple):
    """What is asked once a round, for all endpoints that share it."""

    url: str
    fleet: bool
    tls: Tls | None


Answers = Mapping[Question, Answer]
_region = msgspec.json.Decoder(_Region).decode


def _question(endpoint: Endpoint) -> Question:
    return Question(endpoint.probe, endpoint.fleet, endpoint.tls)


def outcome(answer: Answer, service: str) -> Outcome:
    """Read an answer for one service: a region without a ready pod of it is down for it alone."""
    if isinstance(answer, Outcome):
        return answer
    load = answer.get(service)
    return Outcome.UP if load and load.ready else Outcome.DOWN


class Prober:
    """Probes each URL once a round, however many endpoints share it."""

    def __init__(
        self,
        tell: Callable[[Health], None],
        credential: Callable[[], str],
        *,
        seconds: float,
        timeout: float,
        tls: Callable[[Tls | None], ssl.SSLContext],
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
        asked = {_question(endpoint) for endpoint, _ in targets}
        urls = {question.url for question in asked}
        self._untrusted = {url: why for url, why in self._untrusted.items() if url in urls}
        found, scraped = await asyncio.gather(
            asyncio.gather(*(self._ask(session, question) for question in asked)),
            self._scrape(session, targets),
        )
        answers = dict(zip(asked, found, strict=True))
        self._judge(targets, answers)
        up = {name: v.up for name, v in self._verdicts.items() if v.up is not None}
        if up:
            self._tell(Health(began, up, scraped | dict(_told(targets, answers))))

    def _judge(self, targets: Iterable[tuple[Endpoint, str]], answers: Answers) -> None:
        for endpoint, service in targets:
            if verdict := self._verdicts.get(endpoint.name):
                verdict.heard(outcome(answers[_question(endpoint)], service))

    async def _scrape(
        self, session: aiohttp.ClientSession, targets: Iterable[tuple[Endpoint, str]]
    ) -> dict[str, Load]:
        """Ask engines what they have to do; those that do not say it are judged by our requests."""
        urls = {endpoint.name: endpoint.metrics for endpoint, _ in targets if endpoint.metrics}
        loads = await asyncio.gather(*(self._work(session, url) for url in urls.values()))
        return {name: load for name, load in zip(urls, loads, strict=True) if load}

    async def _work(self, session: aiohttp.ClientSession, url: str) -> Load | None:
        try:
            async with self._slots, session.get(url, allow_redirects=False) as response:
                return of_engine(await _body(response)) if response.ok else None
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return None

    async def _ask(self, session: aiohttp.ClientSession, question: Question) -> Answer:
        url, tls = question.url, question.tls
        headers = {"authorization": f"Bearer {self._credential()}"} if question.fleet else {}
        try:
            async with (
                self._slots,
                session.get(
                    url,
                    headers=headers,
                    allow_redirects=False,
                    ssl=self._tls(tls),
                    server_hostname=(tls.server_name or None) if tls else None,
                ) as response,
            ):
                self._untrusted.pop(url, None)
                return await _answer(response, fleet=question.fleet)
        except TlsError as error:
            self._distrust(url, str(error))
            return Outcome.DOWN
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


def _told(targets: Iterable[tuple[Endpoint, str]], answers: Answers) -> Iterator[tuple[str, Load]]:
    """Give what regions said of the services that they were asked about."""
    for endpoint, service in targets:
        answer = answers[_question(endpoint)]
        if not isinstance(answer, Outcome) and (load := answer.get(service)):
            yield endpoint.name, load


async def _answer(response: aiohttp.ClientResponse, *, fleet: bool) -> Answer:
    if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Outcome.DOWN
    return await _loads(response) if fleet else Outcome.UP


async def _loads(response: aiohttp.ClientResponse) -> Answer:
    if response.status != HTTPStatus.OK:
        log.warning("a region refuses its probe", extra={"status": response.status})
        return Outcome.DOWN
    try:
        return _region(await _body(response)).services
    except (ValueError, RecursionError):
        return Outcome.DOWN


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """Read an answer to its end; ValueError for one that has none."""
    body = bytearray()
    async for part in response.content.iter_any():
        body += part
        if len(body) > LOAD_BYTES:
            raise ValueError("a load without end")
    return bytes(body)
