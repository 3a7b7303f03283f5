"""`python -m gateway.worker LISTENER LIFE LINK`: one process of the data plane.

LISTENER is the descriptor of a listening socket that the supervisor owns, LIFE that of a pipe which
ends when the supervisor does, LINK the name of the socket on which the control process speaks.
"""

import asyncio
import logging
import os
import random
import signal
import socket
import sys
import time
from contextlib import suppress
from functools import partial

import uvloop

from fleet.runtime import clock, logs
from gateway import access
from gateway.access import AccessLog
from gateway.data.client import ClientConnection
from gateway.data.intake import Intake
from gateway.data.plane import Plane
from gateway.data.pool import Pool
from gateway.keys import Credentials, KeyFiles
from gateway.link import Health, Table
from gateway.policy.attempts import Rules
from gateway.policy.endpoint import Ejection
from gateway.policy.timing import Limits
from gateway.routes import Routes
from gateway.settings import Scope, Settings, read
from gateway.subscriber import Subscriber
from gateway.supervisor import RETIRING
from gateway.tls import HANDSHAKE_SECONDS, ServerTls, Trust
from gateway.vault import Vault

TICK_SECONDS = 0.25
FILES_SECONDS = 2.0
"""Between two looks at keys and certificates."""
ROUTES_SECONDS = 5.0
"""For the first routes, before clients that wait in the queue are told to come again."""
LAME_SECONDS = 0.2
"""In which connections are still taken after the order to stop: they were on their way."""
IDLE_SECONDS = 0.5
"""For a request on its way over a kept connection."""
ORPHAN_SECONDS = 5.0
"""For answers under way when the supervisor is gone, and with it the place in the queue."""
HANDSHAKES_SECONDS = 1.0
"""For clients that were taken in before the end and still shake hands: some round trips."""
BACKLOG = 4096
log = logging.getLogger(__name__)


def build(settings: Settings, credentials: Credentials, trusted: Trust) -> Intake:
    """Put a data plane together; it routes nothing before its first table."""
    plane = Plane(
        routes=Routes(Ejection(), settings.workers, _near(settings)),
        pool=Pool(time.monotonic, connect_seconds=settings.connect_seconds, tls=trusted.context),
        credentials=credentials,
        vault=Vault(settings.credentials_dir, trusted),
        rules=Rules(chance=random.random, attempts=settings.attempts),
        limits=Limits(
            first_byte_seconds=settings.first_byte_seconds, stall_seconds=settings.stall_seconds
        ),
        clock=time.monotonic,
        access=_access(settings),
    )
    return Intake(
        plane=plane,
        region=settings.region,
        cluster=settings.cluster,
        by_service=settings.scope is Scope.REGIONAL,
        body_bytes=settings.body_bytes,
        count_streams=settings.count_streams,
    )


def _access(settings: Settings) -> AccessLog | None:
    """Open the access log, if there is to be one: workers write whole lines to it."""
    if not settings.access_log:
        return None
    handle = access.opened(settings.access_log)
    return AccessLog(partial(os.write, handle), clock.precisely)


def _near(settings: Settings) -> str:
    """Name the region whose endpoints a global gateway prefers; pods of one are all as near."""
    return settings.region if settings.scope is Scope.GLOBAL else ""


class Worker:
    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        self._settings = settings
        self._listener = listener
        self._keys = KeyFiles(
            clients=settings.client_keys_file,
            fleet=settings.fleet_credential_file,
            regional=settings.scope is Scope.REGIONAL,
        )
        self._keys.refresh()
        self._trusted = Trust(settings.upstream_ca_file, settings.credentials_dir)
        if settings.upstream_ca_file:
            # One that is wrong ends us now, and not a client's request.
            self._trusted.context(None)
        cert, key = settings.tls_cert_file, settings.tls_key_file
        self._tls = ServerTls(cert, key) if cert else None
        self.intake = build(settings, self._keys.credentials, self._trusted)
        self._routed = asyncio.Event()
        self._stop = asyncio.Event()
        self._supervisor = os.getppid()
        self._drain_seconds = settings.drain_seconds

    async def run(self, life: int, link: str) -> None:
        """Serve until told to stop, or until the supervisor is gone."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._retire)
        loop.add_signal_handler(signal.SIGHUP, self._halt)
        loop.add_signal_handler(signal.SIGINT, self._halt)
        loop.add_reader(life, self._orphaned, life)
        subscriber = Subscriber(link, self.hear, self.intake.plane.report)
        self.intake.gathered = subscriber.page
        tasks = [
            loop.create_task(subscriber.run()),
            loop.create_task(self._tick()),
            loop.create_task(self._watch_files()),
        ]
        for task in tasks:
            task.add_done_callback(self._ended)
        with suppress(TimeoutError):
            async with asyncio.timeout(ROUTES_SECONDS):
                await self._routed.wait()
        server = await self._serve()
        await self._stop.wait()
        self.intake.drain(IDLE_SECONDS)
        await asyncio.sleep(LAME_SECONDS)
        server.close()
        if self._tls:
            await asyncio.sleep(HANDSHAKES_SECONDS)
        await self._drained()
        subscriber.farewell()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.intake.plane.close()

    async def _serve(self) -> asyncio.Server:
        tls = self._tls
        return await asyncio.get_running_loop().create_server(
            lambda: ClientConnection(self.intake),
            sock=self._listener,
            backlog=BACKLOG,
            ssl=tls.entrance if tls else None,
            ssl_handshake_timeout=HANDSHAKE_SECONDS if tls else None,
        )

    def hear(self, message: Table | Health) -> None:
        plane = self.intake.plane
        if isinstance(message, Table):
            plane.swap(message.snapshot)
            self._routed.set()
        else:
            plane.probed(message.up, message.started, message.loads)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        """Give way to a successor when a part fails: nothing would ever time out again."""
        if not task.cancelled() and (error := task.exception()):
            log.critical("a part of the worker failed", exc_info=error)
            self._retire()

    def _halt(self) -> None:
        self._routed.set()
        self._stop.set()

    def _retire(self) -> None:
        """Ask for a successor: what comes while the last answers end must not wait."""
        if os.getppid() == self._supervisor:
            os.kill(self._supervisor, RETIRING)
        self._halt()

    def _orphaned(self, life: int) -> None:
        asyncio.get_running_loop().remove_reader(life)
        self._drain_seconds = min(self._drain_seconds, ORPHAN_SECONDS)
        self._halt()

    async def _drained(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._drain_seconds):
                await self.intake.empty()
        if left := len(self.intake.plane.active):
            log.warning("answers cut off by the end of the drain", extra={"answers": left})

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self.intake.plane.tick()
            self.intake.tick()

    async def _watch_files(self) -> None:
        while True:
            await asyncio.sleep(FILES_SECONDS)
            self._keys.refresh()
            self.intake.plane.vault.refresh()
            self.intake.plane.unlock()
            if self._tls:
                self._tls.refresh()
            self._trusted.refresh()


async def _run(settings: Settings, listener: socket.socket, life: int, link: str) -> None:
    await Worker(settings, listener).run(life, link)


def main(listener: str, life: str, link: str) -> None:
    settings = read(os.environ)
    logs.configure(settings.log_level)
    with socket.socket(fileno=int(listener)) as queue:
        queue.setblocking(False)
        uvloop.run(_run(settings, queue, int(life), link))


if __name__ == "__main__":
    main(*sys.argv[1:])
